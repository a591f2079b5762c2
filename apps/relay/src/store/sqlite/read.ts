/** Reading a room: its state, its log by pages, its chain. */
import {
  comparePositions,
  type Bytes,
  type GenerationStart,
  type MemberId,
  type Position,
  type Role,
  type RoomId,
} from '@0fc/protocol';
import type { LogPage, ReadEntry, ReadLog, ReadRotation, RoomFacts } from '../../rooms/port/room-store.js';
import { refuse, type Result } from '../../rooms/port/result.js';
import { departedPage } from './departed.js';
import { isAnswered } from './invite-row.js';
import {
  factsOf,
  memberRow,
  openRoom,
  positionOf,
  roleOf,
  touch,
  type LogRow,
  type RoomRow,
} from './room.js';
import type { Transaction } from './transaction.js';

/** A room that its owner closed: only who was a member learns that it was one. */
function closedRoom(tx: Transaction, roomId: RoomId, memberId: MemberId): RoomRow | undefined {
  const row = tx.all<RoomRow>('SELECT * FROM rooms WHERE room_id = ? AND closed = 1', roomId)[0];
  return row !== undefined && memberRow(tx, roomId, memberId) !== undefined ? row : undefined;
}

export function readRoom(
  tx: Transaction,
  roomId: RoomId,
  memberId: MemberId,
): Result<{ readonly room: RoomFacts; readonly role: Role }> {
  const found = openRoom(tx, roomId);
  if (found.ok) return { ok: true, room: factsOf(found.row), role: roleOf(tx, found.row, memberId) };
  const closed = found.code === 'ROOM_CLOSED' ? closedRoom(tx, roomId, memberId) : undefined;
  return closed === undefined ? found : { ok: true, room: factsOf(closed), role: 'departed' };
}

export function readLog(tx: Transaction, command: ReadLog): Result<{ readonly page: LogPage }, 'FORBIDDEN'> {
  const { roomId, memberId } = command;
  const found = openRoom(tx, roomId);
  const row = found.ok ? found.row : closedRoom(tx, roomId, memberId);
  if (row === undefined) return found.ok ? refuse('ROOM_UNKNOWN') : found;
  const member = memberRow(tx, roomId, memberId);
  if (member === undefined) return refuse('FORBIDDEN');
  if (member.standing !== 'member') return { ok: true, page: departedPage(tx, row, member) };

  touch(tx, row);
  const floor = { g: member.floor_g, s: member.floor_s };
  const wanted = command.after ?? { g: floor.g, s: floor.s - 1 };
  // A newcomer gets what came since the floor, whatever it asks for (section 8).
  const after = command.after !== null && comparePositions(wanted, floor) < 0 ? floor : wanted;
  const { listed, from, upTo } =
    behindEdge(tx, row, after) ?? generationsAfter(tx, roomId, after, command.maxGenerations);
  const { entries, more } = entriesBetween(tx, command, from, upTo);
  return {
    ok: true,
    page: {
      role: row.owner === memberId ? 'owner' : 'member',
      room: factsOf(row),
      generations: listed,
      rotation: rotationBehind(tx, row, memberId, after),
      entries,
      end: upTo === null && !more,
      prekey: member.prekey,
    },
  };
}

/** The rotation that began the epoch, if this reader has yet to read it, and the log has it no more. */
function rotationBehind(
  tx: Transaction,
  row: RoomRow,
  memberId: MemberId,
  after: Position,
): ReadRotation | null {
  const position = { g: row.epoch_g, s: row.epoch_s };
  const edge = { g: row.trimmed_g, s: row.trimmed_s };
  const behind = comparePositions(after, position) < 0 && comparePositions(position, edge) <= 0;
  if (row.trimmed_t === null || !behind) return null;
  const rotation = tx.all<Omit<LogRow, 'kind'> & { readonly wrap: Bytes | null }>(
    `SELECT rotations.*, wraps.wrap FROM rotations
       LEFT JOIN wraps ON wraps.room_id = rotations.room_id AND wraps.g = rotations.g AND wraps.s = rotations.s
         AND wraps.member_id = ?
     WHERE rotations.room_id = ? AND epoch = ? AND clear IS NOT NULL`,
    memberId,
    row.room_id,
    row.epoch,
  )[0];
  if (rotation === undefined) return null;
  const kind = 'rotation';
  return { ...entryOf({ ...rotation, kind }, rotation.wrap), kind };
}

interface Span {
  readonly listed: readonly GenerationStart[];
  readonly from: Position;
  readonly upTo: Position | null;
}

/**
 * For a reader behind the trimmed edge: on from there, up to the next generation, whose start
 * applies to the edge and so comes with the next page. Of generations that went with the range
 * only the first can have taken something away that this reader had; null: it is not behind.
 */
function behindEdge(tx: Transaction, row: RoomRow, after: Position): Span | null {
  const edge = { g: row.trimmed_g, s: row.trimmed_s };
  if (row.trimmed_t === null || comparePositions(after, edge) >= 0) return null;
  const { listed, upTo } = generationsAfter(tx, row.room_id, edge, 1);
  const gone = startsAfter(tx, row.room_id, after.g, 1).filter(
    ({ generation, from }) => generation <= edge.g && comparePositions(from, after) < 0,
  );
  return { listed: gone, from: edge, upTo: listed[0]?.from ?? upTo };
}

/**
 * Generations begun after a position, as far as no entry lies between them. So a page never
 * holds entries of two generations, and its list of generations applies before its entries.
 */
function generationsAfter(tx: Transaction, roomId: RoomId, after: Position, most: number): Span {
  const starts = startsAfter(tx, roomId, after.g, most + 1);
  const [first] = starts;
  if (first === undefined) return { listed: [], from: after, upTo: null };
  if (comparePositions(after, first.from) < 0) return { listed: [], from: after, upTo: first.from };
  const others = starts.findIndex(({ from }) => from.s !== first.from.s);
  const listed = starts.slice(0, Math.min(most, others === -1 ? starts.length : others));
  const last = listed.at(-1) ?? first;
  return {
    listed,
    from: { g: last.generation, s: last.from.s },
    upTo: starts[listed.length]?.from ?? null,
  };
}

const startsAfter = (tx: Transaction, roomId: RoomId, generation: number, most: number): GenerationStart[] =>
  tx
    .all<{ generation: number; from_g: number; from_s: number }>(
      'SELECT * FROM generations WHERE room_id = ? AND generation > ? ORDER BY generation LIMIT ?',
      roomId,
      generation,
      most,
    )
    .map((row) => ({ generation: row.generation, from: { g: row.from_g, s: row.from_s } }));

function entriesBetween(tx: Transaction, command: ReadLog, after: Position, upTo: Position | null) {
  const { roomId, memberId } = command;
  const rows = tx.all<LogRow & { readonly wrap: Bytes | null }>(
    `SELECT log.*, wraps.wrap FROM log
       LEFT JOIN wraps ON wraps.room_id = log.room_id AND wraps.g = log.g AND wraps.s = log.s AND wraps.member_id = ?
     WHERE log.room_id = ? AND (log.g, log.s) > (?, ?) AND (log.g, log.s) <= (?, ?)
     ORDER BY log.g, log.s LIMIT ?`,
    memberId,
    roomId,
    after.g,
    after.s,
    upTo?.g ?? Number.MAX_SAFE_INTEGER,
    upTo?.s ?? Number.MAX_SAFE_INTEGER,
    command.maxEntries + 1,
  );
  const entries: ReadEntry[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, command.maxEntries)) {
    bytes += row.clear.length + row.payload.length + (row.wrap?.length ?? 0);
    if (entries.length > 0 && bytes > command.maxBytes) break;
    entries.push(entryOf(row, row.wrap));
  }
  return { entries, more: entries.length < rows.length };
}

function entryOf(row: LogRow, wrap: Bytes | null): ReadEntry {
  const { kind, sender, time, clear, payload } = row;
  return {
    position: positionOf(row),
    kind,
    sender,
    time,
    clear,
    payload,
    ...(wrap === null ? {} : { wrap }),
  };
}

export function readChain(
  tx: Transaction,
  roomId: RoomId,
  from: number,
  limit: number,
  reader?: MemberId,
): Result<{ readonly entries: readonly Bytes[]; readonly length: number }, 'FORBIDDEN'> {
  const found = openRoom(tx, roomId);
  const closed = found.ok || reader === undefined ? undefined : closedRoom(tx, roomId, reader);
  if (!found.ok && closed === undefined) return found;
  const departed = reader !== undefined && memberRow(tx, roomId, reader) !== undefined;
  if (reader !== undefined && !departed && !isAnswered(tx, roomId, reader)) return refuse('FORBIDDEN');
  const length = departed ? lengthFor(tx, roomId, reader) : found.ok ? found.row.length : 0;
  const rows = tx.all<{ container: Bytes }>(
    'SELECT container FROM chain WHERE room_id = ? AND idx >= ? AND idx < ? ORDER BY idx LIMIT ?',
    roomId,
    from,
    length,
    limit,
  );
  return { ok: true, entries: rows.map(({ container }) => container), length };
}

/** Entries of the chain up to where a member has gone: none of what came later, and none without a member. */
function lengthFor(tx: Transaction, roomId: RoomId, memberId: MemberId): number {
  return (
    tx.all<{ length: number }>(
      `SELECT idx + 1 AS length FROM chain
         JOIN members USING (room_id) JOIN rooms USING (room_id)
       WHERE room_id = ? AND member_id = ? AND chain.head = coalesce(gone_head, rooms.head)`,
      roomId,
      memberId,
    )[0]?.length ?? 0
  );
}
