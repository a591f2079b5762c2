/** How rooms end: closed by their owner, erased by the operator, expired; and what is there to end. */
import type { Bytes, RoomId } from '@0fc/protocol';
import type { LogPlacement } from '../../rooms/port/room-store.js';
import type { RoomStats, StoreStats, Upkeep } from '../../rooms/port/store-upkeep.js';
import { refuse } from '../../rooms/port/result.js';
import { findRow, positionOf, type RoomRow } from './room.js';
import type { Transaction } from './transaction.js';

type Of<K extends keyof Upkeep> = Awaited<ReturnType<Upkeep[K]>>;

const CONTENT = ['log', 'sent', 'rotations', 'wraps', 'generations', 'invites', 'key_requests', 'key_grants', 'offers']; // prettier-ignore
/** What a closed room keeps for who was in it: who they are, and what proves the end. */
const KEPT = ['members', 'farewells', 'chain'];

function clear(tx: Transaction, roomId: RoomId, tables: readonly string[]): void {
  for (const table of tables) tx.run(`DELETE FROM ${table} WHERE room_id = ?`, roomId);
}

/** Closed: who may read the last entry, or its own one, stays for as long as the tombstone, and so does the chain (section 4). */
export function closeRoom(tx: Transaction, row: RoomRow, placed: LogPlacement, container: Bytes): void {
  const { room_id: roomId } = row;
  const { g, s } = placed.position;
  tx.run(
    `INSERT OR REPLACE INTO farewells
       SELECT room_id, member_id, ?, ?, 'roster', ?, ?, ? FROM members
       WHERE room_id = ? AND standing IN ('member', 'leaving')`,
    g, s, row.owner, placed.time, container, roomId,
  ); // prettier-ignore
  tx.run(
    `UPDATE members SET standing = 'left', gone_g = ?, gone_s = ?, gone_epoch = ?, gone_head = ?
     WHERE room_id = ? AND standing IN ('member', 'leaving')`,
    g, s, row.epoch, row.head, roomId,
  ); // prettier-ignore
  tx.run('UPDATE members SET prekey = NULL WHERE room_id = ?', roomId);
  clear(tx, roomId, CONTENT);
  tx.run(
    'UPDATE rooms SET closed = 1, entries = 0, bytes = 0, used_at = ? WHERE room_id = ?',
    tx.now,
    roomId,
  );
  tx.publish(roomId, { type: 'closed' });
}

/** The id alone stays, so that a restore does not bring back what the operator took away. */
export function eraseRoom(tx: Transaction, roomId: RoomId): Of<'eraseRoom'> {
  const row = findRow(tx, roomId);
  if (row === undefined) return refuse('ROOM_UNKNOWN');
  if (row.closed === 2) return { ok: true };
  clear(tx, roomId, [...CONTENT, ...KEPT]);
  tx.run(
    `UPDATE rooms SET closed = 2, owner = '', head = zeroblob(32), epoch = 1, epoch_messages = 0, length = 0,
       entries = 0, bytes = 0, trimmed_t = NULL, used_at = ?
     WHERE room_id = ?`,
    tx.now,
    roomId,
  );
  tx.publish(roomId, { type: 'closed' });
  return { ok: true };
}

export function idleRooms(tx: Transaction, command: Parameters<Upkeep['idleRooms']>[0]): Of<'idleRooms'> {
  const rows = tx.all<{ room_id: RoomId }>(
    'SELECT room_id FROM rooms WHERE used_at <= ? ORDER BY used_at LIMIT ?',
    command.before,
    command.limit,
  );
  // What was listed is expired before the next look: the beginning is always what comes next.
  return {
    rooms: rows.map(({ room_id: roomId }) => roomId),
    next: rows.length === command.limit ? '' : null,
  };
}

export function expireRoom(tx: Transaction, roomId: RoomId, before: number): Of<'expireRoom'> {
  const row = findRow(tx, roomId);
  if (row === undefined || row.used_at > before) return { expired: false };
  clear(tx, roomId, [...CONTENT, ...KEPT]);
  tx.run('DELETE FROM rooms WHERE room_id = ?', roomId);
  if (row.closed === 0) tx.publish(roomId, { type: 'closed' });
  return { expired: true };
}

const STATES = ['open', 'closed', 'erased'] as const;

export function roomStats(tx: Transaction, roomId: RoomId): Of<'roomStats'> {
  const row = findRow(tx, roomId);
  if (row === undefined) return { stats: null };
  const people = tx.all<{ members: number; leaving: number; former: number }>(
    `SELECT count(*) FILTER (WHERE standing = 'member') AS members,
       count(*) FILTER (WHERE standing = 'leaving') AS leaving,
       count(*) FILTER (WHERE standing IN ('removed', 'left')) AS former
     FROM members WHERE room_id = ?`,
    roomId,
  )[0];
  const joins = tx.all<{ open: number; pending: number }>(
    `SELECT count(*) FILTER (WHERE state = 'open' AND expires > ?) AS open,
       count(*) FILTER (WHERE state = 'claimed') AS pending
     FROM invites WHERE room_id = ?`,
    tx.now,
    roomId,
  )[0];
  const stats: RoomStats = {
    state: STATES[row.closed] ?? 'open',
    members: people?.members ?? 0,
    leaving: people?.leaving ?? 0,
    former: people?.former ?? 0,
    epoch: row.epoch,
    chain: row.length,
    tip: positionOf({ g: row.generation, s: row.seq }),
    trimmed: positionOf({ g: row.trimmed_g, s: row.trimmed_s }),
    entries: row.entries,
    bytes: row.bytes,
    history: row.history,
    invitesOpen: joins?.open ?? 0,
    joinsPending: joins?.pending ?? 0,
    usedAt: row.used_at,
  };
  return { stats };
}

export function storeStats(tx: Transaction): StoreStats {
  const totals = tx.all<StoreStats>(
    `SELECT count(*) FILTER (WHERE closed = 0) AS open, count(*) FILTER (WHERE closed = 1) AS closed,
       count(*) FILTER (WHERE closed = 2) AS erased, coalesce(sum(entries), 0) AS entries,
       coalesce(sum(bytes), 0) AS bytes
     FROM rooms`,
  )[0];
  return { open: 0, closed: 0, erased: 0, entries: 0, bytes: 0, ...totals };
}
