/** How entries come into the log and onto the feed. */
import type { Part } from '../../connection/script.js';
import { FEED_BYTES } from './base.js';
import { people, room } from './room.js';

/**
 * A record is kind, sender, time, length of clear, clear, payload: the log's, the feed's and a farewell's alike.
 * place(entries) gives each of them g and s; wraps come as {member, wrap, member, wrap, ...}.
 */
export const log: Part = {
  keys: ['log'],
  needs: [room],
  lua: `
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
  if #body > ${FEED_BYTES} then event(TIP, at(room.g, s)) else event(ENTRIES, body) end
end
`,
};

/** The chain: containers by their number, where each head stands ('h' and the head), rotations by epoch ('r' and the epoch). */
export const chain: Part = {
  keys: ['chain'],
  needs: [room],
  lua: `
local function headStands(head)
  local raw = call('HGET', CHAIN, 'h' .. head)
  if not raw then return end
  local g, s, time = struct.unpack('>I6I6I6', raw)
  return {g = g, s = s, time = time}
end
local function addToChain(index, head, g, s, container)
  call('HSET', CHAIN, index, container, 'h' .. head, pack('>I6I6I6', g, s, now))
end
-- Of a closed room: what proves its end to who was in it, and nothing of its rotations.
local function keepChainAlone()
  local kept = {}
  for index = 0, room.len - 1 do
    local container = call('HGET', CHAIN, index)
    if container then
      kept[#kept + 1] = index
      kept[#kept + 1] = container
    end
  end
  call('UNLINK', CHAIN)
  each('HSET', CHAIN, kept)
end
local function rotation(epoch)
  local raw = call('HGET', CHAIN, 'r' .. epoch)
  if raw then return cmsgpack.unpack(raw) end
end
local function rotationStands(epoch, hash)
  local known = rotation(epoch)
  if known and known.hash == hash then return known end
end
local function keepRotation(epoch, known)
  call('HSET', CHAIN, 'r' .. epoch, cmsgpack.pack(known))
end
-- The last rotation, as its record: it outlives its place in the log.
local function lastRotation()
  return call('HGET', CHAIN, 'rotation')
end
local function keepLastRotation(text)
  call('HSET', CHAIN, 'rotation', text)
end
local function epochRefusal(epoch)
  if epoch < room.epoch then return 'STALE_EPOCH' end
  if epoch > room.epoch then return 'EPOCH_AHEAD' end
end
`,
};

/** Requests for a key by their member, who has answered ('a' and the member), and the one offer of the room. */
export const needs: Part = {
  keys: ['needs', 'grants'],
  needs: [room],
  lua: `
local ID = 22
local function has(list, who)
  for i = 1, #list, ID do
    if string.sub(list, i, i + ID - 1) == who then return true end
  end
  return false
end
local function answered(who)
  return call('HGET', NEEDS, 'a' .. who) or ''
end
local function dropGrants(to)
  local list = answered(to)
  for i = 1, #list, ID do
    call('HDEL', GRANTS, to .. string.sub(list, i, i + ID - 1))
  end
  call('HDEL', NEEDS, 'a' .. to)
end
local function dropNeed(who)
  dropGrants(who)
  call('HDEL', NEEDS, who)
end
-- Answers of somebody who has gone: what was asked is open again.
local function dropAnswers(from)
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID + 1 then
      local list = call('HGET', NEEDS, field)
      if has(list, from) then
        local left = {}
        for i = 1, #list, ID do
          local granter = string.sub(list, i, i + ID - 1)
          if granter ~= from then left[#left + 1] = granter end
        end
        call('HSET', NEEDS, field, table.concat(left))
        call('HDEL', GRANTS, string.sub(field, 2) .. from)
      end
    end
  end
end
-- What was granted was the key of the epoch that has just ended.
local function endGrants()
  for _, field in ipairs(call('HKEYS', NEEDS)) do
    if #field == ID + 1 then
      if call('HGET', NEEDS, field) ~= '' then call('HDEL', NEEDS, string.sub(field, 2)) end
      call('HDEL', NEEDS, field)
    end
  end
  call('UNLINK', GRANTS)
end
local function dropOffer()
  call('HDEL', NEEDS, 'to', 'offer', 'acceptance')
end
local function dropOfferTo(who)
  if call('HGET', NEEDS, 'to') == who then dropOffer() end
end
`,
};

/** Rotations and departures: what both do to the members' keys. */
export const rotations: Part = {
  keys: ['wraps'],
  needs: [people, log, chain, needs],
  lua: `
-- room.wraps is the first epoch that may still have any.
local function dropWraps(who)
  local fields = {}
  for epoch = room.wraps, room.epoch do fields[#fields + 1] = epoch .. ':' .. who end
  each('HDEL', WRAPS, fields)
end
-- From ARGV[first] on: new epoch, hash, clear, payload, then member and wrap by turns.
local function placeRotation(sender, first)
  local epoch = tonumber(ARGV[first])
  local entry = {kind = ROTATION, sender = sender, clear = ARGV[first + 2], payload = ARGV[first + 3], epoch = epoch, wraps = {}}
  local fields = {}
  for i = first + 4, #ARGV, 2 do
    -- A leaver is on the roster, so it has a wrap; but nobody is there to be handed it.
    if isMember(ARGV[i]) then
      local n = #fields
      entry.wraps[n + 1], entry.wraps[n + 2] = ARGV[i], ARGV[i + 1]
      fields[n + 1], fields[n + 2] = epoch .. ':' .. ARGV[i], ARGV[i + 1]
    end
  end
  place({entry})
  keepLastRotation(record(ROTATION, sender, entry.clear, entry.payload))
  keepRotation(epoch, {hash = ARGV[first + 1], g = entry.g, s = entry.s, time = now, bytes = entry.weight, sender = sender})
  each('HSET', WRAPS, fields)
  call('HSET', META, 'epoch', epoch, 'eg', entry.g, 'es', entry.s, 'em', 0)
  room.epoch, room.eg, room.es, room.em = epoch, entry.g, entry.s, 0
  endGrants()
  return entry
end
`,
};

/** What the departed are served, kept apart from the log because it outlives it (docs/protocol.md section 4). */
export const departures: Part = {
  keys: ['farewells', 'prekeys'],
  needs: [rotations],
  lua: `
local function farewell(who)
  return call('HGET', FAREWELLS, who) or call('HGET', FAREWELLS, '*')
end
local function keepFarewell(who, entry, payload)
  call('HSET', FAREWELLS, who, at(entry.g, entry.s) .. record(entry.kind, entry.sender, '', payload))
end
local function depart(who, known, how)
  known.st, known.ge, known.gh, known.gl = how, room.epoch, room.head, room.len
  keep(who, known)
  dropWraps(who)
  dropNeed(who)
  dropOfferTo(who)
  standing(who, 'departed')
end
-- A leaver is a member again; false: it is not one that is leaving. It asked in a log that had lost its
-- own ownership, and whoever asks first would keep that from coming back.
local function stay(who)
  local known = member(who)
  if not known or known.st ~= LEAVING then return false end
  known.st, known.ge, known.gh, known.gl = MEMBER, nil, nil, nil
  keep(who, known)
  call('HDEL', FAREWELLS, who)
  return true
end
`,
};
