/** An invitation's row: its state as answered, its end, and what becomes of it at an admission. */
import type { Bytes, InviteId, JoinState, MemberId, RoomId } from '@0fc/protocol';
import type { AppendRoster, StoreChange } from '../../rooms/port/room-store.js';
import type { DropReason, StoredJoin } from '../../rooms/port/store-invites.js';
import type { Transaction } from './transaction.js';

export interface InviteRow {
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

export const inviteRow = (tx: Transaction, roomId: RoomId, inviteId: InviteId): InviteRow | undefined =>
  tx.all<InviteRow>('SELECT * FROM invites WHERE room_id = ? AND invite_id = ?', roomId, inviteId)[0];

export function stateOf(row: InviteRow): JoinState {
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

export function joinOf(row: InviteRow): StoredJoin | null {
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

export function changed(tx: Transaction, roomId: RoomId, inviteId: InviteId, joiner: MemberId | null): void {
  if (joiner !== null) tx.publish(roomId, { type: 'join', inviteId, joiner });
}

/** Leaves the tombstone; what the join sealed goes. */
export function end(
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

/** The running join of this key by this invite. */
export function running(
  tx: Transaction,
  roomId: RoomId,
  inviteId: InviteId,
  memberId: MemberId,
): InviteRow | null {
  const row = inviteRow(tx, roomId, inviteId);
  return row?.state === 'claimed' && row.joiner === memberId ? row : null;
}

/** Whether a join that this key runs has the owner's reply. */
export const isAnswered = (tx: Transaction, roomId: RoomId, joiner: MemberId): boolean =>
  tx.all<object>(
    "SELECT 1 FROM invites WHERE room_id = ? AND joiner = ? AND state = 'claimed' AND reply IS NOT NULL LIMIT 1",
    roomId,
    joiner,
  ).length > 0;

/** The claimed invite of an admission becomes a tombstone. False: it is not claimed by that key. */
export function admitJoin(
  tx: Transaction,
  roomId: RoomId,
  admit: Extract<StoreChange, { kind: 'admit' }>,
  { reply, restored }: Pick<AppendRoster, 'reply' | 'restored'>,
): boolean {
  const row = running(tx, roomId, admit.inviteId, admit.member);
  if (row === null || (reply === undefined && row.reply === null)) {
    if (!restored) return false;
    takeOver(tx, roomId, admit);
  }
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

/** An admission that was lost has used its invite, whoever has claimed it since (G2). */
function takeOver(tx: Transaction, roomId: RoomId, admit: Extract<StoreChange, { kind: 'admit' }>): void {
  const row = inviteRow(tx, roomId, admit.inviteId);
  if (row === undefined || row.joiner === admit.member) return;
  if (row.state === 'claimed' && row.joiner !== null) {
    tx.publish(roomId, { type: 'join', inviteId: row.invite_id, joiner: row.joiner, released: 'other' });
  }
  tx.run(
    `UPDATE invites SET joiner = ?, joiner_key = ?, reply = NULL, reply_epoch = NULL, reason = NULL
     WHERE room_id = ? AND invite_id = ?`,
    admit.member,
    admit.key,
    roomId,
    admit.inviteId,
  );
}

/** A transfer of ownership: pending joins are dropped, open invites revoked (section 4). */
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
