/** A room's row, who a key is to it, and how entries come into its log. */
import type { Bytes, EntryKind, MemberId, Position, Role, RoomId } from '@0fc/protocol';
import type { FeedEntry, LogPlacement, RoomFacts } from '../../rooms/port/room-store.js';
import { refuse, type Refused } from '../../rooms/port/result.js';
import type { Transaction } from './transaction.js';

export interface RoomRow {
  readonly room_id: RoomId;
  readonly owner: MemberId;
  readonly epoch: number;
  readonly epoch_g: number;
  readonly epoch_s: number;
  readonly epoch_messages: number;
  readonly head: Bytes;
  readonly length: number;
  readonly generation: number;
  readonly seq: number;
  readonly trimmed_g: number;
  readonly trimmed_s: number;
  readonly trimmed_t: Bytes | null;
  readonly boot: string;
  /** 0 open, 1 closed by its owner, 2 erased by the operator */
  readonly closed: number;
  /** Unix ms */
  readonly used_at: number;
  /** entries that the room's settings let it keep */
  readonly history: number;
  /** entries in the log, and what they weigh with their wraps */
  readonly entries: number;
  readonly bytes: number;
  /** 1: the last roster entry is a departure whose rotation the log lacks (restored, section 6) */
  readonly owed: number;
  /** settings entries in the chain; of a room of before, since it is counted */
  readonly settings: number;
  /** of the protocol */
  readonly version: number;
}

export interface MemberRow {
  readonly member_id: MemberId;
  readonly standing: 'member' | 'leaving' | 'removed' | 'left';
  readonly floor_g: number;
  readonly floor_s: number;
  readonly ack_g: number;
  readonly ack_s: number;
  readonly prekey_k: number;
  readonly prekey: Bytes | null;
  readonly gone_g: number | null;
  readonly gone_s: number | null;
  readonly gone_epoch: number | null;
  readonly gone_head: Bytes | null;
}

export interface LogRow {
  readonly g: number;
  readonly s: number;
  readonly kind: EntryKind;
  readonly sender: MemberId;
  readonly time: number;
  readonly clear: Bytes;
  readonly payload: Bytes;
}

type Found = { readonly ok: true; readonly row: RoomRow } | Refused<'ROOM_UNKNOWN' | 'ROOM_CLOSED'>;

export const findRow = (tx: Transaction, roomId: RoomId): RoomRow | undefined =>
  tx.all<RoomRow>('SELECT * FROM rooms WHERE room_id = ?', roomId)[0];

/**
 * The room, in the generation of this start of the store: its first use after a start opens
 * a new one, because a file may have been put back (docs/protocol.md section 6).
 */
export function openRoom(tx: Transaction, roomId: RoomId): Found {
  const row = findRow(tx, roomId);
  if (row === undefined) return refuse('ROOM_UNKNOWN');
  if (row.closed !== 0) return refuse('ROOM_CLOSED');
  if (row.boot === tx.boot) return { ok: true, row };
  const generation = Math.max(row.generation + 1, tx.now);
  const from = { g: row.generation, s: row.seq };
  tx.run('INSERT INTO generations VALUES (?, ?, ?, ?)', roomId, generation, from.g, from.s);
  tx.run('UPDATE rooms SET generation = ?, boot = ? WHERE room_id = ?', generation, tx.boot, roomId);
  tx.publish(roomId, { type: 'generation', generation, from });
  return { ok: true, row: { ...row, generation, boot: tx.boot } };
}

const TOUCH_MS = 3_600_000;

/** A member's use puts the room's expiry off; to the hour, so that reading seldom writes. */
export function touch(tx: Transaction, row: RoomRow): void {
  if (tx.now - row.used_at < TOUCH_MS) return;
  tx.run('UPDATE rooms SET used_at = ? WHERE room_id = ?', tx.now, row.room_id);
}

export const memberRow = (tx: Transaction, roomId: RoomId, memberId: MemberId): MemberRow | undefined =>
  tx.all<MemberRow>('SELECT * FROM members WHERE room_id = ? AND member_id = ?', roomId, memberId)[0];

/** A member that may act: not one that is leaving. */
export const isMember = (tx: Transaction, roomId: RoomId, memberId: MemberId): boolean =>
  memberRow(tx, roomId, memberId)?.standing === 'member';

export function roleOf(tx: Transaction, row: RoomRow, memberId: MemberId): Role {
  const member = memberRow(tx, row.room_id, memberId);
  if (member !== undefined) {
    if (member.standing !== 'member') return 'departed';
    return row.owner === memberId ? 'owner' : 'member';
  }
  const claim = tx.all<object>(
    "SELECT 1 FROM invites WHERE room_id = ? AND joiner = ? AND state = 'claimed' LIMIT 1",
    row.room_id,
    memberId,
  )[0];
  return claim === undefined ? 'stranger' : 'joiner';
}

export const factsOf = (row: RoomRow): RoomFacts => ({
  roomId: row.room_id,
  version: row.version,
  owner: row.owner,
  epoch: row.epoch,
  epochStart: { g: row.epoch_g, s: row.epoch_s },
  epochMessages: row.epoch_messages,
  head: row.head,
  length: row.length,
  tip: { g: row.generation, s: row.seq },
  trimmed: { g: row.trimmed_g, s: row.trimmed_s },
  trimmedT: row.trimmed_t,
  closed: row.closed !== 0,
});

export interface NewEntry {
  readonly kind: EntryKind;
  readonly sender: MemberId;
  readonly clear: Bytes;
  readonly payload: Bytes;
  /** of a message: what makes a repetition of it */
  readonly id?: Bytes;
  readonly wraps?: ReadonlyMap<MemberId, Bytes>;
}

/** What an entry counts for in the room's history: its wraps too, which are most of a large room's rotation. */
function weightOf(entry: Pick<NewEntry, 'clear' | 'payload' | 'wraps'>): number {
  let bytes = entry.clear.length + entry.payload.length;
  for (const wrap of entry.wraps?.values() ?? []) bytes += wrap.length;
  return bytes;
}

/** Puts entries at the end of the log and on the feed; where they stand, in order. */
export function place(tx: Transaction, roomId: RoomId, entries: readonly NewEntry[]): LogPlacement[] {
  const at = tx.all<{ generation: number; seq: number }>(
    'SELECT generation, seq FROM rooms WHERE room_id = ?',
    roomId,
  )[0];
  if (at === undefined) throw new Error('a room went away in its own transaction');
  let bytes = 0;
  const placed = entries.map((entry, index): FeedEntry => {
    const { id, ...parts } = entry;
    const position = { g: at.generation, s: at.seq + 1 + index };
    const weight = weightOf(entry);
    bytes += weight;
    tx.run(
      'INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      roomId, position.g, position.s, parts.kind, parts.sender, tx.now, parts.clear, parts.payload, id ?? null, weight,
    ); // prettier-ignore
    for (const [memberId, wrap] of parts.wraps ?? []) {
      tx.run('INSERT INTO wraps VALUES (?, ?, ?, ?, ?)', roomId, position.g, position.s, memberId, wrap);
    }
    return { ...parts, position, time: tx.now };
  });
  tx.run(
    'UPDATE rooms SET seq = seq + ?1, entries = entries + ?1, bytes = bytes + ?2, used_at = ?3 WHERE room_id = ?4',
    entries.length,
    bytes,
    tx.now,
    roomId,
  );
  if (placed.length > 0) tx.publish(roomId, { type: 'entries', entries: placed });
  return placed.map(({ position, time }) => ({ position, time }));
}

/** Where one entry came to stand. */
export function placeOne(tx: Transaction, roomId: RoomId, entry: NewEntry): LogPlacement {
  const [placement] = place(tx, roomId, [entry]);
  if (placement === undefined) throw new Error('an entry without a place');
  return placement;
}

export const placingOf = (row: { g: number; s: number; time: number }): LogPlacement => ({
  position: positionOf(row),
  time: row.time,
});
export const positionOf = (row: { g: number; s: number }): Position => ({ g: row.g, s: row.s });
