-- include: lib/people, lib/invites
-- writes: yes
--
-- ARGV: invite, member, key. Returns the join's state. Atomic: one winner under any race.

local which, who = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
local row, known = invite(which), member(who)
local own = row ~= nil and row.joiner == who
if known and not (own and row.state == 'used' and known.st == MEMBER) then
  return {known.st == MEMBER and 'ALREADY_MEMBER' or 'WAS_MEMBER'}
end
if not row then return {'INVITE_UNKNOWN'} end
if own then return {'OK', stateOf(which, row)} end
if row.state == 'used' or row.state == 'dropped' then return {'INVITE_USED'} end
if row.state == 'revoked' then return {'INVITE_REVOKED'} end
if row.state == 'claimed' then return {'INVITE_TAKEN'} end
if row.expires <= now then return {'INVITE_EXPIRED'} end
row.state, row.joiner, row.key, row.claimed, row.reason = 'claimed', who, ARGV[3], now, nil
keepInvite(which, row)
claims(who, 1)
return {'OK', stateOf(which, row)}
