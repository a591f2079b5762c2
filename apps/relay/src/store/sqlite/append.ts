/** Messages, leave requests, acknowledgements, signals. */
import { comparePositions, toBase64Url, type MemberId, type Position, type RoomId } from '@0fc/protocol';
import type { Append, Appended, LogPlacement } from '../../rooms/port/room-store.js';
import { otherEpoch, refuse, type Result } from '../../rooms/port/result.js';
import type { TokenBuckets } from '../../limits/token-buckets.js';
import { beginLeaving, departureNotice } from './departed.js';
import { isMember, memberRow, openRoom, place, placeOne, placingOf, touch, type NewEntry } from './room.js';
import type { Transaction } from './transaction.js';
import { placeSent } from './trim.js';

/** Membership, repetition, rate, epoch, in this order (section 6); the first refusal ends the prefix. */
export function append(tx: Transaction, buckets: TokenBuckets, command: Append): Appended {
  const { roomId, sender, messages, rate } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  if (!isMember(tx, roomId, sender)) return refuse('FORBIDDEN');
  const { row } = found;

  const bucket = buckets.of(`${roomId}/${sender}`, rate, tx.now);
  // A place in the log, or the index of the new entry that will have one.
  const slots: (LogPlacement | number)[] = [];
  const fresh = new Map<string, NewEntry>();
  let refusal: { refused?: 'STALE_EPOCH' | 'EPOCH_AHEAD' | 'RATE_LIMITED'; retryMs?: number } = {};
  for (const { id, epoch, clear, payload } of messages) {
    const key = toBase64Url(id);
    const sent = placeSent(tx, roomId, sender, id);
    if (sent !== undefined) {
      slots.push(placingOf(sent));
    } else if (fresh.has(key)) {
      // The same payload twice in one list is one message.
      slots.push([...fresh.keys()].indexOf(key));
    } else if (!bucket.take()) {
      refusal = { refused: 'RATE_LIMITED', retryMs: bucket.waitMs() };
      break;
    } else if (epoch !== row.epoch) {
      refusal = { refused: otherEpoch(epoch, row.epoch) };
      break;
    } else {
      slots.push(fresh.size);
      fresh.set(key, { kind: 'message', sender, clear, payload, id });
    }
  }

  const places = place(tx, roomId, [...fresh.values()]);
  if (fresh.size > 0) {
    tx.run('UPDATE rooms SET epoch_messages = epoch_messages + ? WHERE room_id = ?', fresh.size, roomId);
  }
  const placed = slots.map((slot): LogPlacement => {
    const placement = typeof slot === 'number' ? places[slot] : slot;
    if (placement === undefined) throw new Error('a message without a place');
    return placement;
  });
  return { ok: true, placed, ...refusal };
}

export function leave(
  tx: Transaction,
  command: { readonly roomId: RoomId; readonly memberId: MemberId; readonly request: Uint8Array },
): Result<{ readonly placed: LogPlacement }, 'FORBIDDEN'> {
  const { roomId, memberId, request } = command;
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const member = memberRow(tx, roomId, memberId);
  const stands = member?.standing === 'leaving' ? departureNotice(tx, roomId, memberId) : null;
  if (stands !== null) return { ok: true, placed: { position: stands.position, time: stands.time } };
  if (member?.standing !== 'member' || found.row.owner === memberId) return refuse('FORBIDDEN');
  const placed = placeOne(tx, roomId, {
    kind: 'leaveRequest',
    sender: memberId,
    clear: new Uint8Array(0),
    payload: request,
  });
  beginLeaving(tx, found.row, memberId, { ...placed, request });
  return { ok: true, placed };
}

export function acknowledge(
  tx: Transaction,
  roomId: RoomId,
  memberId: MemberId,
  position: Position,
): Result<object, 'FORBIDDEN'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  const member = memberRow(tx, roomId, memberId);
  if (member?.standing !== 'member') return refuse('FORBIDDEN');
  touch(tx, found.row);
  const tip = { g: found.row.generation, s: found.row.seq };
  const known = { g: member.ack_g, s: member.ack_s };
  const stored = comparePositions(position, tip) > 0 ? tip : position;
  if (comparePositions(stored, known) > 0) {
    tx.run(
      'UPDATE members SET ack_g = ?, ack_s = ? WHERE room_id = ? AND member_id = ?',
      stored.g,
      stored.s,
      roomId,
      memberId,
    );
  }
  return { ok: true };
}

export function announce(
  tx: Transaction,
  roomId: RoomId,
  memberId: MemberId,
  connectionId: string,
): Result<object, 'FORBIDDEN'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  if (!isMember(tx, roomId, memberId)) return refuse('FORBIDDEN');
  tx.publish(roomId, { type: 'live', memberId, connectionId });
  return { ok: true };
}

export function signal(
  tx: Transaction,
  roomId: RoomId,
  sender: MemberId,
  epoch: number,
  payload: Uint8Array,
): Result<object, 'FORBIDDEN' | 'STALE_EPOCH'> {
  const found = openRoom(tx, roomId);
  if (!found.ok) return found;
  if (!isMember(tx, roomId, sender)) return refuse('FORBIDDEN');
  if (epoch !== found.row.epoch) return refuse('STALE_EPOCH');
  // Who is there says so every minute: a room that is only read does not expire.
  touch(tx, found.row);
  tx.publish(roomId, { type: 'signal', sender, epoch, payload });
  return { ok: true };
}
