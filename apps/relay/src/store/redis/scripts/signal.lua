-- include: lib/people
-- writes: no
--
-- ARGV: sender, epoch, payload. Stores nothing but that the room is in use.

local epoch = tonumber(ARGV[2])
local refusal = open()
if refusal then return {refusal} end
if not isMember(ARGV[1]) then return {'FORBIDDEN'} end
if epoch ~= room.epoch then return {'STALE_EPOCH'} end
touch()
event(SIGNAL, ARGV[1] .. pack('>I6', epoch) .. ARGV[3])
return {'OK'}
