-- include: lib/people, lib/needs
-- writes: yes
--
-- ARGV: from, to, request, grant, news. Returns nothing more. Atomic: it answers the request that stands.

-- Answers to one request: the owner's may be answered by anybody, and each is large.
local MOST_GRANTS = 16

local from, to, grant = ARGV[1], ARGV[2], pack('>I4', #ARGV[4]) .. ARGV[4] .. ARGV[5]
local refusal = open()
if refusal then return {refusal} end
if not isMember(from) then return {'FORBIDDEN'} end
if call('HGET', NEEDS, to) ~= ARGV[3] then return {'BAD_ENTRY'} end
local list, known = answered(to), call('HGET', GRANTS, to .. from)
if known and string.sub(known, 1, 4 + #ARGV[4]) == string.sub(grant, 1, 4 + #ARGV[4]) then return {'OK'} end
if not known then
  if #list >= MOST_GRANTS * ID then return {'BAD_ENTRY'} end
  call('HSET', NEEDS, 'a' .. to, list .. from)
end
call('HSET', GRANTS, to .. from, grant)
event(KEYGRANT, to .. from)
return {'OK'}
