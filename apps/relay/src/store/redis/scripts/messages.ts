/** Scripts: messages, leave requests, acknowledgements, signals. */
import { script } from '../connection/script.js';
import { departures, log } from './lib/log.js';
import { people } from './lib/room.js';

/**
 * ARGV: sender, tokens per second, burst, then epoch, clear, payload and id of each message.
 * Returns the refusal that ended the prefix or '', milliseconds to wait, then g, s, time of each.
 * Atomic: membership, repetition, rate, epoch, places, publication.
 *
 * SENT: 'sender id' of each message in the log, and of the last 32 of each sender that were trimmed: where it
 * stands; the sender alone: ids of those trimmed; 'b' and the sender: its bucket, tokens and when they were counted.
 */
export const append = script({
  name: 'append',
  writes: true,
  parts: [people, log],
  keys: ['sent'],
  body: `
local sender, perSecond, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local refusal = open()
if refusal then return {refusal} end
if not isMember(sender) then return {'FORBIDDEN'} end
local tokens = tokensIn(call('HGET', SENT, 'b' .. sender), perSecond, burst)
local places, entries, fresh, refused, wait, taken = {}, {}, {}, '', 0, false
for i = 4, #ARGV, 4 do
  local epoch, which = tonumber(ARGV[i]), ARGV[i + 3]
  local stands = fresh[which]
  if not stands then
    local raw = call('HGET', SENT, sender .. which)
    if raw then
      local g, s, sent = struct.unpack('>I6I6I6', raw)
      stands = {g = g, s = s, time = sent}
    end
  end
  if not stands then
    if tokens < 1 then
      refused, wait = 'RATE_LIMITED', untilToken(tokens, perSecond)
      break
    end
    tokens, taken = tokens - 1, true
    if epoch ~= room.epoch then
      refused = epoch < room.epoch and 'STALE_EPOCH' or 'EPOCH_AHEAD'
      break
    end
    stands = {kind = MESSAGE, sender = sender, clear = ARGV[i + 1], payload = ARGV[i + 2], id = which, time = now}
    entries[#entries + 1] = stands
    fresh[which] = stands
  end
  places[#places + 1] = stands
end
if #entries > 0 then
  place(entries)
else
  touch()
end
if taken then
  local sent = {'b' .. sender, bucketOf(tokens)}
  for i, entry in ipairs(entries) do
    sent[2 * i + 1], sent[2 * i + 2] = sender .. entry.id, pack('>I6I6I6', entry.g, entry.s, now)
  end
  call('HSET', SENT, unpack(sent))
end
local answer = {'OK', refused, wait}
for _, stands in ipairs(places) do
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3] = stands.g, stands.s, stands.time
end
return answer
`,
});

/** ARGV: member, request. Returns g, s, time. Atomic: the request is in the log and its member is cut, or neither. */
export const leave = script({
  name: 'leave',
  writes: true,
  parts: [departures],
  body: `
local who, request = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
local known = member(who)
if known and known.st == LEAVING then
  local stands = farewell(who)
  if stands then
    local g, s = struct.unpack('>I6I6', stands)
    local sent = struct.unpack('>I6', stands, 36)
    return {'OK', g, s, sent}
  end
end
if not known or known.st ~= MEMBER or room.owner == who then return {'FORBIDDEN'} end
local entry = {kind = LEAVE, sender = who, clear = '', payload = request}
place({entry})
keepFarewell(who, entry, request)
depart(who, known, LEAVING)
return {'OK', entry.g, entry.s, now}
`,
});

/** ARGV: member, g, s. Atomic: never back, never beyond the tip. */
export const acknowledge = script({
  name: 'acknowledge',
  writes: false,
  parts: [people],
  body: `
local who, g, s = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local refusal = open()
if refusal then return {refusal} end
local known = member(who)
if not known or known.st ~= MEMBER then return {'FORBIDDEN'} end
touch()
if less(room.g, room.s, g, s) then g, s = room.g, room.s end
if less(known.ag, known.as, g, s) then
  known.ag, known.as = g, s
  keep(who, known)
end
return {'OK'}
`,
});

/** ARGV: member, connection. Stores nothing. */
export const announce = script({
  name: 'announce',
  writes: false,
  parts: [people],
  body: `
local refusal = open()
if refusal then return {refusal} end
if not isMember(ARGV[1]) then return {'FORBIDDEN'} end
event(LIVE, ARGV[1] .. ARGV[2])
return {'OK'}
`,
});

/** ARGV: sender, epoch, payload. Stores nothing but that the room is in use. */
export const signal = script({
  name: 'signal',
  writes: false,
  parts: [people],
  body: `
local epoch = tonumber(ARGV[2])
local refusal = open()
if refusal then return {refusal} end
if not isMember(ARGV[1]) then return {'FORBIDDEN'} end
if epoch ~= room.epoch then return {'STALE_EPOCH'} end
touch()
event(SIGNAL, ARGV[1] .. pack('>I6', epoch) .. ARGV[3])
return {'OK'}
`,
});
