/** Scripts: a room's beginning, and what it is. */
import { script } from '../connection/script.js';
import { invites } from './lib/invites.js';
import { chain, departures, log } from './lib/log.js';
import { people, room } from './lib/room.js';

/**
 * ARGV: genesis, head, owner, history, restored (1 or 0). Returns g, s, time.
 * Atomic: room, chain, member and entry 0 are there together, or the one that was there before stands.
 */
export const createRoom = script({
  name: 'createRoom',
  writes: true,
  parts: [people, log, chain],
  body: `
local genesis, head, owner = ARGV[1], ARGV[2], ARGV[3]
local refusal = open()
if refusal == 'ROOM_CLOSED' then return {refusal} end
if not refusal then
  local stands = headStands(head)
  if not stands then return {'ROOM_EXISTS'} end
  return {'OK', stands.g, stands.s, stands.time}
end
-- A room that was brought back is of no server: its first use begins a generation.
call('HSET', META, 'state', 0, 'owner', owner, 'epoch', 1, 'eg', 1, 'es', 0, 'em', 0, 'head', head, 'len', 1,
  'g', 1, 's', 0, 'tg', 1, 'ts', 0, 'replid', ARGV[5] == '1' and '' or server(), 'used', now, 'history', ARGV[4],
  'entries', 1, 'bytes', #genesis, 'owed', 0, 'wraps', 2)
addMember(owner, 1, 0)
addToChain(0, head, 1, 0, genesis)
call('XADD', LOG, id(1, 0), 'e', record(ROSTER, owner, '', genesis))
return {'OK', 1, 0, now}
`,
});

/** ARGV: member. Returns the facts and the role. Atomic: both are of one moment. */
export const readRoom = script({
  name: 'readRoom',
  writes: false,
  parts: [people, invites],
  body: `
local who = ARGV[1]
local refusal = open()
if refusal == 'ROOM_UNKNOWN' or (refusal and room.state ~= 1) then return {refusal} end
local known = member(who)
-- A room that its owner closed: only who was a member learns that it was one.
if refusal and not known then return {refusal} end
local role
if not known then
  role = claimed(who) and 'joiner' or 'stranger'
elseif refusal or known.st ~= MEMBER then
  role = 'departed'
else
  role = room.owner == who and 'owner' or 'member'
end
return {'OK', facts(), role}
`,
});

/** Returns g, s. Where a replica looks whether it has missed a publication. */
export const readTip = script({
  name: 'readTip',
  writes: false,
  parts: [room],
  body: `
local refusal = open()
if refusal then return {refusal} end
return {'OK', room.g, room.s}
`,
});

/**
 * ARGV: member, g and s to read after ('' for from the floor on), most entries, most bytes, most generations.
 * Returns the role, then for the departed: farewell, head, epoch; else: facts, generations, the last rotation
 * with its wrap if it is behind the edge, or nothing, entries with wraps, end, the member's newest prekey or nothing. Atomic: a page and the tip it is measured by are of one moment.
 */
export const readLog = script({
  name: 'readLog',
  writes: false,
  parts: [departures],
  body: `
local who, mostEntries, mostBytes, mostGenerations = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local refusal = open()
if refusal == 'ROOM_UNKNOWN' or (refusal and room.state ~= 1) then return {refusal} end
local known = member(who)
if not known then return {refusal or 'FORBIDDEN'} end
if refusal or known.st ~= MEMBER then
  return {'OK', 'departed', farewell(who), known.gh or room.head, known.ge or room.epoch}
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
    bytes = bytes + #text - 33 + (wrap and #wrap or 0)
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
return {'OK', room.owner == who and 'owner' or 'member', facts(), starts, rotated, entries, (upTo or more) and 0 or 1, call('HGET', PREKEYS, who)}
`,
});

/**
 * ARGV: first index, how many, a departed member who reads no further than it was there, or ''. Returns the length and
 * the containers.
 */
export const readChain = script({
  name: 'readChain',
  writes: false,
  parts: [people, chain],
  body: `
local who, refusal = ARGV[3], open()
if refusal and (who == '' or refusal == 'ROOM_UNKNOWN' or room.state ~= 1) then return {refusal} end
local length = room.len
if who ~= '' then
  local known = member(who)
  if not known and refusal then return {refusal} end
  -- Who had gone before its place in the chain was kept is served none; a close ends it for all the others.
  length = known and (known.gl or (known.gh and 0) or room.len) or 0
  -- Nor is anybody by a room that a version closed which kept no chain then.
  if refusal and call('EXISTS', CHAIN) == 0 then length = 0 end
end
local from, fields = tonumber(ARGV[1]), {}
for index = from, math.min(length, from + tonumber(ARGV[2])) - 1 do fields[#fields + 1] = index end
return {'OK', length, #fields > 0 and call('HMGET', CHAIN, unpack(fields)) or {}}
`,
});
