-- include: lib/room
-- keys: log
--
-- A record is kind, sender, time, length of clear, clear, payload: in the log, in the feed, as departure notice.
-- place(entries) gives each of them g and s; wraps come as {member, wrap, member, wrap, ...}.

-- Bytes of a publication: beyond them readers are directed to the log instead.
local FEED_BYTES = 524288
-- Bytes of a record beside clear and payload.
local HEADER_BYTES = 33
local MESSAGE, ROTATION, ROSTER, LEAVE = 1, 2, 3, 4
local function record(kind, sender, clear, payload)
  return string.char(kind) .. sender .. pack('>I6I4', now, #clear) .. clear .. payload
end
local function place(entries)
  local s, bytes, parts = room.s, 0, {}
  for _, entry in ipairs(entries) do
    s = s + 1
    entry.g, entry.s = room.g, s
    if entry.kind == MESSAGE then room.em = room.em + 1 end
    local text = record(entry.kind, entry.sender, entry.clear, entry.payload)
    if entry.id then
      call('XADD', LOG, id(room.g, s), 'e', text, 'i', entry.id)
    elseif entry.epoch then
      call('XADD', LOG, id(room.g, s), 'e', text, 'r', entry.epoch)
    else
      call('XADD', LOG, id(room.g, s), 'e', text)
    end
    local wraps, size = {}, 0
    for i = 1, #(entry.wraps or {}), 2 do
      local wrap = entry.wraps[i + 1]
      size = size + #wrap
      wraps[#wraps + 1] = entry.wraps[i] .. pack('>I2', #wrap) .. wrap
    end
    entry.weight = size
    bytes = bytes + #entry.clear + #entry.payload + size
    parts[#parts + 1] = at(room.g, s) .. pack('>I4', #text) .. text .. pack('>I2', #wraps) .. table.concat(wraps)
  end
  room.s, room.entries, room.bytes, room.used = s, room.entries + #entries, room.bytes + bytes, now
  call('HSET', META, 's', s, 'em', room.em, 'entries', room.entries, 'bytes', room.bytes, 'used', now)
  local body = table.concat(parts)
  if #body > FEED_BYTES then event(TIP, at(room.g, s)) else event(ENTRIES, body) end
end
