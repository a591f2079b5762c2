-- include: lib/needs
-- writes: no
--
-- ARGV: member. Returns its request, or nothing.

local refusal = open()
if refusal then return {refusal} end
return {'OK', call('HGET', NEEDS, ARGV[1])}
