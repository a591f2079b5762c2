-- include: lib/people, lib/invites
-- writes: no
--
-- ARGV: member. Returns the facts and the role. Atomic: both are of one moment.

local who = ARGV[1]
local refusal = open()
if refusal == 'ROOM_UNKNOWN' or (refusal and room.state ~= 1) then return {refusal} end
local known = member(who)
-- A room that its owner closed: only who was a member learns that it was one.
if refusal and not known then return {refusal} end
local role
if not known then
  role = claimed(who) and 'joiner' or 'stranger'
elseif refusal or known.st ~= MEMBER then
  role = 'departed'
else
  role = room.owner == who and 'owner' or 'member'
end
return {'OK', facts(), role}
