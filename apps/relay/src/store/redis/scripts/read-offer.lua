-- include: lib/needs
-- writes: no
--
-- Returns owner, to, offer, acceptance or nothing; or nothing at all.

local refusal = open()
if refusal then return {refusal} end
local known = call('HMGET', NEEDS, 'to', 'offer', 'acceptance')
return {'OK', known[1] and {room.owner, known[1], known[2], known[3]} or false}
