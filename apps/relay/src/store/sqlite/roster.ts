/** Creation, roster entries and rotations: everything that moves a head or an epoch. */
import { equalBytes, type Bytes, type MemberId, type RoomId } from '@0fc/protocol';
import type {
  AddWraps,
  AppendRoster,
  CreateRoom,
  MovedCode,
  LogPlacement,
  Rotate,
  RoomStore,
  StoreRotation,
} from '../../rooms/port/room-store.js';
import type { TokenBuckets } from '../../limits/token-buckets.js';
import { otherEpoch, refuse, type Refused, type Result } from '../../rooms/port/result.js';
import { admitJoin, endJoins } from './invite-row.js';
import { depart, stay } from './departed.js';
import { closeRoom } from './end.js';
import { findRow, isMember, openRoom, place, placeOne, placingOf, positionOf, type RoomRow } from './room.js';
import type { Transaction } from './transaction.js';

const NOTHING = new Uint8Array(0);

interface Stands {
  readonly g: number;
  readonly s: number;
  readonly time: number;
}

export function createRoom(
  tx: Transaction,
  command: CreateRoom,
): Result<{ readonly placed: LogPlacement }, 'ROOM_EXISTS'> {
  const { roomId, version, genesis, head, owner, history, restored } = command;
  const found = openRoom(tx, roomId);
  if (found.ok) {
    const stands = chainEntry(tx, roomId, head);
    return stands === undefined ? refuse('ROOM_EXISTS') : { ok: true, placed: placingOf(stands) };
  }
  if (found.code === 'ROOM_CLOSED') return refuse('ROOM_CLOSED');
  // No start of the store: the first use of a room that was brought back begins a generation.
  const boot = restored ? '' : tx.boot;
  tx.run(
    `INSERT INTO rooms (room_id, owner, epoch, epoch_g, epoch_s, epoch_messages, head, length, generation, seq,
       trimmed_g, trimmed_s, boot, closed, used_at, history, entries, bytes, owed, version)
     VALUES (?, ?, 1, 1, 0, 0, ?, 1, 1, 0, 1, 0, ?, 0, ?, ?, 1, ?, 0, ?)`,
    roomId, owner, head, boot, tx.now, history, genesis.length, version,
  ); // prettier-ignore
  addMember(tx, roomId, owner, { g: 1, s: 0 });
  tx.run('INSERT INTO chain VALUES (?, 0, ?, 1, 0, ?, ?)', roomId, head, tx.now, genesis);
  tx.run(
    "INSERT INTO log VALUES (?, 1, 0, 'roster', ?, ?, ?, ?, NULL, ?)",
    roomId, owner, tx.now, NOTHING, genesis, genesis.length,
  ); // prettier-ignore
  return { ok: true, placed: { position: { g: 1, s: 0 }, time: tx.now } };
}

function addMember(
  tx: Transaction,
  roomId: RoomId,
  memberId: MemberId,
  floor: { g: number; s: number },
  firstPrekey: Bytes | null = null,
): void {
  tx.run(
    `INSERT INTO members (room_id, member_id, ordinal, standing, floor_g, floor_s, ack_g, ack_s, prekey_k, prekey)
     VALUES (?1, ?2, (SELECT count(*) FROM members WHERE room_id = ?1), 'member', ?3, ?4, ?3, ?4, ?5, ?6)`,
    roomId, memberId, floor.g, floor.s, firstPrekey === null ? 0 : 1, firstPrekey,
  ); // prettier-ignore
}

const chainEntry = (tx: Transaction, roomId: RoomId, head: Bytes): Stands | undefined =>
  tx.all<Stands>('SELECT g, s, time FROM chain WHERE room_id = ? AND head = ?', roomId, head)[0];

function rotationStands(tx: Transaction, roomId: RoomId, newEpoch: number, hash: Bytes): Stands | undefined {
  const row = tx.all<Stands & { hash: Bytes }>(
    'SELECT g, s, time, hash FROM rotations WHERE room_id = ? AND epoch = ?',
    roomId,
    newEpoch,
  )[0];
  return row !== undefined && equalBytes(row.hash, hash) ? row : undefined;
}

export function findRoster(
  tx: Transaction,
  roomId: RoomId,
  head: Bytes,
): Result<{ readonly placed: LogPlacement | null }> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found.code === 'ROOM_CLOSED' ? closingEntry(tx, roomId, head) : found;
  const stands = chainEntry(tx, roomId, head);
  return { ok: true, placed: stands === undefined ? null : placingOf(stands) };
}

/** Of a closed room's chain only the end is known: who closes it again has closed it. */
function closingEntry(
  tx: Transaction,
  roomId: RoomId,
  head: Bytes,
): Result<{ readonly placed: LogPlacement }> {
  const row = findRow(tx, roomId);
  if (row?.closed !== 1 || !equalBytes(row.head, head)) return refuse('ROOM_CLOSED');
  return {
    ok: true,
    placed: { position: positionOf({ g: row.generation, s: row.seq }), time: row.used_at },
  };
}

export function findRotation(
  tx: Transaction,
  roomId: RoomId,
  newEpoch: number,
  hash: Bytes,
): Result<{ readonly placed: LogPlacement | null }> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const stands = rotationStands(tx, roomId, newEpoch, hash);
  return { ok: true, placed: stands === undefined ? null : placingOf(stands) };
}

function epochRefusal(row: RoomRow, epoch: number): Refused<'STALE_EPOCH' | 'EPOCH_AHEAD'> | null {
  if (epoch === row.epoch) return null;
  return refuse(otherEpoch(epoch, row.epoch));
}

/** Null: nothing stands in the way of one more. */
function settingsRefusal(
  tx: Transaction,
  buckets: TokenBuckets,
  row: RoomRow,
  { change, restored }: AppendRoster,
): Refused<'SETTINGS_LIMIT' | 'RATE_LIMITED'> | null {
  if (change.kind !== 'settings') return null;
  const { entries, rate } = change.limits;
  if (row.settings >= entries) return refuse('SETTINGS_LIMIT');
  if (restored) return null;
  const bucket = buckets.of(`${row.room_id}/settings`, rate, tx.now);
  return bucket.take() ? null : refuse('RATE_LIMITED', bucket.waitMs());
}

export function appendRoster(
  tx: Transaction,
  buckets: TokenBuckets,
  command: AppendRoster,
): Awaited<ReturnType<RoomStore['appendRoster']>> {
  const { roomId, change, rotation } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const { row } = found;
  const stands = chainEntry(tx, roomId, command.head);
  if (stands !== undefined) return repeated(tx, command, stands);
  if (row.owner !== command.signer || !equalBytes(row.head, command.before)) return refuse('STALE_HEAD');
  const moved =
    epochRefusal(row, command.epoch) ??
    (rotation === undefined ? null : epochRefusal(row, rotation.newEpoch - 1));
  if (moved !== null) return moved;
  // Whatever followed a departure followed its rotation, which names the departure as the head.
  if (row.owed !== 0) return refuse('EPOCH_AHEAD');
  // A leaver is on the roster still; but a room that is its own would have nobody who acts.
  if (change.kind === 'transfer' && !isMember(tx, roomId, change.to)) {
    if (!command.restored || !stay(tx, roomId, change.to)) return refuse('BAD_ENTRY');
  }
  const full = settingsRefusal(tx, buckets, row, command);
  if (full !== null) return full;
  if (change.kind === 'admit' && !admitJoin(tx, roomId, change, command)) return refuse('INVITE_UNKNOWN');

  const placed = placeOne(tx, roomId, {
    kind: 'roster',
    sender: command.signer,
    clear: NOTHING,
    payload: command.container,
  });
  const { g, s } = placed.position;
  tx.run(
    'INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?, ?)',
    roomId, row.length, command.head, g, s, tx.now, command.container,
  ); // prettier-ignore
  tx.run('UPDATE rooms SET head = ?, length = length + 1 WHERE room_id = ?', command.head, roomId);
  apply(tx, { ...row, head: command.head }, command, placed);
  if (rotation === undefined) return { ok: true, placed };
  return { ok: true, placed, rotation: placeRotation(tx, roomId, command.signer, rotation) };
}

function repeated(
  tx: Transaction,
  { roomId, rotation }: AppendRoster,
  stands: Stands,
): Result<{ readonly placed: LogPlacement; readonly rotation?: LogPlacement }, MovedCode> {
  const placed = placingOf(stands);
  if (rotation === undefined) return { ok: true, placed };
  const rotated = rotationStands(tx, roomId, rotation.newEpoch, rotation.hash);
  // The same entry with another rotation: the first one stands.
  return rotated === undefined ? refuse('STALE_EPOCH') : { ok: true, placed, rotation: placingOf(rotated) };
}

/** What an entry does to the members, the joins and the room. */
function apply(tx: Transaction, row: RoomRow, command: AppendRoster, placed: LogPlacement): void {
  const { room_id: roomId } = row;
  const { change, signer, container, rotation } = command;
  switch (change.kind) {
    case 'admit':
      addMember(tx, roomId, change.member, { g: row.epoch_g, s: row.epoch_s }, change.firstPrekey);
      tx.publish(roomId, { type: 'role', memberId: change.member, role: 'member' });
      tx.publish(roomId, { type: 'join', inviteId: change.inviteId, joiner: change.member });
      return;
    case 'remove':
    case 'leave':
      depart(tx, row, change.member, change.kind === 'remove' ? 'removed' : 'left', {
        ...placed,
        kind: 'roster',
        sender: signer,
        payload: container,
      });
      if (rotation === undefined) tx.run('UPDATE rooms SET owed = 1 WHERE room_id = ?', roomId);
      return;
    case 'transfer':
      tx.run('UPDATE rooms SET owner = ? WHERE room_id = ?', change.to, roomId);
      tx.run('DELETE FROM offers WHERE room_id = ?', roomId);
      tx.publish(roomId, { type: 'role', memberId: change.from, role: 'member' });
      tx.publish(roomId, { type: 'role', memberId: change.to, role: 'owner' });
      // Its invites are secrets of the old owner's vault (section 4).
      endJoins(tx, roomId);
      return;
    case 'settings':
      tx.run(
        'UPDATE rooms SET history = ?, settings = settings + 1 WHERE room_id = ?',
        change.history,
        roomId,
      );
      return;
    case 'close':
      closeRoom(tx, row, placed, container);
      return;
    case 'upgrade':
      return;
  }
}

export function rotate(
  tx: Transaction,
  command: Rotate,
): Result<{ readonly placed: LogPlacement }, MovedCode> {
  const { roomId, rotation } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const { row } = found;
  const stands = rotationStands(tx, roomId, rotation.newEpoch, rotation.hash);
  if (stands !== undefined) return { ok: true, placed: placingOf(stands) };
  const { signer, head } = command;
  if (row.owner !== signer || !equalBytes(row.head, head)) return refuse('STALE_HEAD');
  const moved = epochRefusal(row, rotation.newEpoch - 1);
  if (moved !== null) return moved;
  const placed = placeRotation(tx, roomId, signer, rotation);
  tx.run('UPDATE rooms SET owed = 0 WHERE room_id = ?', roomId);
  return { ok: true, placed };
}

function placeRotation(
  tx: Transaction,
  roomId: RoomId,
  sender: MemberId,
  rotation: StoreRotation,
): LogPlacement {
  const { clear, payload, newEpoch, hash } = rotation;
  // A leaver is on the roster, so it has a wrap; but nobody is there to be handed it.
  const wraps = new Map([...rotation.wraps].filter(([memberId]) => isMember(tx, roomId, memberId)));
  const [placed] = place(tx, roomId, [{ kind: 'rotation', sender, clear, payload, wraps }]);
  if (placed === undefined) throw new Error('a rotation without a place');
  const { g, s } = placed.position;
  tx.run('UPDATE rotations SET clear = NULL, payload = NULL WHERE room_id = ? AND clear IS NOT NULL', roomId);
  tx.run(
    'INSERT INTO rotations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    roomId, newEpoch, hash, g, s, tx.now, sender, clear, payload,
  ); // prettier-ignore
  tx.run(
    'UPDATE rooms SET epoch = ?, epoch_g = ?, epoch_s = ?, epoch_messages = 0 WHERE room_id = ?',
    newEpoch,
    g,
    s,
    roomId,
  );
  // What was granted was the key of the epoch that has just ended.
  tx.run(
    `DELETE FROM key_requests WHERE room_id = ?1 AND member_id IN (SELECT member_id FROM key_grants WHERE room_id = ?1)`,
    roomId,
  );
  tx.run('DELETE FROM key_grants WHERE room_id = ?', roomId);
  return placed;
}

/** A rotation that was brought back without them gets the wraps that somebody still has. */
export function addWraps(
  tx: Transaction,
  command: AddWraps,
): Result<{ readonly placed: LogPlacement | null }> {
  const { roomId, by, newEpoch, hash, wraps } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const stands = rotationStands(tx, roomId, newEpoch, hash);
  if (stands === undefined) return { ok: true, placed: null };
  const { g, s } = stands;
  const entry = tx.all<{ sender: MemberId }>(
    'SELECT sender FROM log WHERE room_id = ? AND g = ? AND s = ?',
    roomId,
    g,
    s,
  )[0];
  let added = 0;
  for (const [memberId, wrap] of wraps) {
    const may =
      entry !== undefined && (memberId === by || entry.sender === by) && isMember(tx, roomId, memberId);
    if (!may) continue;
    if (tx.run('INSERT OR IGNORE INTO wraps VALUES (?, ?, ?, ?, ?)', roomId, g, s, memberId, wrap) > 0) {
      added += wrap.length;
    }
  }
  if (added > 0) {
    tx.run('UPDATE log SET bytes = bytes + ? WHERE room_id = ? AND g = ? AND s = ?', added, roomId, g, s);
    tx.run('UPDATE rooms SET bytes = bytes + ? WHERE room_id = ?', added, roomId);
  }
  return { ok: true, placed: placingOf(stands) };
}
