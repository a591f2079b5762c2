/** What a client makes of a relay that does not take its offer, or its acceptance, of a room. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { signBody } from '@0fc/crypto/keys';
import type { ErrorCode } from '@0fc/protocol';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { OwnershipTransfer } from './ownership-transfer.js';
import { change, crypto, RoomLog } from '../log/log.spec-support.js';
import type { Part } from '../outgoing/part.js';
import { Outgoing } from '../outgoing/outgoing.js';
import { extendChain } from '../state/draft.js';

beforeAll(async () => {
  await loadThemis();
});

/** Sends the due requests of a room, as the room does. */
async function send(room: FakeRoom, part: Part): Promise<void> {
  expect(room.signals).toBeGreaterThan(0);
  new Outgoing(room, [part]).signal();
  await room.settled();
}

/** The room has changed hands in the log, and this client has not read that far. */
async function offering(refuses: ErrorCode): Promise<FakeRoom> {
  const log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  const room = new FakeRoom(await log.reader(log.owner), new FakeClock(entry.time));
  const roster = log.roster;
  await change(room.state, extendChain(entry.payload, roster.head, roster));
  room.refuses = refuses;
  const handOver = new OwnershipTransfer(room);
  await handOver.offer(person.id);
  await send(room, handOver);
  expect(room.sent.map(({ kind }) => kind)).toEqual(['transferOffer']);
  return room;
}

async function accepting(refuses: ErrorCode): Promise<FakeRoom> {
  const log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  const room = new FakeRoom(await log.reader(person), new FakeClock(entry.time));
  await change(room.state, extendChain(entry.payload, log.roster.head, log.roster));
  room.refuses = refuses;
  const handOver = new OwnershipTransfer(room);
  const fields = { roomId: log.roster.roomId, old: log.owner.id, new: person.id };
  const offer = signBody(log.owner.identity, 'transferOffer', { ...fields, nonce: crypto.random.bytes(16) });
  await handOver.onOffered({ from: log.owner.id, offer });
  await handOver.accept();
  await send(room, handOver);
  expect(room.sent.map(({ kind }) => kind)).toEqual(['transferAcceptance']);
  return room;
}

describe.each([
  ['an offer', offering],
  ['an acceptance', accepting],
] as const)('%s', (_, refused) => {
  test.each(['FORBIDDEN', 'BAD_ENTRY', 'OFFLINE'] as const)(
    'that came too late (%s) does not stop the room: the log tells what has become of it',
    async (code) => {
      const room = await refused(code);
      expect(room.halted).toEqual([]);
      expect(room.state.core.handOver).not.toBeNull();
    },
  );

  test('that is no message of this version stops the room, and says so', async () => {
    expect((await refused('MALFORMED')).halted).toEqual([{ code: 'MALFORMED' }]);
  });
});
