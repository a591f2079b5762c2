-- include: lib/people, lib/log, lib/chain
-- keys: sent, wraps
-- limits: appendMessages, hashBytes
-- writes: yes
--
-- ARGV: edge as it was g, s, new edge g, s, transcript there. Returns 1 or 0.
-- Atomic: the edge, the transcript, what goes, and what stays known as sent.

local fg, fs, g, s, t = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
-- A server without memory refuses a script's first write if it may take some: this one takes none.
call('XTRIM', LOG, 'MINID', '0-1')
local refusal = open()
if refusal then return {refusal} end
if room.tg == g and room.ts == s and room.tt then return {'OK', room.tt == t and 1 or 0} end
if room.tg ~= fg or room.ts ~= fs or not less(fg, fs, g, s) or less(room.g, room.s, g, s) then return {'OK', 0} end

local gone, bytes, senders, epochs = 0, 0, {}, {}
local from = '-'
while true do
  local piece = call('XRANGE', LOG, from, id(g, s), 'COUNT', 64)
  if #piece == 0 then break end
  for _, item in ipairs(piece) do
    local text, field, value = item[2][2], item[2][3], item[2][4]
    gone, bytes, from = gone + 1, bytes + #text - HEADER_BYTES, '(' .. item[1]
    if field == 'r' then
      epochs[#epochs + 1] = value
      bytes = bytes + rotation(value).bytes
    elseif field == 'i' then
      local sender = string.sub(text, 2, 23)
      senders[sender] = senders[sender] or {}
      table.insert(senders[sender], value)
    end
  end
end
-- The last of each sender stay known: it may repeat them where the answer with their positions was lost.
for sender, ids in pairs(senders) do
  local all = (call('HGET', SENT, sender) or '') .. table.concat(ids)
  local most = LIMITS.appendMessages * LIMITS.hashBytes
  local forgotten = {}
  while #all > most do
    forgotten[#forgotten + 1] = sender .. string.sub(all, 1, LIMITS.hashBytes)
    all = string.sub(all, LIMITS.hashBytes + 1)
  end
  each('HDEL', SENT, forgotten)
  call('HSET', SENT, sender, all)
end
local who = #epochs > 0 and call('HKEYS', MEMBERS) or {}
-- Those of the last rotation stay as long as it is the last one.
local kept = math.min(room.epoch, #epochs > 0 and epochs[#epochs] + 1 or room.wraps)
for epoch = room.wraps, kept - 1 do
  local fields = {}
  for i, one in ipairs(who) do fields[i] = epoch .. ':' .. one end
  each('HDEL', WRAPS, fields)
end
call('XTRIM', LOG, 'MINID', id(g, s + 1))
call('HSET', META, 'tg', g, 'ts', s, 'tt', t, 'entries', room.entries - gone, 'bytes', room.bytes - bytes)
call('HSET', META, 'wraps', math.max(room.wraps, kept))
return {'OK', 1}
