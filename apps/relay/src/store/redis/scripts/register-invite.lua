-- include: lib/invites
-- limits: inviteLifetimeMs
-- writes: yes
--
-- ARGV: invite, expires, most open. Returns nothing more. Atomic: the count and the new row.
-- Tombstones go one invite's longest life after they have expired: until then EXPIRED is answered.

-- Rows of a room, tombstones included; and how many of them go in one step.
local MOST_ROWS = 1024
local PRUNED = 64

local which, expires, mostOpen = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local refusal = open()
if refusal then return {refusal} end
local rows, active, pruned = 0, 0, 0
eachInvite(function(other, row)
  if row.state ~= 'claimed' and row.expires < now - LIMITS.inviteLifetimeMs and pruned < PRUNED then
    pruned = pruned + 1
    call('HDEL', INVITES, other)
    call('HDEL', JOINS, other .. ':q', other .. ':r', other .. ':c')
  else
    rows = rows + 1
    if row.state == 'claimed' or (row.state == 'open' and row.expires > now) then active = active + 1 end
  end
end)
local row = invite(which)
if row then
  if (row.state == 'open' or row.state == 'claimed') and row.expires == expires then return {'OK'} end
  return {'BAD_ENTRY'}
end
if expires <= now or expires > now + LIMITS.inviteLifetimeMs then return {'BAD_ENTRY'} end
if active >= mostOpen or rows >= MOST_ROWS then return {'INVITE_LIMIT'} end
keepInvite(which, {state = 'open', expires = expires})
return {'OK'}
