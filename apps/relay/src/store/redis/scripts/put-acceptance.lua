-- include: lib/needs
-- writes: yes
--
-- ARGV: from, acceptance. Returns nothing more. Atomic: it stands with the offer that it accepts.

local from, acceptance = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
local known = call('HMGET', NEEDS, 'to', 'acceptance')
if known[1] ~= from then return {'BAD_ENTRY'} end
if known[2] == acceptance then return {'OK'} end
call('HSET', NEEDS, 'acceptance', acceptance)
event(ACCEPTANCE, from)
return {'OK'}
