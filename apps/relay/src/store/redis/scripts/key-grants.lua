-- include: lib/needs
-- writes: no
--
-- ARGV: member. Returns granter and grant (its length, itself, the news) by turns.

local to = ARGV[1]
local refusal = open()
if refusal then return {refusal} end
local list, answer = answered(to), {}
for i = 1, #list, ID do
  local from = string.sub(list, i, i + ID - 1)
  answer[#answer + 1] = from
  answer[#answer + 1] = call('HGET', GRANTS, to .. from)
end
return {'OK', answer}
