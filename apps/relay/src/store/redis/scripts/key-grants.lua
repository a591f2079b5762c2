-- include: lib/needs
-- writes: no
--
-- ARGV: member. Returns granter and grant (its length, itself, the news), or nothing.

local to = ARGV[1]
local refusal = open()
if refusal then return {refusal} end
local from = answeredBy(to)
return {'OK', from and {from, call('HGET', GRANTS, to .. from)} or {}}
