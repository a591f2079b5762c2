-- include: lib/room
-- writes: no
--
-- Returns g, s. Where a replica looks whether it has missed a publication.

local refusal = open()
if refusal then return {refusal} end
return {'OK', room.g, room.s}
