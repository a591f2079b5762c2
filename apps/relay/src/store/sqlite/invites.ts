/** Invitations and joins (docs/protocol.md section 5). */
import { equalBytes, LIMITS, type InviteId, type RoomId } from '@0fc/protocol';
import type { ClaimRefusal, Invites } from '../../rooms/port/store-invites.js';
import { otherEpoch, refuse, type Result } from '../../rooms/port/result.js';
import { changed, end, inviteRow, joinOf, running, stateOf, type InviteRow } from './invite-row.js';
import { memberRow, openRoom } from './room.js';
import type { Transaction } from './transaction.js';

type Of<K extends keyof Invites> = Awaited<ReturnType<Invites[K]>>;
type Command<K extends keyof Invites> = Parameters<Invites[K]>[0];

/** Rows of a room, tombstones included. */
const MOST_ROWS = 1_024;

/** Tombstones go one invite's longest life after they have expired: until then EXPIRED is answered. */
function prune(tx: Transaction, roomId: RoomId): void {
  tx.run(
    "DELETE FROM invites WHERE room_id = ? AND state <> 'claimed' AND expires < ?",
    roomId,
    tx.now - LIMITS.inviteLifetimeMs,
  );
}

export function registerInvite(tx: Transaction, command: Command<'registerInvite'>): Of<'registerInvite'> {
  const { roomId, inviteId, expires } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  prune(tx, roomId);
  const row = inviteRow(tx, roomId, inviteId);
  if (row !== undefined) {
    const same = (row.state === 'open' || row.state === 'claimed') && row.expires === expires;
    return same ? { ok: true } : refuse('BAD_ENTRY');
  }
  if (expires <= tx.now || expires > tx.now + LIMITS.inviteLifetimeMs) return refuse('BAD_ENTRY');
  const count = tx.all<{ open: number; all_rows: number }>(
    `SELECT count(*) FILTER (WHERE state = 'claimed' OR (state = 'open' AND expires > ?)) AS open, count(*) AS all_rows
     FROM invites WHERE room_id = ?`,
    tx.now,
    roomId,
  )[0];
  if (count === undefined || count.open >= command.maxOpen || count.all_rows >= MOST_ROWS)
    return refuse('INVITE_LIMIT');
  tx.run(
    "INSERT INTO invites (room_id, invite_id, expires, state) VALUES (?, ?, ?, 'open')",
    roomId,
    inviteId,
    expires,
  );
  return { ok: true };
}

export function revokeInvite(tx: Transaction, roomId: RoomId, inviteId: InviteId): Result<object> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = inviteRow(tx, roomId, inviteId);
  if (row?.state !== 'open' && row?.state !== 'claimed') return { ok: true };
  end(tx, roomId, row, 'revoked', row.joiner === null ? null : 'other');
  return { ok: true };
}

export function claimInvite(tx: Transaction, command: Command<'claimInvite'>): Of<'claimInvite'> {
  const { roomId, inviteId, memberId, key } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = inviteRow(tx, roomId, inviteId);
  const own = row?.joiner === memberId;
  const member = memberRow(tx, roomId, memberId);
  if (member !== undefined && !(own && row.state === 'used' && member.standing === 'member')) {
    return refuse(member.standing === 'member' ? 'ALREADY_MEMBER' : 'WAS_MEMBER');
  }
  if (row === undefined) return refuse('INVITE_UNKNOWN');
  if (own) return { ok: true, state: stateOf(row) };
  const refusal = claimRefusal(tx, row);
  if (refusal !== null) return refuse(refusal);
  tx.run(
    `UPDATE invites SET state = 'claimed', joiner = ?, joiner_key = ?, claimed_at = ?, reason = NULL
     WHERE room_id = ? AND invite_id = ?`,
    memberId,
    key,
    tx.now,
    roomId,
    inviteId,
  );
  return { ok: true, state: { stage: 'claimed' } };
}

function claimRefusal(tx: Transaction, row: InviteRow): ClaimRefusal | null {
  switch (row.state) {
    case 'used':
    case 'dropped':
      return 'INVITE_USED';
    case 'revoked':
      return 'INVITE_REVOKED';
    case 'claimed':
      return 'INVITE_TAKEN';
    case 'open':
      return row.expires <= tx.now ? 'INVITE_EXPIRED' : null;
  }
}

export function putJoinRequest(tx: Transaction, command: Command<'putJoinRequest'>): Of<'putJoinRequest'> {
  const { roomId, inviteId, memberId, request } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = running(tx, roomId, inviteId, memberId);
  if (row === null) return refuse('INVITE_UNKNOWN');
  if (row.request !== null) {
    return equalBytes(row.request, request) ? { ok: true, state: stateOf(row) } : refuse('BAD_ENTRY');
  }
  if (row.expires <= tx.now) return refuse('INVITE_EXPIRED');
  tx.run('UPDATE invites SET request = ? WHERE room_id = ? AND invite_id = ?', request, roomId, inviteId);
  changed(tx, roomId, inviteId, memberId);
  return { ok: true, state: { stage: 'requested' } };
}

export function putJoinReply(tx: Transaction, command: Command<'putJoinReply'>): Of<'putJoinReply'> {
  const { roomId, inviteId, epoch, payload } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = inviteRow(tx, roomId, inviteId);
  if (row?.state !== 'claimed' || row.request === null) return refuse('INVITE_UNKNOWN');
  if (row.reply !== null && row.reply_epoch === epoch && equalBytes(row.reply, payload)) return { ok: true };
  if (epoch !== found.row.epoch) return refuse(otherEpoch(epoch, found.row.epoch));
  tx.run(
    'UPDATE invites SET reply_epoch = ?, reply = ? WHERE room_id = ? AND invite_id = ?',
    epoch,
    payload,
    roomId,
    inviteId,
  );
  changed(tx, roomId, inviteId, row.joiner);
  return { ok: true };
}

export function putJoinConfirm(tx: Transaction, command: Command<'putJoinConfirm'>): Of<'putJoinConfirm'> {
  const { roomId, inviteId, memberId, epoch, payload } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = running(tx, roomId, inviteId, memberId);
  if (row === null) return refuse('INVITE_UNKNOWN');
  if (row.reply_epoch === null || epoch > row.reply_epoch) return refuse('BAD_ENTRY');
  if (row.confirm === null || row.confirm_epoch !== epoch || !equalBytes(row.confirm, payload)) {
    tx.run(
      'UPDATE invites SET confirm_epoch = ?, confirm = ?, confirmed_at = ? WHERE room_id = ? AND invite_id = ?',
      epoch,
      payload,
      tx.now,
      roomId,
      inviteId,
    );
    changed(tx, roomId, inviteId, memberId);
  }
  return { ok: true, state: stateOf({ ...row, confirm: payload }) };
}

export function dropJoin(tx: Transaction, command: Command<'dropJoin'>): Of<'dropJoin'> {
  const { roomId, inviteId, release, reason } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = inviteRow(tx, roomId, inviteId);
  if (row === undefined) return refuse('INVITE_UNKNOWN');
  if (row.state === 'used') return refuse('FORBIDDEN');
  if (row.state !== 'claimed') return { ok: true };
  if (release && row.reply !== null) return refuse('FORBIDDEN');
  if (!release) {
    end(tx, roomId, row, 'dropped', reason);
    return { ok: true };
  }
  // One event for the loser; then the invite is as if it had never been claimed.
  if (row.joiner !== null)
    tx.publish(roomId, { type: 'join', inviteId, joiner: row.joiner, released: reason });
  tx.run(
    `UPDATE invites SET state = 'open', joiner = NULL, joiner_key = NULL, claimed_at = NULL, request = NULL
     WHERE room_id = ? AND invite_id = ?`,
    roomId,
    inviteId,
  );
  return { ok: true };
}

export function readJoin(tx: Transaction, roomId: RoomId, inviteId: InviteId): Of<'readJoin'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = inviteRow(tx, roomId, inviteId);
  return { ok: true, join: row === undefined ? null : joinOf(row) };
}

export function pendingJoins(tx: Transaction, roomId: RoomId): Of<'pendingJoins'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const rows = tx.all<InviteRow>(
    "SELECT * FROM invites WHERE room_id = ? AND state = 'claimed' AND request IS NOT NULL ORDER BY claimed_at",
    roomId,
  );
  return { ok: true, joins: rows.map(joinOf).filter((join) => join !== null) };
}
