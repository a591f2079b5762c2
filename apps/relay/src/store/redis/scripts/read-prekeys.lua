-- include: lib/people
-- keys: prekeys
-- writes: no
--
-- Returns member and prekey (or nothing) by turns, in the order of admission.

local refusal = open()
if refusal then return {refusal} end
local flat, found = call('HGETALL', MEMBERS), {}
for i = 1, #flat, 2 do
  local known = cmsgpack.unpack(flat[i + 1])
  -- A leaver is on the roster until its owner says otherwise, and a rotation must name it.
  if known.st == MEMBER or known.st == LEAVING then found[#found + 1] = {known.n, flat[i]} end
end
table.sort(found, function(a, b) return a[1] < b[1] end)
local answer = {}
for i, entry in ipairs(found) do
  answer[2 * i - 1], answer[2 * i] = entry[2], call('HGET', PREKEYS, entry[2])
end
return {'OK', answer}
