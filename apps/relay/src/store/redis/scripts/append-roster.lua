-- include: lib/departures, lib/invites
-- keys: prekeys, sent
-- writes: yes
--
-- ARGV: signer, head before, head, container, restored (1 or 0), kind, member (or old owner), key (or new owner),
-- invite, epoch before, history (of an admission its first prekey, or nothing), settings entries that there may be,
-- and a second, and at once, whether there is a reply (1 or 0), its epoch, the reply, whether there is a rotation
-- (1 or 0), then the rotation.
-- Returns g, s, time, and g, s, time of the rotation, or 0, 0, 0.
-- Atomic: comparison of head and epoch, the entry, what it does to members, joins and room, the rotation behind it.

local signer, before, head, container = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local restored, kind, who = ARGV[5] == '1', ARGV[6], ARGV[7]
local rotates, ROTATES = ARGV[18] == '1', 19
local refusal = open()
if refusal then return {refusal} end
local placement = headPlacement(head)
if placement then
  tellTip()
  if not rotates then return {'OK', placement.g, placement.s, placement.time, 0, 0, 0} end
  -- The same entry with another rotation: the first one stands.
  local rotated = matchingRotation(tonumber(ARGV[ROTATES]), ARGV[ROTATES + 1])
  if not rotated then return {'STALE_EPOCH'} end
  return {'OK', placement.g, placement.s, placement.time, rotated.g, rotated.s, rotated.time}
end
if room.owner ~= signer or room.head ~= before then return {'STALE_HEAD'} end
refusal = epochRefusal(tonumber(ARGV[10])) or rotates and epochRefusal(tonumber(ARGV[ROTATES]) - 1)
if refusal then return {refusal} end
-- Whatever followed a departure followed its rotation, which names the departure as the head.
if room.owed ~= 0 then return {'EPOCH_AHEAD'} end
-- A leaver is on the roster still; but a room that is its own would have nobody who acts.
if kind == 'transfer' and not isMember(ARGV[8]) and not (restored and stay(ARGV[8])) then return {'BAD_ENTRY'} end
-- The chain is never trimmed: settings alone could be added to it without end.
if kind == 'settings' then
  if (room.settings or 0) >= tonumber(ARGV[12]) then return {'SETTINGS_LIMIT'} end
  if not restored then
    local perSecond = tonumber(ARGV[13])
    local tokens = tokensIn(room.bucket, perSecond, tonumber(ARGV[14]))
    if tokens < 1 then return {'RATE_LIMITED', untilToken(tokens, perSecond)} end
    call('HSET', META, 'bucket', bucketOf(tokens - 1))
  end
end

-- The claimed invite becomes a tombstone; false: it is not claimed by that key.
local function admitJoin()
  local which, replied, replyEpoch, reply = ARGV[9], ARGV[15] == '1', tonumber(ARGV[16]), ARGV[17]
  local row = running(which, who)
  if not row or not (replied or row.re) then
    if not restored then return false end
    -- An admission that was lost has used its invite, whoever has claimed it since (G2).
    row = invite(which)
    if row and row.joiner ~= who then
      if row.state == 'claimed' then
        claims(row.joiner, -1)
        joinChanged(which, row.joiner, 'other')
        row.state = 'open'
      end
      row.joiner, row.key, row.re, row.reason = who, ARGV[8], nil, nil
      call('HDEL', JOINS, which .. ':r')
    end
  end
  if row then
    if row.state == 'claimed' then claims(who, -1) end
    row.state, row.q, row.ce, row.ct = 'used', nil, nil, nil
    if replied then
      row.re = replyEpoch
      call('HSET', JOINS, which .. ':r', reply)
    end
    keepInvite(which, row)
    call('HDEL', JOINS, which .. ':q', which .. ':c')
  end
  -- Other claims of the same key are done with as well.
  if claimed(who) then
    eachInvite(function(other, held)
      if held.state == 'claimed' and held.joiner == who then endInvite(other, held, 'dropped', 'other') end
    end)
  end
  return true
end
-- A transfer of ownership: pending joins are dropped, open invites revoked (section 4).
local function endJoins()
  eachInvite(function(which, row)
    if row.state == 'open' then
      endInvite(which, row, 'revoked')
    elseif row.state == 'claimed' then
      endInvite(which, row, 'dropped', 'other')
    end
  end)
end
-- Who may read the last entry, or its own one, stays for as long as the tombstone (section 4).
local function close(entry)
  keepDepartureNotice('*', entry, container)
  local flat, kept = call('HGETALL', MEMBERS), {}
  for i = 1, #flat, 2 do
    local known = cmsgpack.unpack(flat[i + 1])
    if known.st == MEMBER or known.st == LEAVING then
      if known.st == LEAVING then call('HDEL', FAREWELLS, flat[i]) end
      known.st, known.ge, known.gh, known.gl = LEFT, nil, nil, nil
      kept[#kept + 1] = flat[i]
      kept[#kept + 1] = cmsgpack.pack(known)
    end
  end
  each('HSET', MEMBERS, kept)
  keepChainAlone()
  call('UNLINK', PREKEYS, LOG, SENT, WRAPS, GENS, INVITES, JOINS, NEEDS, GRANTS)
  call('HSET', META, 'state', 1, 'entries', 0, 'bytes', 0, 'used', now)
  event(CLOSED, '')
end

if kind == 'admit' and not admitJoin() then return {'INVITE_UNKNOWN'} end
local entry = {kind = ROSTER, sender = signer, clear = '', payload = container}
place({entry})
addToChain(room.len, head, entry.g, entry.s, container)
room.head, room.len = head, room.len + 1
call('HSET', META, 'head', head, 'len', room.len)
if kind == 'admit' then
  addMember(who, room.eg, room.es)
  if ARGV[11] ~= '' then
    local known = member(who)
    known.k = 1
    keep(who, known)
    call('HSET', PREKEYS, who, ARGV[11])
  end
  publishRole(who, 'member')
  joinChanged(ARGV[9], who)
elseif kind == 'remove' or kind == 'leave' then
  keepDepartureNotice(who, entry, container)
  local known = member(who)
  if known then
    call('HDEL', PREKEYS, who)
    dropAnswers(who)
    depart(who, known, kind == 'remove' and REMOVED or LEFT)
  end
  if not rotates then
    room.owed = 1
    call('HSET', META, 'owed', 1)
  end
elseif kind == 'transfer' then
  room.owner = ARGV[8]
  call('HSET', META, 'owner', room.owner)
  dropOffer()
  publishRole(who, 'member')
  publishRole(room.owner, 'owner')
  endJoins()
elseif kind == 'settings' then
  call('HSET', META, 'history', ARGV[11], 'settings', (room.settings or 0) + 1)
elseif kind == 'close' then
  close(entry)
end
if not rotates then return {'OK', entry.g, entry.s, now, 0, 0, 0} end
local rotated = placeRotation(signer, ROTATES)
return {'OK', entry.g, entry.s, now, rotated.g, rotated.s, now}
