/**
 * What a room's channel carries: one message for each command, with all that it brought about, in order.
 *
 *   message    version (1), then events
 *   event      kind, u32 length, body; a kind that is not known is passed over
 *   position   u48 generation, u48 sequence number
 *   record     kind of entry, sender, u48 time, u32 length of clear, clear, payload
 *   id         22 letters
 *
 * Numbers are big-endian. The log's stream and departure notices have records of the same layout.
 */
import type { Bytes, EntryKind, InviteId, MemberId, Position, Role } from '@0fc/protocol';
import type { FeedEntry, LogEntry, RoomEvent } from '../../../rooms/port/room-store.js';
import type { DropReason } from '../../../rooms/port/store-invites.js';

export const FEED_VERSION = 1;

/** By their number; 0 is none. Scripts have the same tables (scripts/lib). */
export const ENTRY_KIND = [null, 'message', 'rotation', 'roster', 'leaveRequest'] as const;
export const ROLE = ['stranger', 'joiner', 'member', 'owner', 'departed'] as const;
export const REASON = [
  null,
  'declined',
  'badProof',
  'expired',
  'badConfirm',
  'other',
  'full',
  'altered',
] as const;
export const EVENT = {
  entries: 1, generation: 2, role: 3, live: 4, join: 5, needKey: 6, keyGrant: 7, offer: 8, acceptance: 9, signal: 10, closed: 11, tip: 12,
} as const; // prettier-ignore

const ID = 22;

/** Reads from the front; throws a RangeError where something is missing. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  uint(bytes: 1 | 2 | 4 | 6): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a publication ends early');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** A copy: many members' deliveries hold it, and none the whole message. */
  bytes(length: number): Bytes {
    return new Uint8Array(this.take(length));
  }

  rest(): Bytes {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** Which kind of id it is says the layout. */
  id(): MemberId & InviteId {
    return this.take(ID).toString('latin1') as MemberId & InviteId;
  }

  position(): Position {
    return { g: this.uint(6), s: this.uint(6) };
  }

  one<T>(names: readonly T[]): T {
    const name = names[this.uint(1)];
    if (name === undefined) throw new RangeError('a publication with an unknown name');
    return name;
  }
}

/** An entry of the log without its position. */
export function decodeRecord(record: Buffer): Omit<LogEntry, 'position'> {
  const cursor = new Cursor(record);
  const kind: EntryKind | null = cursor.one(ENTRY_KIND);
  if (kind === null) throw new RangeError('an entry of no kind');
  const sender = cursor.id();
  const time = cursor.uint(6);
  const clear = cursor.bytes(cursor.uint(4));
  return { kind, sender, time, clear, payload: cursor.rest() };
}

/** What a departed member is served: position and record. */
export function decodeDepartureNotice(notice: Buffer): LogEntry {
  const cursor = new Cursor(notice);
  return { position: cursor.position(), ...decodeRecord(cursor.take(notice.length - 12)) };
}

/** Throws a RangeError for what no relay of this version has published. */
export function decodeEvents(message: Buffer): RoomEvent[] {
  const cursor = new Cursor(message);
  if (cursor.uint(1) !== FEED_VERSION) throw new RangeError('a publication of another version');
  const events: RoomEvent[] = [];
  while (cursor.more) {
    const kind = cursor.uint(1);
    const event = decodeEvent(kind, new Cursor(cursor.take(cursor.uint(4))));
    if (event !== null) events.push(event);
  }
  return events;
}

function decodeEvent(kind: number, body: Cursor): RoomEvent | null {
  switch (kind) {
    case EVENT.entries:
      return { type: 'entries', entries: decodeEntries(body) };
    case EVENT.generation:
      return { type: 'generation', generation: body.uint(6), from: body.position() };
    case EVENT.role:
      return { type: 'role', memberId: body.id(), role: body.one<Role>(ROLE) };
    case EVENT.live:
      return { type: 'live', memberId: body.id(), connectionId: Buffer.from(body.rest()).toString('utf8') };
    case EVENT.join:
      return decodeJoin(body);
    case EVENT.needKey:
      return { type: 'needKey', memberId: body.id() };
    case EVENT.keyGrant:
      return { type: 'keyGrant', to: body.id(), from: body.id() };
    case EVENT.offer:
      return { type: 'offer', to: body.id() };
    case EVENT.acceptance:
      return { type: 'acceptance', from: body.id() };
    case EVENT.signal:
      return { type: 'signal', sender: body.id(), epoch: body.uint(6), payload: body.rest() };
    case EVENT.closed:
      return { type: 'closed' };
    case EVENT.tip:
      return { type: 'tip', tip: body.position(), resumed: false };
    default:
      return null;
  }
}

function decodeJoin(body: Cursor): RoomEvent {
  const inviteId = body.id();
  const joiner = body.id();
  const released: DropReason | null = body.one(REASON);
  return { type: 'join', inviteId, joiner, ...(released === null ? {} : { released }) };
}

function decodeEntries(body: Cursor): FeedEntry[] {
  const entries: FeedEntry[] = [];
  while (body.more) {
    const position = body.position();
    const entry = decodeRecord(body.take(body.uint(4)));
    const wraps = new Map<MemberId, Bytes>();
    for (let left = body.uint(2); left > 0; left--) wraps.set(body.id(), body.bytes(body.uint(2)));
    entries.push({ position, ...entry, ...(entry.kind === 'rotation' ? { wraps } : {}) });
  }
  return entries;
}
