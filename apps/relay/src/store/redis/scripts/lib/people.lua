-- include: lib/room
-- keys: members
--
-- A member's record: st(anding), n (order of admission), fg and fs (floor), ag and as (acknowledged position), k
-- (prekey number); of the departed ge, gh and gl: epoch, head and length of the chain when they went.

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
local function publishRole(who, role)
  event(ROLE_EVENT, who .. string.char(ROLE[role]))
end
