-- include: lib/content
-- writes: no
--
-- ARGV: idle since (Unix ms). Returns 1 or 0. Atomic: it is still idle. UNLINK frees by the side, whatever the size.

if load() == 'ROOM_UNKNOWN' or room.used > tonumber(ARGV[1]) then return {'OK', 0} end
call('UNLINK', META, unpack(CONTENT))
if room.state == 0 then event(CLOSED, '') end
return {'OK', 1}
