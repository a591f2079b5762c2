/** Version 3 to 4 (docs/decisions/0029): a room of version 1 of the protocol is only read, and keeps no secret for more. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeCbor, toHex, type Bytes, type Schema } from '@0fc/protocol';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { decodeRoster } from '@0fc/crypto/verify';
import {
  decodeRecord, joinRecord, keyOf, outboxItem, senderRecord, sliceKey, SLICES, STORES,
} from '../records.js'; // prettier-ignore
import { outdatedRooms } from './03-outdated-rooms.js';
import { migrated, overlaid } from './run.js';
import type { RecordSource } from './migration.js';
import { sourceOf, type Fields } from './version-1.spec-support.js';
import { UNDER_WAY, version3, type UnderWay, type Version3 } from './version-3.spec-support.js';

beforeAll(() => loadThemis());

const everything: UnderWay = new Set(UNDER_WAY);

async function after(made: Version3): Promise<RecordSource> {
  const source = sourceOf(made.records);
  return overlaid(source, await outdatedRooms.migrate(source, nodeHash));
}

const all = async (source: RecordSource): Promise<string> => {
  const lists = await Promise.all(Object.values(STORES).map((store) => source.list(store)));
  return lists.flatMap((list) => list.map(({ value }) => toHex(value))).join('\n');
};
const found = async (source: RecordSource, secrets: readonly Bytes[]): Promise<number> => {
  const text = await all(source);
  return secrets.filter((secret) => text.includes(toHex(secret))).length;
};
const record = async (source: RecordSource, store: string, key: string): Promise<Bytes> =>
  (await source.list(store)).find((one) => one.key === key)?.value ?? new Uint8Array();
const slice = async (source: RecordSource, { membership }: Version3, name: string): Promise<Fields> =>
  decodeCbor(await record(source, 'slices', sliceKey(membership, name))) as Fields;

async function expectSlicesOfToday(now: RecordSource, { membership }: Version3): Promise<void> {
  for (const [name, schema] of Object.entries<Schema<unknown>>(SLICES)) {
    if (name === 'head') continue;
    decodeRecord(schema, await record(now, 'slices', sliceKey(membership, name)));
  }
  decodeRecord(SLICES.head, await record(now, 'rooms', membership));
}

describe('a room of version 1 of the protocol', () => {
  test('keeps no secret but its identity, whatever was under way, and every record has its form of today', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...UNDER_WAY]), async (names) => {
        const made = await version3(new Set(names));
        const before = sourceOf(made.records);
        expect(await found(before, made.secrets)).toBeGreaterThan(0);
        const now = await after(made);
        expect(await found(now, made.secrets)).toBe(0);
        expect(await found(now, [made.identity])).toBe(1);
        await expectSlicesOfToday(now, made);
        expect(decodeRoster(await record(now, 'slices', sliceKey(made.membership, 'roster'))).version).toBe(
          1,
        );
        for (const { value } of await now.list('senders')) decodeRecord(senderRecord, value);
        for (const { value } of await now.list('joins')) decodeRecord(joinRecord, value);
        for (const { value } of await now.list('outbox')) decodeRecord(outboxItem, value);
      }),
      { numRuns: 30 },
    );
  });

  test('has nothing under way any more; what was read, compared and written is as it was', async () => {
    const made = await version3(everything);
    const before = sourceOf(made.records);
    const now = await after(made);
    const { handOver, ...own } = await slice(before, made, 'own');
    expect(handOver).not.toBeNull();
    expect(await slice(now, made, 'own')).toEqual({
      ...own,
      prekeys: [],
      needKey: null,
      granted: [],
      leaveRequest: null,
      ownershipTransfer: null,
    });
    const owner = await slice(before, made, 'owner');
    expect(await slice(now, made, 'owner')).toEqual({
      rotationWanted: false,
      mustRotate: false,
      pending: null,
      tasks: { removals: [], settings: null, close: false },
      leaving: [],
      wrappedTo: [],
      settingsPlaced: owner.settingsPlaced,
    });
    const { told, ...reading } = await slice(before, made, 'reading');
    expect(await slice(now, made, 'reading')).toEqual({ ...reading, lastReadMarker: told });
    const { keys } = (await slice(before, made, 'keys')) as unknown as { keys: readonly Fields[] };
    expect(await slice(now, made, 'keys')).toEqual({ keys: keys.map((key) => ({ ...key, key: null })) });
    expect(await slice(now, made, 'place')).toEqual({
      ...(await slice(before, made, 'place')),
      provisional: 0,
    });
    await expectForkEpochs(before, now);
    for (const name of ['names', 'loss', 'roster'])
      expect(await record(now, 'slices', sliceKey(made.membership, name))).toEqual(
        await record(before, 'slices', sliceKey(made.membership, name)),
      );
    for (const store of ['rooms', 'chain', 'messages', 'effects'])
      expect(await now.list(store)).toEqual(await before.list(store));
    expect(await now.list('invites')).toEqual([]);
  });

  test('has what waited, as never sealed, and a join with all but its secrets', async () => {
    const made = await version3(everything);
    const before = sourceOf(made.records);
    const now = await after(made);
    const item = (of: RecordSource, n: number): Promise<Fields> =>
      record(of, 'outbox', keyOf(made.membership, n)).then((value) => decodeCbor(value) as Fields);
    for (const n of [3, 4])
      expect(await item(now, n)).toEqual({
        ...(await item(before, n)),
        sealed: null,
        acknowledged: false,
        only: null,
      });
    expect((await item(before, 3)).sealed).not.toBeNull();
    const [was, is] = await Promise.all(
      [before, now].map(async (of) => decodeCbor((await of.list('joins'))[0]!.value) as Fields),
    );
    const { privateKey, ...identity } = was!.identity as Fields;
    expect(privateKey).toHaveLength(45);
    expect(is).toEqual({
      ...was,
      token: new Uint8Array(32),
      joinKey: new Uint8Array(32),
      identity: { ...identity, privateKey: new Uint8Array(45) },
      prekey: {
        ...((was!.prekey as Fields).pair as Fields),
        privateKey: new Uint8Array(45),
        seed: new Uint8Array(64),
      },
    });
  });

  test('with a part that cannot be read is as damaged as it was, and keeps no other part in the old form', async () => {
    const made = await version3(everything);
    for (const lost of ['own', 'owner', 'keys', 'reading', 'roster']) {
      const slices = made.records.slices!.filter(({ key }) => !key.endsWith(`/${lost}`));
      const source = sourceOf({ ...made.records, slices });
      const now = overlaid(source, await migrated(3, source, nodeHash));
      expect((await now.list('slices')).map(({ key }) => key)).toEqual(slices.map(({ key }) => key));
      expect(await found(now, made.secrets)).toBe(0);
    }
  });

  test.each(['own', 'owner', 'keys', 'reading'])('whose slice %s is no record is damage', async (name) => {
    const made = await version3(everything);
    const key = sliceKey(made.membership, name);
    for (const value of [Uint8Array.of(0x80), Uint8Array.of(0xff), new Uint8Array()]) {
      const slices = made.records.slices!.map((one) => (one.key === key ? { key, value } : one));
      const source = sourceOf({ ...made.records, slices });
      await expect(migrated(3, source, nodeHash)).rejects.toMatchObject({ code: 'VAULT_DAMAGED' });
    }
  });
});

/** Of each sender it is said in which epoch its fork was shown last: of those of before, in none. */
async function expectForkEpochs(before: RecordSource, now: RecordSource): Promise<void> {
  const fieldsIn = async (records: RecordSource): Promise<readonly Fields[]> =>
    (await records.list('senders')).map(({ value }) => decodeCbor(value) as Fields);
  const was = await fieldsIn(before);
  expect(was.length).toBeGreaterThan(0);
  expect(await fieldsIn(now)).toEqual(was.map(({ forked: _was, ...sender }) => ({ ...sender, forkedIn: 0 })));
}

test('what is left of a room whose head is gone keeps no secret either', async () => {
  const made = await version3(everything);
  const source = sourceOf({ ...made.records, rooms: [] });
  const now = overlaid(source, await migrated(3, source, nodeHash));
  expect(await found(now, made.secrets)).toBe(0);
});

test('a room of version 2 goes on as it was, under the new names, and asks for its key again', async () => {
  const made = await version3(everything, 2);
  const before = sourceOf(made.records);
  const now = await after(made);
  await expectSlicesOfToday(now, made);
  const { handOver, ...own } = await slice(before, made, 'own');
  const { told, ...reading } = await slice(before, made, 'reading');
  expect(await slice(now, made, 'own')).toEqual({
    ...own,
    ownershipTransfer: handOver,
    granted: [],
    needKey: null,
  });
  expect(await slice(now, made, 'reading')).toEqual({ ...reading, lastReadMarker: told });
  await expectForkEpochs(before, now);
  for (const store of Object.values(STORES).filter((name) => name !== 'slices' && name !== 'senders'))
    expect(await now.list(store)).toEqual(await before.list(store));
  // All but the prekey of the request that is made again.
  expect(await found(now, made.secrets)).toBe(made.secrets.length - 1);
});

test('of no room there is nothing to change', async () => {
  expect(await outdatedRooms.migrate(sourceOf({}), nodeHash)).toEqual([]);
});
