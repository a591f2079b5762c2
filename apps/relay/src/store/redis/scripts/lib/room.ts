/** The room's own record, and who a key is to it. */
import type { Part } from '../../connection/script.js';
import { base } from './base.js';

/**
 * open() loads the room and answers nil or a refusal. A server that is not the one that wrote last (another
 * primary, or the same after a start) may lack the end of the log: then a new generation begins
 * (docs/protocol.md section 6), before anything else happens in the room.
 */
export const room: Part = {
  keys: ['meta', 'gens'],
  needs: [base],
  lua: `
local room
local NUMBERS = {'state', 'epoch', 'eg', 'es', 'em', 'len', 'g', 's', 'tg', 'ts', 'used', 'history', 'entries', 'bytes', 'owed', 'wraps', 'settings'}
local function load()
  local flat = call('HGETALL', META)
  if #flat == 0 then return 'ROOM_UNKNOWN' end
  room = {}
  for i = 1, #flat, 2 do room[flat[i]] = flat[i + 1] end
  for _, name in ipairs(NUMBERS) do room[name] = tonumber(room[name]) end
  if room.state ~= 0 then return 'ROOM_CLOSED' end
end
local function server()
  return string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
end
local function open()
  local refusal = load()
  if refusal then return refusal end
  local replid = server()
  if room.replid == replid then return end
  local g = math.max(room.g + 1, now)
  local start = pack('>I6I6I6', g, room.g, room.s)
  call('ZADD', GENS, g, start)
  call('HSET', META, 'g', g, 'replid', replid)
  event(GENERATION, start)
  room.g, room.replid = g, replid
end
-- A member's use puts the room's expiry off; to the hour, so that reading seldom writes.
local function touch()
  if now - room.used >= 3600000 then
    call('HSET', META, 'used', now)
    room.used = now
  end
end
local function facts()
  return {room.owner, room.epoch, room.eg, room.es, room.em, room.head, room.len, room.g, room.s,
    room.tg, room.ts, room.tt or false, room.state}
end
`,
};

/** A member's record: st(anding), n (order of admission), floor, acknowledged position, prekey number, what it was gone at. */
export const people: Part = {
  keys: ['members'],
  needs: [room],
  lua: `
local MEMBER, LEAVING, REMOVED, LEFT = 1, 2, 3, 4
local function member(who)
  local raw = call('HGET', MEMBERS, who)
  if raw then return cmsgpack.unpack(raw) end
end
-- One that may act: not one that is leaving.
local function isMember(who)
  local known = member(who)
  return known ~= nil and known.st == MEMBER
end
local function keep(who, record)
  call('HSET', MEMBERS, who, cmsgpack.pack(record))
end
local function addMember(who, g, s)
  keep(who, {st = MEMBER, n = call('HLEN', MEMBERS), fg = g, fs = s, ag = g, as = s, k = 0})
end
-- Roles as events have them.
local ROLE = {stranger = 0, joiner = 1, member = 2, owner = 3, departed = 4}
local function standing(who, role)
  event(STANDING, who .. string.char(ROLE[role]))
end
`,
};
