/** Scripts: trimming, the end of rooms, what an operator may see (docs/protocol.md section 8). */
import { LIMITS } from '@0fc/protocol';
import { script } from '../connection/script.js';
import { invites } from './lib/invites.js';
import { chain, departures, log } from './lib/log.js';
import { people } from './lib/room.js';

/** Wraps that one trim takes away: a rotation has one for each member. */
const MOST_WRAPS = 20_000;
/** Bytes of a record beside clear and payload. */
const HEADER = 33;

/**
 * ARGV: history bytes, most entries, most bytes. Returns the edge's g, s and transcript or nothing,
 * starts of generations, entries; or nothing at all. Atomic: what may go is judged at one moment.
 */
export const readTrimmable = script({
  name: 'readTrimmable',
  writes: false,
  parts: [people, chain, log],
  body: `
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
    local size = #item[2][2] - ${HEADER}
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
    if not (beyond or done) or (#entries > 0 and (read > mostBytes or wraps > ${MOST_WRAPS})) then
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
`,
});

/**
 * ARGV: edge as it was g, s, new edge g, s, transcript there. Returns 1 or 0.
 * Atomic: the edge, the transcript, what goes, and what stays known as sent.
 */
export const trim = script({
  name: 'trim',
  writes: true,
  parts: [people, log, chain],
  keys: ['sent', 'wraps'],
  body: `
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
    gone, bytes, from = gone + 1, bytes + #text - ${HEADER}, '(' .. item[1]
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
-- The last of each sender stay known: it may repeat them, not having heard of their places.
for sender, ids in pairs(senders) do
  local all = (call('HGET', SENT, sender) or '') .. table.concat(ids)
  local most = ${LIMITS.appendMessages} * ${LIMITS.hashBytes}
  local forgotten = {}
  while #all > most do
    forgotten[#forgotten + 1] = sender .. string.sub(all, 1, ${LIMITS.hashBytes})
    all = string.sub(all, ${LIMITS.hashBytes + 1})
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
`,
});

const CONTENT = 'PREKEYS, LOG, SENT, CHAIN, WRAPS, GENS, INVITES, JOINS, NEEDS, GRANTS, MEMBERS, FAREWELLS';

/** ARGV: idle since (Unix ms). Returns 1 or 0. Atomic: it is still idle. UNLINK frees by the side, whatever the size. */
export const expireRoom = script({
  name: 'expireRoom',
  writes: false,
  parts: [departures, invites],
  keys: ['sent'],
  body: `
if load() == 'ROOM_UNKNOWN' or room.used > tonumber(ARGV[1]) then return {'OK', 0} end
call('UNLINK', META, ${CONTENT})
if room.state == 0 then event(CLOSED, '') end
return {'OK', 1}
`,
});

/** Returns nothing more. Atomic: the id alone stays, so that a restore brings nothing back. */
export const eraseRoom = script({
  name: 'eraseRoom',
  writes: true,
  parts: [departures, invites],
  keys: ['sent'],
  body: `
if load() == 'ROOM_UNKNOWN' then return {'ROOM_UNKNOWN'} end
if room.state == 2 then return {'OK'} end
call('UNLINK', ${CONTENT})
call('HDEL', META, 'tt')
call('HSET', META, 'state', 2, 'owner', '', 'head', string.rep('\\0', ${LIMITS.hashBytes}), 'epoch', 1, 'em', 0, 'len', 0,
  'entries', 0, 'bytes', 0, 'used', now)
event(CLOSED, '')
return {'OK'}
`,
});

/** Returns state, epoch, chain, tip, trimmed, entries, bytes, history, used, then members by standing, open invites, claims. */
export const roomStats = script({
  name: 'roomStats',
  writes: false,
  parts: [people, invites],
  body: `
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
return {'OK', room.state, room.epoch, room.len, room.g, room.s, room.tg, room.ts, room.entries, room.bytes, room.history,
  room.used, count[MEMBER], count[LEAVING], count[REMOVED] + count[LEFT], openInvites, pending}
`,
});
