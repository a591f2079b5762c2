import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GUEST, INVITE, OWNER } from '../../../rooms/port/contract-room.spec-support.js';
import type { RoomEvent } from '../../../rooms/port/room-store.js';
import { decodeEvents, decodeDepartureNotice, ENTRY_KIND, REASON, ROLE } from './events.js';
import { encodeEvents, encodeRecord } from './events.spec-support.js';

const bytes = fc.uint8Array({ maxLength: 300 });
const number = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const position = fc.record({ g: number, s: number });
const who = fc.constantFrom(OWNER, GUEST);
const record = fc.record({
  kind: fc.constantFrom(...ENTRY_KIND.filter((kind) => kind !== null)),
  sender: who,
  time: number,
  clear: bytes,
  payload: bytes,
});
const entry = fc
  .record({
    position,
    record,
    wraps: fc.uniqueArray(fc.tuple(who, bytes), { selector: ([member]) => member }),
  })
  .map(({ position: at, record: rest, wraps }) => ({
    position: at,
    ...rest,
    ...(rest.kind === 'rotation' ? { wraps: new Map(wraps) } : {}),
  }));
const event: fc.Arbitrary<RoomEvent> = fc.oneof(
  fc.record({ type: fc.constant('entries' as const), entries: fc.array(entry, { maxLength: 5 }) }),
  fc.record({ type: fc.constant('generation' as const), generation: number, from: position }),
  fc.record({ type: fc.constant('role' as const), memberId: who, role: fc.constantFrom(...ROLE) }),
  fc.record({
    type: fc.constant('live' as const),
    memberId: who,
    connectionId: fc.string({ unit: 'grapheme' }),
  }),
  fc
    .record({ inviteId: fc.constant(INVITE), joiner: who, reason: fc.constantFrom(...REASON) })
    .map(({ inviteId, joiner, reason }) => ({
      type: 'join' as const,
      inviteId,
      joiner,
      ...(reason === null ? {} : { released: reason }),
    })),
  fc.record({ type: fc.constant('needKey' as const), memberId: who }),
  fc.record({ type: fc.constant('keyGrant' as const), to: who, from: who }),
  fc.record({ type: fc.constant('offer' as const), to: who }),
  fc.record({ type: fc.constant('acceptance' as const), from: who }),
  fc.record({ type: fc.constant('signal' as const), sender: who, epoch: number, payload: bytes }),
  fc.constant({ type: 'closed' as const }),
  fc.record({ type: fc.constant('tip' as const), tip: position, resumed: fc.constant(false) }),
);

test('what is published is read as it was meant, in its order', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 6 }), (events) => {
      expect(decodeEvents(encodeEvents(events))).toEqual(events);
    }),
  );
});

test('a departure notice is a position and a record', () => {
  fc.assert(
    fc.property(position, record, (at, rest) => {
      const place = Buffer.alloc(12);
      place.writeUIntBE(at.g, 0, 6);
      place.writeUIntBE(at.s, 6, 6);
      expect(decodeDepartureNotice(Buffer.concat([place, encodeRecord(rest)]))).toEqual({
        position: at,
        ...rest,
      });
    }),
  );
});

test('what ends early, and what is not one at all, is a RangeError and nothing else', () => {
  const readable = (message: Buffer): boolean => {
    try {
      decodeEvents(message);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      return false;
    }
  };
  fc.assert(
    fc.property(event, fc.nat(), (one, cut) => {
      const message = encodeEvents([one]);
      // The version alone is a message without events.
      expect(readable(message.subarray(0, 2 + (cut % (message.length - 2))))).toBe(false);
    }),
  );
  fc.assert(fc.property(bytes, (any) => void readable(Buffer.from(any))));
  expect(readable(Buffer.alloc(0))).toBe(false);
  expect(readable(Buffer.of(2))).toBe(false);
});

test('an event of a later version is passed over, those around it are read', () => {
  const closed = encodeEvents([{ type: 'closed' }]);
  const later = Buffer.of(99, 0, 0, 0, 3, 1, 2, 3);
  const message = Buffer.concat([closed, later, encodeEvents([{ type: 'offer', to: GUEST }]).subarray(1)]);
  expect(decodeEvents(message)).toEqual([{ type: 'closed' }, { type: 'offer', to: GUEST }]);
});
