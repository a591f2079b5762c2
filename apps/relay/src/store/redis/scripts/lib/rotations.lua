-- include: lib/people, lib/log, lib/chain, lib/needs
-- keys: wraps
--
-- Rotations and departures: what both do to the members' keys.

-- room.wraps is the first epoch that may still have any.
local function dropWraps(who)
  local fields = {}
  for epoch = room.wraps, room.epoch do fields[#fields + 1] = epoch .. ':' .. who end
  each('HDEL', WRAPS, fields)
end
-- From ARGV[first] on: new epoch, hash, clear, payload, then member and wrap by turns.
local function placeRotation(sender, first)
  local epoch = tonumber(ARGV[first])
  local clear, payload = ARGV[first + 2], ARGV[first + 3]
  local entry = {kind = ROTATION, sender = sender, clear = clear, payload = payload, epoch = epoch, wraps = {}}
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
  keepLastRotation(record(ROTATION, sender, clear, payload))
  local hash, g, s = ARGV[first + 1], entry.g, entry.s
  keepRotation(epoch, {hash = hash, g = g, s = s, time = now, bytes = entry.weight, sender = sender})
  each('HSET', WRAPS, fields)
  call('HSET', META, 'epoch', epoch, 'eg', entry.g, 'es', entry.s, 'em', 0)
  room.epoch, room.eg, room.es, room.em = epoch, entry.g, entry.s, 0
  endGrants()
  return entry
end
