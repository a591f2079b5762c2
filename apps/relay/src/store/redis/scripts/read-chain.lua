-- include: lib/people, lib/chain, lib/invites
-- writes: no
-- shows: log
--
-- ARGV: first index, how many, a departed member who reads no further than it was there, or a joiner who reads once it
-- was answered, or ''. Returns the length and the containers.

local who, refusal = ARGV[3], open()
if refusal and (who == '' or refusal == 'ROOM_UNKNOWN' or room.state ~= 1) then return {refusal} end
local length = room.len
if who ~= '' then
  local known = member(who)
  if not known and refusal then return {refusal} end
  if not known and not answered(who) then return {'FORBIDDEN'} end
  -- Who had gone before its place in the chain was kept is served none; a close ends it for all the others.
  if known then length = known.gl or (known.gh and 0) or room.len end
  -- Nor is anybody by a room that a version closed which kept no chain then.
  if refusal and call('EXISTS', CHAIN) == 0 then length = 0 end
end
local from, fields = tonumber(ARGV[1]), {}
for index = from, math.min(length, from + tonumber(ARGV[2])) - 1 do fields[#fields + 1] = index end
return {'OK', length, #fields > 0 and call('HMGET', CHAIN, unpack(fields)) or {}}
