-- include: lib/base
-- keys: meta, gens
--
-- open() loads the room and answers nil or a refusal. A server that is not the one that wrote last (another
-- primary, or the same after a start) may lack the end of the log: then a new generation begins
-- (docs/protocol.md section 6), before anything else happens in the room.

local room
local NUMBERS = {'state', 'epoch', 'eg', 'es', 'em', 'len', 'g', 's', 'tg', 'ts', 'used', 'history', 'entries', 'bytes',
  'owed', 'wraps', 'settings', 'version'}
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
-- What is repeated has been placed before. Where it is published after that, it may not have been: a relay ended
-- between, or replicas were missing. Whoever hears of the end of the log and has it does nothing.
local function tellTip()
  if HELD then event(TIP, at(room.g, room.s)) end
end
-- A member's use puts the room's expiry off; to the hour, so that reading seldom writes.
local function touch()
  if now - room.used >= 3600000 then
    call('HSET', META, 'used', now)
    room.used = now
  end
end
local function facts()
  return {room.version or 1, room.owner, room.epoch, room.eg, room.es, room.em, room.head, room.len, room.g, room.s,
    room.tg, room.ts, room.tt or false, room.state}
end
