/** Trimming (docs/protocol.md section 8): one edge, everything at or before it is gone from the log. */
import {
  comparePositions,
  equalBytes,
  LIMITS,
  type Bytes,
  type GenerationStart,
  type MemberId,
  type Position,
  type RoomId,
} from '@0fc/protocol';
import type { LogEntry } from '../../rooms/port/room-store.js';
import type { Upkeep } from '../../rooms/port/store-upkeep.js';
import { openRoom, positionOf, type LogRow, type RoomRow } from './room.js';
import type { Transaction } from './transaction.js';

type Of<K extends keyof Upkeep> = Awaited<ReturnType<Upkeep[K]>>;
type Command<K extends keyof Upkeep> = Parameters<Upkeep[K]>[0];

/** How far every member has acknowledged; a leaver is not asked. */
function acknowledged(tx: Transaction, roomId: RoomId): Position | null {
  const row = tx.all<{ g: number; s: number }>(
    "SELECT ack_g AS g, ack_s AS s FROM members WHERE room_id = ? AND standing = 'member' ORDER BY ack_g, ack_s LIMIT 1",
    roomId,
  )[0];
  return row === undefined ? null : positionOf(row);
}

/** Whether an entry may go, given how much of the log still stands, itself included. */
function mayGo(
  row: RoomRow,
  acked: Position | null,
  position: Position,
  standing: { readonly entries: number; readonly bytes: number },
  historyBytes: number,
): boolean {
  if (standing.entries > row.history || standing.bytes > historyBytes) return true;
  const start = { g: row.epoch_g, s: row.epoch_s };
  return acked !== null && comparePositions(position, acked) <= 0 && comparePositions(position, start) < 0;
}

export function readTrimmable(tx: Transaction, command: Command<'readTrimmable'>): Of<'readTrimmable'> {
  const { roomId, historyBytes, maxEntries, maxBytes } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const { row } = found;
  const from = { g: row.trimmed_g, s: row.trimmed_s };
  const acked = acknowledged(tx, roomId);
  let to = from;
  let { entries: left, bytes: weight } = row;
  let count = 0;
  let read = 0;
  // First how far, without the payloads: mostly it is nowhere.
  for (const { bytes, size, ...at } of tx.all<{ g: number; s: number; bytes: number; size: number }>(
    `SELECT g, s, bytes, length(clear) + length(payload) AS size FROM log
     WHERE room_id = ? ORDER BY g, s LIMIT ?`,
    roomId,
    maxEntries,
  )) {
    read += size;
    if (count > 0 && read > maxBytes) break;
    const position = positionOf(at);
    if (!mayGo(row, acked, position, { entries: left, bytes: weight }, historyBytes)) break;
    to = position;
    count++;
    left--;
    weight -= bytes;
  }
  // Genesis alone is no edge: (1,0) says that nothing is trimmed.
  if (comparePositions(to, from) <= 0) return { ok: true, trimmable: null };
  const entries = tx
    .all<LogRow>('SELECT * FROM log WHERE room_id = ? ORDER BY g, s LIMIT ?', roomId, count)
    .map((entry): LogEntry => {
      const { kind, sender, time, clear, payload } = entry;
      return { position: positionOf(entry), kind, sender, time, clear, payload };
    });
  const generations = tx
    .all<{ generation: number; from_g: number; from_s: number }>(
      'SELECT * FROM generations WHERE room_id = ? AND generation > ? AND generation <= ? ORDER BY generation',
      roomId,
      from.g,
      to.g,
    )
    .map((start): GenerationStart => ({
      generation: start.generation,
      from: { g: start.from_g, s: start.from_s },
    }));
  return { ok: true, trimmable: { from, t: row.trimmed_t, generations, entries } };
}

export function trim(tx: Transaction, command: Command<'trim'>): Of<'trim'> {
  const { roomId, from, to, t } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const edge = { g: found.row.trimmed_g, s: found.row.trimmed_s };
  if (comparePositions(edge, to) === 0 && found.row.trimmed_t !== null) {
    return { ok: true, trimmed: equalBytes(found.row.trimmed_t, t) };
  }
  const tip = { g: found.row.generation, s: found.row.seq };
  const onward = comparePositions(from, to) < 0 && comparePositions(to, tip) <= 0;
  if (comparePositions(edge, from) !== 0 || !onward) return { ok: true, trimmed: false };
  rememberSent(tx, roomId, to);
  const gone = tx.all<{ entries: number; bytes: number }>(
    'SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes FROM log WHERE room_id = ? AND (g, s) <= (?, ?)',
    roomId, to.g, to.s,
  )[0]; // prettier-ignore
  tx.run('DELETE FROM log WHERE room_id = ? AND (g, s) <= (?, ?)', roomId, to.g, to.s);
  // Those of the last rotation stay as long as it is the last one.
  tx.run(
    'DELETE FROM wraps WHERE room_id = ? AND (g, s) <= (?, ?) AND (g, s) <> (?, ?)',
    roomId, to.g, to.s, found.row.epoch_g, found.row.epoch_s,
  ); // prettier-ignore
  tx.run(
    'UPDATE rooms SET trimmed_g = ?, trimmed_s = ?, trimmed_t = ?, entries = entries - ?, bytes = bytes - ? WHERE room_id = ?',
    to.g, to.s, t, gone?.entries ?? 0, gone?.bytes ?? 0, roomId,
  ); // prettier-ignore
  return { ok: true, trimmed: true };
}

/** A sender whose answer was lost repeats its messages: as many stay known as one append may hold. */
function rememberSent(tx: Transaction, roomId: RoomId, to: Position): void {
  const going = [roomId, to.g, to.s] as const;
  const senders = tx.all<{ sender: MemberId }>(
    'SELECT DISTINCT sender FROM log WHERE room_id = ? AND (g, s) <= (?, ?) AND id IS NOT NULL',
    ...going,
  );
  tx.run(
    `INSERT OR IGNORE INTO sent SELECT room_id, sender, id, g, s, time FROM log
     WHERE room_id = ? AND (g, s) <= (?, ?) AND id IS NOT NULL`,
    ...going,
  );
  for (const { sender } of senders) {
    tx.run(
      `DELETE FROM sent WHERE room_id = ?1 AND sender = ?2 AND (g, s) NOT IN
         (SELECT g, s FROM sent WHERE room_id = ?1 AND sender = ?2 ORDER BY g DESC, s DESC LIMIT ?3)`,
      roomId,
      sender,
      LIMITS.appendMessages,
    );
  }
}

export interface SentRow {
  readonly g: number;
  readonly s: number;
  readonly time: number;
}

/** Where a payload of this sender stands, or stood. */
export function placeSent(tx: Transaction, roomId: RoomId, sender: MemberId, id: Bytes): SentRow | undefined {
  return (
    tx.all<SentRow>(
      'SELECT g, s, time FROM log WHERE room_id = ? AND sender = ? AND id = ?',
      roomId,
      sender,
      id,
    )[0] ??
    tx.all<SentRow>(
      'SELECT g, s, time FROM sent WHERE room_id = ? AND sender = ? AND id = ?',
      roomId,
      sender,
      id,
    )[0]
  );
}
