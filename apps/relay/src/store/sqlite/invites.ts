/** Invitations and joins (docs/protocol.md section 5). */
import {
  equalBytes,
  LIMITS,
  type Bytes,
  type InviteId,
  type JoinState,
  type MemberId,
  type RoomId,
} from '@0fc/protocol';
import type { AppendRoster, StoreChange } from '../../rooms/room-store.js';
import type { ClaimRefusal, DropReason, Invites, StoredJoin } from '../../rooms/store-invites.js';
import { refuse, type Verdict } from '../../rooms/verdict.js';
import { memberRow, openRoom } from './room.js';
import type { Transaction } from './transaction.js';

type Of<K extends keyof Invites> = Awaited<ReturnType<Invites[K]>>;
type Command<K extends keyof Invites> = Parameters<Invites[K]>[0];

interface InviteRow {
  readonly invite_id: InviteId;
  readonly expires: number;
  readonly state: 'open' | 'claimed' | 'used' | 'revoked' | 'dropped';
  readonly joiner: MemberId | null;
  readonly joiner_key: Bytes | null;
  readonly claimed_at: number | null;
  readonly request: Bytes | null;
  readonly reply_epoch: number | null;
  readonly reply: Bytes | null;
  readonly confirm_epoch: number | null;
  readonly confirm: Bytes | null;
  readonly confirmed_at: number | null;
  readonly reason: DropReason | null;
}

/** Rows of a room, tombstones included. */
const MOST_ROWS = 1_024;

const inviteRow = (tx: Transaction, roomId: RoomId, inviteId: InviteId): InviteRow | undefined =>
  tx.all<InviteRow>('SELECT * FROM invites WHERE room_id = ? AND invite_id = ?', roomId, inviteId)[0];

/** Tombstones go one invite's longest life after they have expired: until then EXPIRED is told. */
function prune(tx: Transaction, roomId: RoomId): void {
  tx.run(
    "DELETE FROM invites WHERE room_id = ? AND state <> 'claimed' AND expires < ?",
    roomId,
    tx.now - LIMITS.inviteLifetimeMs,
  );
}

function stateOf(row: InviteRow): JoinState {
  const reply =
    row.reply === null || row.reply_epoch === null
      ? {}
      : { reply: { epoch: row.reply_epoch, payload: row.reply } };
  switch (row.state) {
    case 'used':
      return { stage: 'admitted', ...reply };
    case 'revoked':
    case 'dropped':
      return { stage: 'dropped', ...(row.reason === null ? {} : { reason: row.reason }) };
    case 'open':
    case 'claimed': {
      if (row.confirm !== null) return { stage: 'confirmed', ...reply };
      if (row.reply !== null) return { stage: 'replied', ...reply };
      return { stage: row.request === null ? 'claimed' : 'requested' };
    }
  }
}

function joinOf(row: InviteRow): StoredJoin | null {
  if (row.joiner === null || row.joiner_key === null) return null;
  const { confirm, confirm_epoch: epoch, confirmed_at: time } = row;
  return {
    inviteId: row.invite_id,
    joiner: row.joiner,
    joinerKey: row.joiner_key,
    state: stateOf(row),
    request: row.request,
    confirm: confirm === null || epoch === null || time === null ? null : { epoch, payload: confirm, time },
  };
}

function changed(tx: Transaction, roomId: RoomId, inviteId: InviteId, joiner: MemberId | null): void {
  if (joiner !== null) tx.publish(roomId, { type: 'join', inviteId, joiner });
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

export function revokeInvite(tx: Transaction, roomId: RoomId, inviteId: InviteId): Verdict<object> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const row = inviteRow(tx, roomId, inviteId);
  if (row?.state !== 'open' && row?.state !== 'claimed') return { ok: true };
  end(tx, roomId, row, 'revoked', row.joiner === null ? null : 'other');
  return { ok: true };
}

/** Leaves the tombstone; what the join sealed goes. */
function end(
  tx: Transaction,
  roomId: RoomId,
  row: InviteRow,
  state: 'revoked' | 'dropped',
  reason: DropReason | null,
): void {
  tx.run(
    `UPDATE invites SET state = ?, reason = ?, request = NULL, reply = NULL, reply_epoch = NULL, confirm = NULL
     WHERE room_id = ? AND invite_id = ?`,
    state,
    reason,
    roomId,
    row.invite_id,
  );
  changed(tx, roomId, row.invite_id, row.joiner);
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

/** The running join of this key by this invite. */
function running(tx: Transaction, roomId: RoomId, inviteId: InviteId, memberId: MemberId): InviteRow | null {
  const row = inviteRow(tx, roomId, inviteId);
  return row?.state === 'claimed' && row.joiner === memberId ? row : null;
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
  if (epoch !== found.row.epoch) return refuse(epoch < found.row.epoch ? 'STALE_EPOCH' : 'EPOCH_AHEAD');
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
  // The loser is told once; then the invite is as if it had never been claimed.
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

/** The claimed invite of an admission becomes a tombstone. False: it is not claimed by that key. */
export function admitJoin(
  tx: Transaction,
  roomId: RoomId,
  admit: Extract<StoreChange, { kind: 'admit' }>,
  { reply, restored }: Pick<AppendRoster, 'reply' | 'restored'>,
): boolean {
  const row = running(tx, roomId, admit.inviteId, admit.member);
  if (row === null) return restored;
  if (reply === undefined && row.reply === null && !restored) return false;
  tx.run(
    `UPDATE invites SET state = 'used', request = NULL, confirm = NULL,
       reply_epoch = coalesce(?, reply_epoch), reply = coalesce(?, reply)
     WHERE room_id = ? AND invite_id = ?`,
    reply?.epoch ?? null,
    reply?.payload ?? null,
    roomId,
    admit.inviteId,
  );
  // Other claims of the same key are done with as well.
  for (const other of tx.all<InviteRow>(
    "SELECT * FROM invites WHERE room_id = ? AND joiner = ? AND state = 'claimed'",
    roomId,
    admit.member,
  )) {
    end(tx, roomId, other, 'dropped', 'other');
  }
  return true;
}

/** A hand-over: pending joins are dropped, open invites revoked (section 4). */
export function endJoins(tx: Transaction, roomId: RoomId): void {
  const rows = tx.all<InviteRow>(
    "SELECT * FROM invites WHERE room_id = ? AND state IN ('open', 'claimed')",
    roomId,
  );
  for (const row of rows) {
    if (row.state === 'open') end(tx, roomId, row, 'revoked', null);
    else end(tx, roomId, row, 'dropped', 'other');
  }
}
