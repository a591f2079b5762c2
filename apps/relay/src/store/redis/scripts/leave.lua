-- include: lib/departures
-- writes: yes
--
-- ARGV: member, request. Returns g, s, time. Atomic: the request is in the log and its member is cut, or neither.

local who, request = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
local known = member(who)
if known and known.st == LEAVING then
  local notice = departureNotice(who)
  if notice then
    local g, s = struct.unpack('>I6I6', notice)
    local sent = struct.unpack('>I6', notice, 36)
    return {'OK', g, s, sent}
  end
end
if not known or known.st ~= MEMBER or room.owner == who then return {'FORBIDDEN'} end
local entry = {kind = LEAVE, sender = who, clear = '', payload = request}
place({entry})
keepDepartureNotice(who, entry, request)
depart(who, known, LEAVING)
return {'OK', entry.g, entry.s, now}
