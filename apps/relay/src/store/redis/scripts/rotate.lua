-- include: lib/rotations
-- writes: yes
--
-- ARGV: signer, head, then the rotation. Returns g, s, time.
-- Atomic: comparison of head and epoch, entry, wraps.

local refusal = open()
if refusal then return {refusal} end
local signer, head, epoch = ARGV[1], ARGV[2], tonumber(ARGV[3])
local placement = matchingRotation(epoch, ARGV[4])
if placement then
  tellTip()
  return {'OK', placement.g, placement.s, placement.time}
end
if room.owner ~= signer or room.head ~= head then return {'STALE_HEAD'} end
refusal = epochRefusal(epoch - 1)
if refusal then return {refusal} end
local entry = placeRotation(signer, 3)
call('HSET', META, 'owed', 0)
return {'OK', entry.g, entry.s, now}
