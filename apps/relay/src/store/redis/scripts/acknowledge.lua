-- include: lib/people
-- writes: no
--
-- ARGV: member, g, s. Atomic: never back, never beyond the tip.

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
