/** Writes publications as scripts do: what events.ts reads is held to a second hand. */
import type { Position } from '@0fc/protocol';
import type { FeedEntry, LogEntry, RoomEvent } from '../../../rooms/port/room-store.js';
import { ENTRY_KIND, EVENT, FEED_VERSION, REASON, ROLE } from './events.js';

function uint(value: number, bytes: 1 | 2 | 4 | 6): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
const at = ({ g, s }: Position): Buffer => Buffer.concat([uint(g, 6), uint(s, 6)]);
const text = (value: string): Buffer => Buffer.from(value, 'utf8');

export const encodeRecord = ({ kind, sender, time, clear, payload }: Omit<LogEntry, 'position'>): Buffer =>
  Buffer.concat([
    uint(ENTRY_KIND.indexOf(kind), 1),
    text(sender),
    uint(time, 6),
    uint(clear.length, 4),
    clear,
    payload,
  ]);

function encodeEntry(entry: FeedEntry): Buffer {
  const record = encodeRecord(entry);
  const wraps = [...(entry.wraps ?? [])];
  return Buffer.concat([
    at(entry.position),
    uint(record.length, 4),
    record,
    uint(wraps.length, 2),
    ...wraps.flatMap(([memberId, wrap]) => [text(memberId), uint(wrap.length, 2), wrap]),
  ]);
}

function bodyOf(event: RoomEvent): Buffer {
  switch (event.type) {
    case 'entries':
      return Buffer.concat(event.entries.map(encodeEntry));
    case 'generation':
      return Buffer.concat([uint(event.generation, 6), at(event.from)]);
    case 'role':
      return Buffer.concat([text(event.memberId), uint(ROLE.indexOf(event.role), 1)]);
    case 'live':
      return text(event.memberId + event.connectionId);
    case 'join':
      return Buffer.concat([
        text(event.inviteId + event.joiner),
        uint(REASON.indexOf(event.released ?? null), 1),
      ]);
    case 'needKey':
      return text(event.memberId);
    case 'keyGrant':
      return text(event.to + event.from);
    case 'offer':
      return text(event.to);
    case 'acceptance':
      return text(event.from);
    case 'signal':
      return Buffer.concat([text(event.sender), uint(event.epoch, 6), event.payload]);
    case 'closed':
      return Buffer.alloc(0);
    case 'tip':
      return at(event.tip!);
  }
}

export const encodeEvents = (events: readonly RoomEvent[]): Buffer =>
  Buffer.concat([
    uint(FEED_VERSION, 1),
    ...events.flatMap((event) => {
      const body = bodyOf(event);
      return [uint(EVENT[event.type], 1), uint(body.length, 4), body];
    }),
  ]);
