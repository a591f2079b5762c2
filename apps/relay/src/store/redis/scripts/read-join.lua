-- include: lib/invites
-- writes: no
--
-- ARGV: invite. Returns the join, or nothing for none.

local refusal = open()
if refusal then return {refusal} end
local row = invite(ARGV[1])
return {'OK', row and joinOf(ARGV[1], row) or false}
