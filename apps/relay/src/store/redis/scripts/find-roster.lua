-- include: lib/chain
-- writes: no
--
-- ARGV: head. Returns g, s, time, or 0, 0, 0. Of a closed room's chain only the end is known.

local refusal = open()
if refusal then
  if room and room.state == 1 and room.head == ARGV[1] then return {'OK', room.g, room.s, room.used} end
  return {refusal}
end
local placement = headPlacement(ARGV[1])
if not placement then return {'OK', 0, 0, 0} end
return {'OK', placement.g, placement.s, placement.time}
