-- include: lib/room
-- keys: invites, joins
--
-- A row: state, expires, joiner, key, claimed (Unix ms), q (a request is there), re (epoch of the reply, if one
-- is there), ce and ct (epoch and time of the confirm, if one is there), reason. What was sealed lies in JOINS,
-- under the id and ':q', ':r' or ':c'. 'j' and a member: how many claims it holds.

local REASON = {declined = 1, badProof = 2, expired = 3, badConfirm = 4, other = 5, full = 6, altered = 7}
local INVITE_ID = 22
local function invite(which)
  local raw = call('HGET', INVITES, which)
  if raw then return cmsgpack.unpack(raw) end
end
local function keepInvite(which, row)
  call('HSET', INVITES, which, cmsgpack.pack(row))
end
local function eachInvite(visit)
  local flat = call('HGETALL', INVITES)
  for i = 1, #flat, 2 do
    if #flat[i] == INVITE_ID then visit(flat[i], cmsgpack.unpack(flat[i + 1])) end
  end
end
local function claims(who, more)
  if call('HINCRBY', INVITES, 'j' .. who, more) <= 0 then call('HDEL', INVITES, 'j' .. who) end
end
local function claimed(who)
  return call('HEXISTS', INVITES, 'j' .. who) == 1
end
-- Whether a join that it runs has the owner's reply.
local function answered(who)
  local found = false
  if claimed(who) then
    eachInvite(function(_, row)
      if row.state == 'claimed' and row.joiner == who and row.re then found = true end
    end)
  end
  return found
end
local function joinChanged(which, who, released)
  if who then event(JOIN, which .. who .. string.char(released and REASON[released] or 0)) end
end
-- What is not there is false: nil would end an answer.
local function sealed(there, which, part)
  return there and call('HGET', JOINS, which .. part) or false
end
local function stateOf(which, row)
  if row.state == 'used' then
    return {'admitted', '', row.re or 0, sealed(row.re, which, ':r')}
  elseif row.state == 'revoked' or row.state == 'dropped' then
    return {'dropped', row.reason or '', 0, false}
  end
  local stage = row.ce and 'confirmed' or row.re and 'replied' or row.q and 'requested' or 'claimed'
  return {stage, '', row.re or 0, sealed(row.re, which, ':r')}
end
local function joinOf(which, row)
  if not row.joiner then return false end
  local state = stateOf(which, row)
  return {which, row.joiner, row.key, state, sealed(row.q, which, ':q'),
    sealed(row.ce, which, ':c'), row.ce or 0, row.ct or 0}
end
local function running(which, who)
  local row = invite(which)
  if row and row.state == 'claimed' and row.joiner == who then return row end
end
-- Leaves the tombstone; what the join sealed goes.
local function endInvite(which, row, state, reason)
  if row.state == 'claimed' then claims(row.joiner, -1) end
  row.state, row.reason, row.q, row.re, row.ce, row.ct = state, reason, nil, nil, nil, nil
  keepInvite(which, row)
  call('HDEL', JOINS, which .. ':q', which .. ':r', which .. ':c')
  joinChanged(which, row.joiner)
end
