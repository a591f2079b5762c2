-- include: lib/invites
-- writes: yes
--
-- ARGV: invite. Returns nothing more. Atomic: the invite and its join end together.

local refusal = open()
if refusal then return {refusal} end
local row = invite(ARGV[1])
if row and (row.state == 'open' or row.state == 'claimed') then
  endInvite(ARGV[1], row, 'revoked', row.joiner and 'other')
end
return {'OK'}
