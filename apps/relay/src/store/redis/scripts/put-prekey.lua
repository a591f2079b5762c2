-- include: lib/people
-- keys: prekeys
-- writes: yes
--
-- ARGV: member, k, prekey. Returns nothing more. Atomic: k rises.

local who, k, prekey = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local refusal = open()
if refusal then return {refusal} end
local known = member(who)
if not known or known.st ~= MEMBER then return {'FORBIDDEN'} end
if k < known.k then return {'BAD_ENTRY'} end
if k == known.k then
  return {call('HGET', PREKEYS, who) == prekey and 'OK' or 'BAD_ENTRY'}
end
call('HSET', PREKEYS, who, prekey)
known.k = k
keep(who, known)
return {'OK'}
