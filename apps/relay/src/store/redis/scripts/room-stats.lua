-- include: lib/people, lib/invites
-- writes: no
--
-- Returns state, epoch, chain, tip, trimmed, entries, bytes, history, used,
-- then members by standing, open invites, claims.

if load() == 'ROOM_UNKNOWN' then return {'ROOM_UNKNOWN'} end
local count = {0, 0, 0, 0}
for _, raw in ipairs(call('HVALS', MEMBERS)) do
  local known = cmsgpack.unpack(raw)
  count[known.st] = count[known.st] + 1
end
local openInvites, pending = 0, 0
eachInvite(function(_, row)
  if row.state == 'open' and row.expires > now then openInvites = openInvites + 1 end
  if row.state == 'claimed' then pending = pending + 1 end
end)
return {'OK', room.state, room.epoch, room.len, room.g, room.s, room.tg, room.ts, room.entries, room.bytes,
  room.history, room.used, count[MEMBER], count[LEAVING], count[REMOVED] + count[LEFT], openInvites, pending}
