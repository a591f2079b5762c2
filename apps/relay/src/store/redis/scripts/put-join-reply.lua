-- include: lib/invites
-- writes: yes
--
-- ARGV: invite, epoch, reply. Returns nothing more. Atomic: it replaces an earlier one, in the current epoch.

local which, epoch, reply = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local refusal = open()
if refusal then return {refusal} end
local row = invite(which)
if not row or row.state ~= 'claimed' or not row.q then return {'INVITE_UNKNOWN'} end
if row.re == epoch and call('HGET', JOINS, which .. ':r') == reply then return {'OK'} end
if epoch ~= room.epoch then return {epoch < room.epoch and 'STALE_EPOCH' or 'EPOCH_AHEAD'} end
call('HSET', JOINS, which .. ':r', reply)
row.re = epoch
keepInvite(which, row)
joinChanged(which, row.joiner)
return {'OK'}
