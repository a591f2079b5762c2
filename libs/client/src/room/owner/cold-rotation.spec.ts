/** An owner without the key of its room: when it begins anew without it, and when not (docs/protocol.md section 7). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import {
  concat, decodeBody, decodeCbor, encodeCbor, type Body, type Bytes, type CborValue, type Entry, type MemberId,
} from '@0fc/protocol'; // prettier-ignore
import { makeKeyRequest, makeRotation, signPrekey } from '@0fc/crypto/keys';
import { containerBody } from '@0fc/crypto/verify';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import {
  alarmsOf,
  change,
  crypto,
  readEntry,
  recordsOf,
  RoomLog,
  type Person,
} from '../log/log.spec-support.js';
import { set } from '../state/draft.js';
import type { RoomState } from '../state/state.js';
import { Owner } from './owner.js';

const MINUTE_MS = 60_000;
/** Of a signed container, with the length of its body at 4. */
const HEADER_BYTES = 12;

let log: RoomLog;
let guest: Person;
let admission: Entry;
let clock: FakeClock;
let room: FakeRoom;
let owner: Owner;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  clock = new FakeClock(1_000_000);
  const { person, entry } = await log.admit();
  [guest, admission] = [person, entry];
  room = new FakeRoom(await log.reader(log.owner), clock);
  await readEntry(room.state, entry);
  owner = new Owner(room);
  owner.newSession();
  await loseKey();
});

/** Without the key, which it has asked for just now. */
async function loseKey(failed: readonly MemberId[] = []): Promise<void> {
  const { core } = room.state;
  const { identity, roomId, me: memberId, epoch } = core;
  const place = { epoch, rotation: room.state.roster.head, failed };
  const made = makeKeyRequest(crypto, { identity, roomId, memberId, ...place });
  await change(
    room.state,
    set({
      keys: core.keys.map((key) => ({ ...key, key: null })),
      needKey: { epoch, request: made.container, pair: made.prekey, since: clock.now(), failed: [...failed] },
    }),
  );
}

/** The rotation that it stores now; null: it stores none. */
async function stored(): Promise<Body<'rotation'> | null> {
  const due = await owner.next();
  if (due === null || !('kind' in due) || due.kind !== 'prekeys') return null;
  const { roomId } = room.state.core;
  const place = { identity: guest.identity, roomId, memberId: guest.id, k: 1 };
  const prekey = await signPrekey(crypto.hash, place, guest.prekey);
  await due.done?.({ prekeys: [{ memberId: guest.id, prekey }] });
  const clear = room.state.core.pending?.rotation?.clear;
  return clear === undefined ? null : rotationOf(clear);
}

const rotationOf = (clear: Bytes): Body<'rotation'> => decodeBody(containerBody(clear), 'rotation').body;

describe('an owner without the key rotates cold', () => {
  test('once a minute has brought no grant, and not before', async () => {
    expect(await owner.next()).toEqual({ afterMs: MINUTE_MS });
    clock.advance(MINUTE_MS - 1);
    expect(await stored()).toBeNull();
    clock.advance(1);
    expect(await stored()).toMatchObject({ cold: true, newEpoch: 2, unwrapped: [] });
    expect(room.state.core.pending).toMatchObject({ kind: 'rotate', entry: null });
  });

  test('a minute into this session, however long ago it asked', async () => {
    clock.advance(10 * MINUTE_MS);
    owner.newSession();
    expect(await owner.next()).toEqual({ afterMs: MINUTE_MS });
  });

  test('a minute into this session, however far ahead the clock was that it asked by', async () => {
    clock.advance(100 * MINUTE_MS);
    await loseKey();
    owner.newSession();
    clock.advance(-100 * MINUTE_MS);
    expect(await owner.next()).toEqual({ afterMs: MINUTE_MS });
    clock.advance(MINUTE_MS);
    expect(await stored()).toMatchObject({ cold: true });
  });

  test('at once after two grants that failed, and not after one', async () => {
    await loseKey([guest.id]);
    expect(await stored()).toBeNull();
    await loseKey([guest.id, (await log.admit()).person.id]);
    expect(await stored()).toMatchObject({ cold: true });
  });

  test('at once where its user asks for a rotation', async () => {
    const rotated = owner.rotateNow();
    await room.settled();
    expect(await stored()).toMatchObject({ cold: true });
    owner.stop();
    await expect(rotated).rejects.toMatchObject({ code: 'OFFLINE' });
  });

  test('at once where it is alone', async () => {
    log = await RoomLog.begin();
    room = new FakeRoom(await log.reader(log.owner), clock);
    owner = new Owner(room);
    await loseKey();
    expect(await stored()).toMatchObject({ cold: true });
  });

  test('before a removal that waits, and not as a part of it', async () => {
    await owner.remove(guest.id);
    clock.advance(MINUTE_MS);
    expect(await stored()).toMatchObject({ cold: true, unwrapped: [] });
    expect(room.state.core.pending?.entry).toBeNull();
    expect(room.state.core.tasks.removals).toEqual([guest.id]);
  });

  test('and sends what it has stored, although the key is granted meanwhile', async () => {
    clock.advance(MINUTE_MS);
    await stored();
    const { pending, keys } = room.state.core;
    await change(room.state, set({ needKey: null, keys: keys.map((one) => ({ ...one, key: log.key })) }));
    expect(await owner.next()).toMatchObject({ kind: 'rotate', body: pending!.rotation! });
  });
});

describe('an owner without the key rotates cold neither', () => {
  test('beside a command that it has stored', async () => {
    await change(room.state, set({ keys: room.state.core.keys.map((one) => ({ ...one, key: log.key })) }));
    await owner.changeSettings({ rotateEvery: 7 });
    await owner.next();
    const { pending } = room.state.core;
    expect(pending?.entry).not.toBeNull();
    await loseKey([guest.id, log.owner.id]);
    await change(room.state, set({ rotationWanted: true }));
    clock.advance(MINUTE_MS);
    await stored();
    expect(room.state.core.pending).toBe(pending);
  });

  test('after an import whose prekey is not replaced, whoever asks', async () => {
    await change(room.state, set({ imported: true, rotationWanted: true }));
    clock.advance(MINUTE_MS);
    expect(await owner.next()).toBeNull();
  });

  /** A rotation with a field of a later version, under a signature that is not verified once it is stored. */
  const withUnknownField = (clear: Bytes): Bytes => {
    const before = containerBody(clear);
    const [tag, known] = decodeCbor(before) as [string, Record<string, CborValue>];
    const body = encodeCbor([tag, { ...known, later: 1 }]);
    const header = clear.slice(0, HEADER_BYTES);
    new DataView(header.buffer).setUint32(4, body.length, true);
    return concat(header, body, clear.subarray(HEADER_BYTES + before.length));
  };

  test('where its epoch has what only a newer version understands: nor does it try without end', async () => {
    const rotation = withUnknownField((await log.rotate(guest.id)).clear);
    await change(
      room.state,
      set({
        rotationWanted: true,
        keys: room.state.core.keys.map((one) => ({ ...one, rotation, newer: true as const })),
      }),
    );
    clock.advance(MINUTE_MS);
    expect(await owner.next()).toBeNull();
  });

  test('with the key', async () => {
    await change(room.state, set({ keys: room.state.core.keys.map((one) => ({ ...one, key: log.key })) }));
    clock.advance(10 * MINUTE_MS);
    expect(await owner.next()).toBeNull();
    await change(room.state, set({ rotationWanted: true }));
    expect(await stored()).toMatchObject({ cold: false });
  });
});

test('an owner without the key closes its room all the same, with no rotation before', async () => {
  await owner.close();
  await owner.next();
  const { entry, rotation } = room.state.core.pending!;
  expect(decodeBody(containerBody(entry!), 'close').kind).toBe('close');
  expect(rotation).toBeNull();
});

describe('a cold rotation', () => {
  async function readByGuest(clear: Bytes, payload: Bytes, wrap: Bytes | undefined): Promise<RoomState> {
    const reader = await log.reader(guest);
    await readEntry(reader, admission);
    await change(reader, set({ keys: reader.core.keys.map((one) => ({ ...one, key: null })) }));
    log.epoch = 2;
    await readEntry(reader, await log.add('rotation', log.owner.id, payload, clear, wrap, true));
    return reader;
  }

  test('is shown to the others as one, and gives them the key', async () => {
    clock.advance(MINUTE_MS);
    await stored();
    const { rotation, candidate } = room.state.core.pending!;
    const reader = await readByGuest(rotation!.clear, rotation!.payload, rotation!.wraps[guest.id]);
    expect(recordsOf(reader).flatMap(({ items }) => items)).toContainEqual(
      expect.objectContaining({ event: 'rotatedCold', numbers: { epoch: 2 } }),
    );
    expect(reader.current.key).toEqual(candidate!.key);
  });

  test('of a member’s making is shown as a foreign one, and moves nothing', async () => {
    const made = await makeRotation(crypto, {
      identity: guest.identity, roster: { ...log.roster, owner: guest.id }, epoch: 1, roomKey: null, base: log.base,
      prekeys: log.prekeys(), least: new Map(),
    }); // prettier-ignore
    const { clear, payload, wraps } = made.command;
    const reader = await readByGuest(clear, payload, wraps[guest.id]);
    expect(alarmsOf(reader)).toEqual(['ALARM_FOREIGN_ROTATION']);
    expect(reader.core.epoch).toBe(1);
  });
});
