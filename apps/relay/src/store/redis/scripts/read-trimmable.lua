-- include: lib/people, lib/chain, lib/log
-- writes: no
--
-- ARGV: history bytes, most entries, most bytes. Returns the edge's g, s and transcript or nothing,
-- starts of generations, entries; or nothing at all. Atomic: what may go is judged at one moment.

-- Wraps that one trim takes away: a rotation has one for each member.
local MOST_WRAPS = 20000

local historyBytes, mostEntries, mostBytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local refusal = open()
if refusal then return {refusal} end
-- How far every member has acknowledged; a leaver is not asked.
local ag, as
for _, raw in ipairs(call('HVALS', MEMBERS)) do
  local known = cmsgpack.unpack(raw)
  if known.st == MEMBER and (not ag or less(known.ag, known.as, ag, as)) then ag, as = known.ag, known.as end
end
local left, weight, read, wraps, entries = room.entries, room.bytes, 0, 0, {}
local members = call('HLEN', MEMBERS)
local from, g, s = '-', room.tg, room.ts
local stopped = false
-- The first by itself: mostly nothing may go, and payloads are read for nothing.
local count = 1
while not stopped and #entries < mostEntries do
  local piece = call('XRANGE', LOG, from, '+', 'COUNT', math.min(count, mostEntries - #entries))
  if #piece == 0 then break end
  for _, item in ipairs(piece) do
    local size = #item[2][2] - HEADER_BYTES
    local bytes = size
    if item[2][3] == 'r' then
      bytes = bytes + rotation(item[2][4]).bytes
      wraps = wraps + members
    end
    read = read + size
    local eg, es = string.match(item[1], '(%d+)-(%d+)')
    eg, es = tonumber(eg), tonumber(es)
    local beyond = left > room.history or weight > historyBytes
    local done = ag and not less(ag, as, eg, es) and less(eg, es, room.eg, room.es)
    if not (beyond or done) or (#entries > 0 and (read > mostBytes or wraps > MOST_WRAPS)) then
      stopped = true
      break
    end
    entries[#entries + 1] = {item[1], item[2][2]}
    g, s, left, weight, from = eg, es, left - 1, weight - bytes, '(' .. item[1]
  end
  count = 16
end
-- Genesis alone is no edge: (1,0) says that nothing is trimmed.
if not less(room.tg, room.ts, g, s) then return {'OK', false} end
return {'OK', {room.tg, room.ts, room.tt or false, call('ZRANGEBYSCORE', GENS, '(' .. room.tg, g), entries}}
