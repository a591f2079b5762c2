-- include: lib/people, lib/needs
-- writes: yes
--
-- ARGV: from, to, request, grant, news. Returns nothing more. Atomic: it is the one answer to the request that stands.

local from, to, grant = ARGV[1], ARGV[2], pack('>I4', #ARGV[4]) .. ARGV[4] .. ARGV[5]
local refusal = open()
if refusal then return {refusal} end
if not isMember(from) then return {'FORBIDDEN'} end
if call('HGET', NEEDS, to) ~= ARGV[3] then return {'BAD_ENTRY'} end
if answeredBy(to) then
  local known, size = call('HGET', GRANTS, to .. from), 4 + #ARGV[4]
  return {known and string.sub(known, 1, size) == string.sub(grant, 1, size) and 'OK' or 'BAD_ENTRY'}
end
call('HSET', NEEDS, 'a' .. to, from)
call('HSET', GRANTS, to .. from, grant)
event(KEYGRANT, to .. from)
return {'OK'}
