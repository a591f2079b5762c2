-- include: lib/invites
-- writes: yes
--
-- ARGV: invite, release (1 or 0), reason. Returns nothing more. Atomic: a claim that was answered is never released.

local which, release, reason = ARGV[1], ARGV[2] == '1', ARGV[3]
local refusal = open()
if refusal then return {refusal} end
local row = invite(which)
if not row then return {'INVITE_UNKNOWN'} end
if row.state == 'used' then return {'FORBIDDEN'} end
if row.state ~= 'claimed' then return {'OK'} end
if not release then
  endInvite(which, row, 'dropped', reason)
  return {'OK'}
end
if row.re then return {'FORBIDDEN'} end
-- One event for the loser; then the invite is as if it had never been claimed.
joinChanged(which, row.joiner, reason)
claims(row.joiner, -1)
keepInvite(which, {state = 'open', expires = row.expires})
call('HDEL', JOINS, which .. ':q', which .. ':c')
return {'OK'}
