-- include: lib/invites
-- writes: no
--
-- Returns the joins that wait for their owner, oldest claim first.

local refusal = open()
if refusal then return {refusal} end
local waiting, joins = {}, {}
eachInvite(function(which, row)
  if row.state == 'claimed' and row.q then waiting[#waiting + 1] = {which, row} end
end)
table.sort(waiting, function(a, b) return a[2].claimed < b[2].claimed end)
for i, found in ipairs(waiting) do joins[i] = joinOf(found[1], found[2]) end
return {'OK', joins}
