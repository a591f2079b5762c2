-- include: lib/departures
-- keys: prekeys
-- writes: no
-- shows: log
--
-- ARGV: member, g and s to read after ('' for from the floor on), most entries, most bytes, most generations.
-- Returns the role, then
--   of the departed: departure notice, head, epoch;
--   of others: facts, generations, the last rotation with its wrap if it is behind the edge, or nothing, entries with
--   wraps, end, the member's newest prekey or nothing.
-- Atomic: a page and the tip it is measured by are of one moment.

local who, mostEntries, mostBytes, mostGenerations = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local refusal = open()
if refusal == 'ROOM_UNKNOWN' or (refusal and room.state ~= 1) then return {refusal} end
local known = member(who)
if not known then return {refusal or 'FORBIDDEN'} end
if refusal or known.st ~= MEMBER then
  return {'OK', 'departed', departureNotice(who), known.gh or room.head, known.ge or room.epoch}
end
touch()

-- Starts of generations above one, each {generation, g, s, bytes}.
local function startsAfter(g, most)
  local starts = {}
  for i, raw in ipairs(call('ZRANGEBYSCORE', GENS, '(' .. g, '+inf', 'LIMIT', 0, most)) do
    local generation, fg, fs = struct.unpack('>I6I6I6', raw)
    starts[i] = {generation, fg, fs, raw}
  end
  return starts
end
-- Generations begun after a position, as far as no entry lies between them: a page never holds entries of two.
local function generationsAfter(g, s, most)
  local starts = startsAfter(g, most + 1)
  local first = starts[1]
  if not first then return {}, g, s end
  if less(g, s, first[2], first[3]) then return {}, g, s, first end
  local listed = {}
  for i, start in ipairs(starts) do
    if i > most or start[3] ~= first[3] then break end
    listed[i] = start
  end
  local last = listed[#listed] or first
  return listed, last[1], last[3], starts[#listed + 1]
end

local g, s = tonumber(ARGV[2]), tonumber(ARGV[3])
if not g then
  g, s = known.fg, known.fs - 1
elseif less(g, s, known.fg, known.fs) then
  -- A newcomer gets what came since the floor, whatever it asks for (section 8).
  g, s = known.fg, known.fs
end
-- The rotation that began the epoch, if this reader has yet to read it, and the log has it no more.
local rotated = false
if room.tt and less(g, s, room.eg, room.es) and not less(room.tg, room.ts, room.eg, room.es) then
  local text = lastRotation()
  if text then rotated = {id(room.eg, room.es), text, call('HGET', WRAPS, room.epoch .. ':' .. who)} end
end
local listed, upTo
if room.tt and less(g, s, room.tg, room.ts) then
  -- Behind the edge: on from there. Of generations that went only the first can have taken what this reader had.
  local gone = {}
  local first = startsAfter(g, 1)[1]
  if first and first[1] <= room.tg and less(first[2], first[3], g, s) then gone[1] = first end
  local behind, _, _, following = generationsAfter(room.tg, room.ts, 1)
  listed, g, s, upTo = gone, room.tg, room.ts, behind[1] or following
else
  listed, g, s, upTo = generationsAfter(g, s, mostGenerations)
end

local entries, bytes, more, full = {}, 0, false, false
local from = s < 0 and id(g, 0) or '(' .. id(g, s)
local to = upTo and id(upTo[2], upTo[3]) or '+'
while not full do
  -- By pieces: bytes may end the page long before its entries do.
  local count = math.min(32, mostEntries + 1 - #entries)
  local piece = call('XRANGE', LOG, from, to, 'COUNT', count)
  for _, item in ipairs(piece) do
    local text, wrap = item[2][2], false
    if item[2][3] == 'r' then wrap = call('HGET', WRAPS, item[2][4] .. ':' .. who) end
    bytes = bytes + #text - HEADER_BYTES + (wrap and #wrap or 0)
    if #entries == mostEntries or (#entries > 0 and bytes > mostBytes) then
      more, full = true, true
      break
    end
    entries[#entries + 1] = {item[1], text, wrap}
    from = '(' .. item[1]
  end
  if #piece < count then full = true end
end
local starts = {}
for i, start in ipairs(listed) do starts[i] = start[4] end
return {'OK', room.owner == who and 'owner' or 'member', facts(), starts, rotated, entries, (upTo or more) and 0 or 1,
  call('HGET', PREKEYS, who)}
