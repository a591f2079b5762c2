-- include: lib/content
-- limits: hashBytes
-- writes: yes
--
-- Returns nothing more. Atomic: the id alone stays, so that a restore brings nothing back.

if load() == 'ROOM_UNKNOWN' then return {'ROOM_UNKNOWN'} end
if room.state == 2 then return {'OK'} end
call('UNLINK', unpack(CONTENT))
call('HDEL', META, 'tt')
call('HSET', META, 'state', 2, 'owner', '', 'head', string.rep('\0', LIMITS.hashBytes), 'epoch', 1, 'em', 0, 'len', 0,
  'entries', 0, 'bytes', 0, 'used', now)
event(CLOSED, '')
return {'OK'}
