-- include: lib/people, lib/log
-- keys: sent
-- writes: yes
--
-- ARGV: sender, tokens per second, burst, then epoch, clear, payload and id of each message.
-- Returns the refusal that ended the prefix or '', milliseconds to wait, then g, s, time of each.
-- Atomic: membership, repetition, rate, epoch, places, publication.
--
-- SENT: 'sender id' of each message in the log, and of the last 32 of each sender that were trimmed: where it
-- stands; the sender alone: ids of those trimmed; 'b' and the sender: its bucket, tokens and when they were counted.

local sender, perSecond, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local refusal = open()
if refusal then return {refusal} end
if not isMember(sender) then return {'FORBIDDEN'} end
-- What is known of each, and the bucket, in one call.
local asked = {'b' .. sender}
for i = 4, #ARGV, 4 do asked[#asked + 1] = sender .. ARGV[i + 3] end
local known = call('HMGET', SENT, unpack(asked))
local tokens = tokensIn(known[1], perSecond, burst)
local places, entries, fresh, refused, wait, taken = {}, {}, {}, '', 0, false
for i = 4, #ARGV, 4 do
  local epoch, which = tonumber(ARGV[i]), ARGV[i + 3]
  local placement = fresh[which]
  if not placement then
    local raw = known[i / 4 + 1]
    if raw then
      local g, s, sent = struct.unpack('>I6I6I6', raw)
      placement = {g = g, s = s, time = sent}
    end
  end
  if not placement then
    if tokens < 1 then
      refused, wait = 'RATE_LIMITED', untilToken(tokens, perSecond)
      break
    end
    tokens, taken = tokens - 1, true
    if epoch ~= room.epoch then
      refused = epoch < room.epoch and 'STALE_EPOCH' or 'EPOCH_AHEAD'
      break
    end
    placement = {kind = MESSAGE, sender = sender, clear = ARGV[i + 1], payload = ARGV[i + 2], id = which, time = now}
    entries[#entries + 1] = placement
    fresh[which] = placement
  end
  places[#places + 1] = placement
end
if #entries > 0 then
  place(entries)
else
  touch()
  if #places > 0 then tellTip() end
end
if taken then
  local sent = {'b' .. sender, bucketOf(tokens)}
  for i, entry in ipairs(entries) do
    sent[2 * i + 1], sent[2 * i + 2] = sender .. entry.id, pack('>I6I6I6', entry.g, entry.s, now)
  end
  call('HSET', SENT, unpack(sent))
end
local answer = {'OK', refused, wait}
for _, placement in ipairs(places) do
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3] = placement.g, placement.s, placement.time
end
return answer
