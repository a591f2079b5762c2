-- include: lib/people
-- writes: no
--
-- ARGV: member, connection. Stores nothing.

local refusal = open()
if refusal then return {refusal} end
if not isMember(ARGV[1]) then return {'FORBIDDEN'} end
event(LIVE, ARGV[1] .. ARGV[2])
return {'OK'}
