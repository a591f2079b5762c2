-- include: lib/people, lib/needs
-- writes: yes
--
-- ARGV: to, offer. Returns nothing more. Atomic: it replaces every earlier one and its acceptance.

local to, offer = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
if not isMember(to) then return {'BAD_ENTRY'} end
local known = call('HMGET', NEEDS, 'to', 'offer')
if known[1] == to and known[2] == offer then return {'OK'} end
call('HSET', NEEDS, 'to', to, 'offer', offer)
call('HDEL', NEEDS, 'acceptance')
event(OFFER, to)
return {'OK'}
