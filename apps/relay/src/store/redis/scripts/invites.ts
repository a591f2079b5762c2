/** Scripts: invitations and joins (docs/protocol.md section 5). */
import { LIMITS } from '@0fc/protocol';
import { script } from '../connection/script.js';
import { invites } from './lib/invites.js';
import { people } from './lib/room.js';

/** Rows of a room, tombstones included; and how many of them go in one step. */
const MOST_ROWS = 1_024;
const PRUNED = 64;

/**
 * ARGV: invite, expires, most open. Returns nothing more. Atomic: the count and the new row.
 * Tombstones go one invite's longest life after they have expired: until then EXPIRED is told.
 */
export const registerInvite = script({
  name: 'registerInvite',
  writes: true,
  parts: [invites],
  body: `
local which, expires, mostOpen = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local refusal = open()
if refusal then return {refusal} end
local rows, running, pruned = 0, 0, 0
eachInvite(function(other, row)
  if row.state ~= 'claimed' and row.expires < now - ${LIMITS.inviteLifetimeMs} and pruned < ${PRUNED} then
    pruned = pruned + 1
    call('HDEL', INVITES, other)
    call('HDEL', JOINS, other .. ':q', other .. ':r', other .. ':c')
  else
    rows = rows + 1
    if row.state == 'claimed' or (row.state == 'open' and row.expires > now) then running = running + 1 end
  end
end)
local row = invite(which)
if row then
  if (row.state == 'open' or row.state == 'claimed') and row.expires == expires then return {'OK'} end
  return {'BAD_ENTRY'}
end
if expires <= now or expires > now + ${LIMITS.inviteLifetimeMs} then return {'BAD_ENTRY'} end
if running >= mostOpen or rows >= ${MOST_ROWS} then return {'INVITE_LIMIT'} end
keepInvite(which, {state = 'open', expires = expires})
return {'OK'}
`,
});

/** ARGV: invite. Returns nothing more. Atomic: the invite and its join end together. */
export const revokeInvite = script({
  name: 'revokeInvite',
  writes: true,
  parts: [invites],
  body: `
local refusal = open()
if refusal then return {refusal} end
local row = invite(ARGV[1])
if row and (row.state == 'open' or row.state == 'claimed') then
  endInvite(ARGV[1], row, 'revoked', row.joiner and 'other')
end
return {'OK'}
`,
});

/** ARGV: invite, member, key. Returns the join's state. Atomic: one winner under any race. */
export const claimInvite = script({
  name: 'claimInvite',
  writes: true,
  parts: [people, invites],
  body: `
local which, who = ARGV[1], ARGV[2]
local refusal = open()
if refusal then return {refusal} end
local row, known = invite(which), member(who)
local own = row ~= nil and row.joiner == who
if known and not (own and row.state == 'used' and known.st == MEMBER) then
  return {known.st == MEMBER and 'ALREADY_MEMBER' or 'WAS_MEMBER'}
end
if not row then return {'INVITE_UNKNOWN'} end
if own then return {'OK', stateOf(which, row)} end
if row.state == 'used' or row.state == 'dropped' then return {'INVITE_USED'} end
if row.state == 'revoked' then return {'INVITE_REVOKED'} end
if row.state == 'claimed' then return {'INVITE_TAKEN'} end
if row.expires <= now then return {'INVITE_EXPIRED'} end
row.state, row.joiner, row.key, row.claimed, row.reason = 'claimed', who, ARGV[3], now, nil
keepInvite(which, row)
claims(who, 1)
return {'OK', stateOf(which, row)}
`,
});

/** ARGV: invite, member, request. Returns the join's state. Atomic: the first request stands. */
export const putJoinRequest = script({
  name: 'putJoinRequest',
  writes: true,
  parts: [invites],
  body: `
local which, who, request = ARGV[1], ARGV[2], ARGV[3]
local refusal = open()
if refusal then return {refusal} end
local row = running(which, who)
if not row then return {'INVITE_UNKNOWN'} end
if row.q then
  if call('HGET', JOINS, which .. ':q') ~= request then return {'BAD_ENTRY'} end
  return {'OK', stateOf(which, row)}
end
if row.expires <= now then return {'INVITE_EXPIRED'} end
call('HSET', JOINS, which .. ':q', request)
row.q = true
keepInvite(which, row)
joinChanged(which, who)
return {'OK', stateOf(which, row)}
`,
});

/** ARGV: invite, epoch, reply. Returns nothing more. Atomic: it replaces an earlier one, in the current epoch. */
export const putJoinReply = script({
  name: 'putJoinReply',
  writes: true,
  parts: [invites],
  body: `
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
`,
});

/** ARGV: invite, member, epoch, confirm. Returns the join's state. Atomic: it replaces an earlier one. */
export const putJoinConfirm = script({
  name: 'putJoinConfirm',
  writes: true,
  parts: [invites],
  body: `
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
`,
});

/** ARGV: invite, release (1 or 0), reason. Returns nothing more. Atomic: a claim that was answered is never released. */
export const dropJoin = script({
  name: 'dropJoin',
  writes: true,
  parts: [invites],
  body: `
local which, release, reason = ARGV[1], ARGV[2] == '1', ARGV[3]
local refusal = open()
if refusal then return {refusal} end
local row = invite(which)
if not row then return {'INVITE_UNKNOWN'} end
if row.state == 'used' then return {'FORBIDDEN'} end
if row.state ~= 'claimed' then return {'OK'} end
if not release then
  endInvite(which, row, 'dropped', reason)
  return {'OK'}
end
if row.re then return {'FORBIDDEN'} end
-- The loser is told once; then the invite is as if it had never been claimed.
joinChanged(which, row.joiner, reason)
claims(row.joiner, -1)
keepInvite(which, {state = 'open', expires = row.expires})
call('HDEL', JOINS, which .. ':q', which .. ':c')
return {'OK'}
`,
});

/** ARGV: invite. Returns the join, or nothing for none. */
export const readJoin = script({
  name: 'readJoin',
  writes: false,
  parts: [invites],
  body: `
local refusal = open()
if refusal then return {refusal} end
local row = invite(ARGV[1])
return {'OK', row and joinOf(ARGV[1], row) or false}
`,
});

/** Returns the joins that wait for their owner, oldest claim first. */
export const pendingJoins = script({
  name: 'pendingJoins',
  writes: false,
  parts: [invites],
  body: `
local refusal = open()
if refusal then return {refusal} end
local waiting, joins = {}, {}
eachInvite(function(which, row)
  if row.state == 'claimed' and row.q then waiting[#waiting + 1] = {which, row} end
end)
table.sort(waiting, function(a, b) return a[2].claimed < b[2].claimed end)
for i, found in ipairs(waiting) do joins[i] = joinOf(found[1], found[2]) end
return {'OK', joins}
`,
});
