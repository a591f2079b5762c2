-- include: lib/people, lib/needs
-- writes: yes
--
-- ARGV: member, request. Returns nothing more. Atomic: a new request replaces the old one and its grant.

local who, request = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
if not isMember(who) then return {'FORBIDDEN'} end
if call('HGET', NEEDS, who) == request then return {'OK'} end
call('HSET', NEEDS, who, request)
dropGrant(who)
event(NEEDKEY, who)
return {'OK'}
