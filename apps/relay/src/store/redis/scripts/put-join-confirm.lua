-- include: lib/invites
-- writes: yes
--
-- ARGV: invite, member, epoch, confirm. Returns the join's state. Atomic: it replaces an earlier one.

local which, who, epoch, confirm = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local refusal = open()
if refusal then return {refusal} end
local row = running(which, who)
if not row then return {'INVITE_UNKNOWN'} end
if not row.re or epoch > row.re then return {'BAD_ENTRY'} end
if row.ce ~= epoch or call('HGET', JOINS, which .. ':c') ~= confirm then
  call('HSET', JOINS, which .. ':c', confirm)
  row.ce, row.ct = epoch, now
  keepInvite(which, row)
  joinChanged(which, who)
end
return {'OK', stateOf(which, row)}
