-- include: lib/rotations
-- writes: yes
--
-- ARGV: who brings them, epoch, hash, then member and wrap by turns. Returns g, s, time, or 0, 0, 0: no such rotation.
-- Atomic: what is there is not replaced, and what is added counts for the room's bytes.

local by, epoch = ARGV[1], tonumber(ARGV[2])
local refusal = open()
if refusal then return {refusal} end
local placement = matchingRotation(epoch, ARGV[3])
if not placement then return {'OK', 0, 0, 0} end
local added = 0
if less(room.tg, room.ts, placement.g, placement.s) then
  for i = 4, #ARGV, 2 do
    local who, wrap = ARGV[i], ARGV[i + 1]
    local mayAdd = (who == by or placement.sender == by) and isMember(who)
    if mayAdd and call('HSETNX', WRAPS, epoch .. ':' .. who, wrap) == 1 then
      added = added + #wrap
    end
  end
end
if added > 0 then
  placement.bytes = placement.bytes + added
  keepRotation(epoch, placement)
  call('HSET', META, 'bytes', room.bytes + added)
end
return {'OK', placement.g, placement.s, placement.time}
