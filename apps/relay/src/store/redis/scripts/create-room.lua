-- include: lib/people, lib/log, lib/chain
-- writes: yes
--
-- ARGV: genesis, head, owner, history, restored (1 or 0), version of the protocol. Returns g, s, time.
-- Atomic: room, chain, member and entry 0 are there together, or the one that was there before stands.

local genesis, head, owner = ARGV[1], ARGV[2], ARGV[3]
local refusal = open()
if refusal == 'ROOM_CLOSED' then return {refusal} end
if not refusal then
  local placement = headPlacement(head)
  if not placement then return {'ROOM_EXISTS'} end
  return {'OK', placement.g, placement.s, placement.time}
end
-- A room that was brought back is of no server: its first use begins a generation.
call('HSET', META, 'state', 0, 'owner', owner, 'epoch', 1, 'eg', 1, 'es', 0, 'em', 0, 'head', head, 'len', 1,
  'g', 1, 's', 0, 'tg', 1, 'ts', 0, 'replid', ARGV[5] == '1' and '' or server(), 'used', now, 'history', ARGV[4],
  'entries', 1, 'bytes', #genesis, 'owed', 0, 'wraps', 2, 'version', ARGV[6])
addMember(owner, 1, 0)
addToChain(0, head, 1, 0, genesis)
call('XADD', LOG, id(1, 0), 'e', record(ROSTER, owner, '', genesis))
return {'OK', 1, 0, now}
