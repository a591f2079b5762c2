/**
 * Who has gone: the signed entry that says so is kept apart from the log, because it is served
 * as long as the room stands, trimmed or closed (docs/protocol.md section 4).
 */
import type { Bytes, MemberId, RoomId } from '@0fc/protocol';
import type { LogEntry, LogPage } from '../../rooms/port/room-store.js';
import { positionOf, type LogRow, type MemberRow, type RoomRow } from './room.js';
import type { Transaction } from './transaction.js';

const NOTHING = new Uint8Array(0);

/** Replaces an earlier one: after a leaver's own request comes its owner's entry. */
function keepDepartureNotice(
  tx: Transaction,
  roomId: RoomId,
  memberId: MemberId,
  entry: Omit<LogEntry, 'clear'>,
): void {
  const { position, kind, sender, time, payload } = entry;
  tx.run(
    'INSERT OR REPLACE INTO farewells VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    roomId, memberId, position.g, position.s, kind, sender, time, payload,
  ); // prettier-ignore
}

export function departureNotice(tx: Transaction, roomId: RoomId, memberId: MemberId): LogEntry | null {
  const row = tx.all<Omit<LogRow, 'clear'>>(
    'SELECT g, s, kind, sender, time, payload FROM farewells WHERE room_id = ? AND member_id = ?',
    roomId,
    memberId,
  )[0];
  if (row === undefined) return null;
  const { kind, sender, time, payload } = row;
  return { position: positionOf(row), kind, sender, time, clear: NOTHING, payload };
}

/** What the departed are served: the signed entry that says so, and nothing that is later. */
export const departedPage = (tx: Transaction, row: RoomRow, member: MemberRow): LogPage => ({
  role: 'departed',
  entry: departureNotice(tx, row.room_id, member.member_id),
  head: member.gone_head ?? row.head,
  epoch: member.gone_epoch ?? row.epoch,
});

export function depart(
  tx: Transaction,
  row: RoomRow,
  memberId: MemberId,
  standing: 'removed' | 'left',
  entry: Omit<LogEntry, 'clear'>,
): void {
  const { room_id: roomId } = row;
  keepDepartureNotice(tx, roomId, memberId, entry);
  tx.run(
    `UPDATE members SET standing = ?, gone_g = ?, gone_s = ?, gone_epoch = ?, gone_head = ?, prekey = NULL
     WHERE room_id = ? AND member_id = ?`,
    standing, entry.position.g, entry.position.s, row.epoch, row.head, roomId, memberId,
  ); // prettier-ignore
  tx.run('DELETE FROM wraps WHERE room_id = ? AND member_id = ?', roomId, memberId);
  tx.run('DELETE FROM key_requests WHERE room_id = ? AND member_id = ?', roomId, memberId);
  tx.run(
    'DELETE FROM key_grants WHERE room_id = ? AND (member_id = ? OR granter = ?)',
    roomId,
    memberId,
    memberId,
  );
  tx.run('DELETE FROM offers WHERE room_id = ? AND member_id = ?', roomId, memberId);
  tx.publish(roomId, { type: 'role', memberId, role: 'departed' });
}

/** A leaver acts no more from its own request on; it stays on the roster until its owner's entry. */
export function beginLeaving(
  tx: Transaction,
  row: RoomRow,
  memberId: MemberId,
  entry: { readonly position: LogEntry['position']; readonly time: number; readonly request: Bytes },
): void {
  const { room_id: roomId } = row;
  const { position, time, request } = entry;
  keepDepartureNotice(tx, roomId, memberId, {
    position,
    kind: 'leaveRequest',
    sender: memberId,
    time,
    payload: request,
  });
  tx.run(
    `UPDATE members SET standing = 'leaving', gone_g = ?, gone_s = ?, gone_epoch = ?, gone_head = ?
     WHERE room_id = ? AND member_id = ?`,
    position.g, position.s, row.epoch, row.head, roomId, memberId,
  ); // prettier-ignore
  tx.run('DELETE FROM wraps WHERE room_id = ? AND member_id = ?', roomId, memberId);
  tx.run('DELETE FROM key_requests WHERE room_id = ? AND member_id = ?', roomId, memberId);
  tx.run('DELETE FROM offers WHERE room_id = ? AND member_id = ?', roomId, memberId);
  tx.publish(roomId, { type: 'role', memberId, role: 'departed' });
}

/**
 * A leaver is a member again; false: it is not one that is leaving. It asked in a log that had lost
 * its own ownership, and whoever asks first would keep that from coming back.
 */
export function stay(tx: Transaction, roomId: RoomId, memberId: MemberId): boolean {
  const stayed = tx.run(
    `UPDATE members SET standing = 'member', gone_g = NULL, gone_s = NULL, gone_epoch = NULL, gone_head = NULL
     WHERE room_id = ? AND member_id = ? AND standing = 'leaving'`,
    roomId,
    memberId,
  );
  if (stayed === 0) return false;
  tx.run('DELETE FROM farewells WHERE room_id = ? AND member_id = ?', roomId, memberId);
  return true;
}
