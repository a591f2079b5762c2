-- include: lib/chain
-- writes: no
--
-- ARGV: epoch, hash. Returns g, s, time, or 0, 0, 0.

local refusal = open()
if refusal then return {refusal} end
local placement = matchingRotation(tonumber(ARGV[1]), ARGV[2])
if not placement then return {'OK', 0, 0, 0} end
return {'OK', placement.g, placement.s, placement.time}
