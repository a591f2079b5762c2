-- include: lib/room
-- keys: chain
--
-- The chain: containers by their number, the placement of each head ('h' and the head), rotations by epoch ('r' and
-- the epoch).

local function headPlacement(head)
  local raw = call('HGET', CHAIN, 'h' .. head)
  if not raw then return end
  local g, s, placed = struct.unpack('>I6I6I6', raw)
  return {g = g, s = s, time = placed}
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
local function matchingRotation(epoch, hash)
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
