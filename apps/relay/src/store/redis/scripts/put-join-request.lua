-- include: lib/invites
-- writes: yes
--
-- ARGV: invite, member, request. Returns the join's state. Atomic: the first request stands.

local which, who, request = ARGV[1], ARGV[2], ARGV[3]
local refusal = open()
if refusal then return {refusal} end
local row = running(which, who)
if not row then return {'INVITE_UNKNOWN'} end
if row.q then
  if call('HGET', JOINS, which .. ':q') ~= request then return {'BAD_ENTRY'} end
  return {'OK', stateOf(which, row)}
end
if row.expires <= now then return {'INVITE_EXPIRED'} end
call('HSET', JOINS, which .. ':q', request)
row.q = true
keepInvite(which, row)
joinChanged(which, who)
return {'OK', stateOf(which, row)}
