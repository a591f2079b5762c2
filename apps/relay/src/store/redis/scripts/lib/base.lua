-- keys: meta
--
-- The server's clock, positions, token buckets, and the room's feed: event(kind, body) adds an event, message() is all
-- of them as one, so that they arrive in the order of the log or not at all, and publish() sends it. Kinds and layouts
-- of events: feed/events.ts.

local call, pack = redis.call, struct.pack
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ENTRIES, GENERATION, ROLE_EVENT, LIVE, JOIN, NEEDKEY, KEYGRANT, OFFER, ACCEPTANCE, SIGNAL, CLOSED, TIP =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
local events = {}
local function event(kind, body)
  events[#events + 1] = pack('>BI4', kind, #body) .. body
end
local function message()
  return #events > 0 and '\1' .. table.concat(events) or ''
end
local function publish()
  if #events > 0 then call('SPUBLISH', string.sub(META, 1, -5) .. 'feed', message()) end
end
-- A position as bytes, and as the id of a stream's entry.
local function at(g, s) return pack('>I6I6', g, s) end
local function id(g, s) return string.format('%.0f-%.0f', g, s) end
local function less(g, s, h, t) return g < h or (g == h and s < t) end
-- Token buckets: what is left in a record of one, if there is any, milliseconds until there is a token, the record.
local function tokensIn(record, perSecond, burst)
  if not record then return burst end
  local tokens, counted = struct.unpack('>dI6', record)
  return math.min(burst, tokens + math.max(0, now - counted) / 1000 * perSecond)
end
local function untilToken(tokens, perSecond)
  return math.max(1, math.ceil((1 - tokens) / perSecond * 1000))
end
local function bucketOf(tokens) return pack('>dI6', tokens, now) end
-- Lua hands over a bounded number of arguments.
local MOST = 1000
local function each(command, key, list)
  for i = 1, #list, MOST do
    call(command, key, unpack(list, i, math.min(i + MOST - 1, #list)))
  end
end
