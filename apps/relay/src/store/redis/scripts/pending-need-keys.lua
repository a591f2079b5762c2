-- include: lib/needs
-- writes: no
--
-- ARGV: member. Returns member and request by turns: those that it may answer and nobody has.

local who = ARGV[1]
local refusal = open()
if refusal then return {refusal} end
local answer = {}
local function take(from)
  local request = from ~= who and call('HGET', NEEDS, from)
  if request and not answeredBy(from) then
    local n = #answer
    answer[n + 1], answer[n + 2] = from, request
  end
end
if who ~= room.owner then
  take(room.owner)
else
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID then take(field) end
  end
end
return {'OK', answer}
