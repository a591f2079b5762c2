/** What becomes of the records of an older client (docs/protocol.md section 9; G14): all of them, once, or nothing. */
import { nodeHash, loadThemis } from '@0fc/crypto/node';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { decodeCbor, encodeCbor, utf8, type Bytes } from '@0fc/protocol';
import type { StorageChange } from '../../contract/ports.js';
import { RoomState } from '../../room/state/state.js';
import { change, crypto } from '../../room/log/log.spec-support.js';
import { set } from '../../room/state/draft.js';
import { keyOf, STORES } from '../records.js';
import { WatchedStorage } from '../../room/state/storage.spec-support.js';
import { headerIn, makeEarlier } from '../../../../../test/support/earlier-vault.js';
import { Vault } from '../vault.js';
import { roomSlices } from './01-room-slices.js';
import { migrated, overlaid, RECORDS_VERSION } from './run.js';
import {
  oldRoom,
  recordsOf,
  sourceOf,
  type Fields,
  type OldRoom,
  type Records,
} from './version-1.spec-support.js';
import { quickPassphrases } from '../quick-passphrases.spec-support.js';

const PASSPHRASE = 'a long enough passphrase';

let old: OldRoom;
let records: Records;

beforeAll(async () => {
  await loadThemis();
  old = await oldRoom();
  records = recordsOf(old);
});

const places = (changes: readonly StorageChange[]): readonly string[] =>
  changes.map(({ store, key }) => `${store} ${key}`.replaceAll(old.roomId, 'room')).sort();

/** Everything a source has in the stores of a vault. */
const everything = (source: ReturnType<typeof sourceOf>): Promise<unknown> =>
  Promise.all(Object.values(STORES).map((store) => source.list(store)));

const damagedBy = (fields: Fields): Promise<readonly StorageChange[]> =>
  migrated(1, sourceOf({ rooms: [{ key: old.roomId, value: encodeCbor(fields) }] }), nodeHash);

const picked = (fields: Fields, ...names: readonly string[]): Fields =>
  Object.fromEntries(names.map((name) => [name, fields[name]!]));

describe('version 1 to 2', () => {
  test('cuts the record of a room into slices, one field in one of them, and keeps each sender by itself', async () => {
    const changes = await roomSlices.migrate(sourceOf(records), nodeHash);
    const [all, read, retired] = old.senders;
    const slices = ['keys', 'loss', 'names', 'own', 'owner', 'place', 'reading', 'roster'];
    expect(places(changes)).toEqual([
      `outbox ${keyOf('room', 3)}`,
      `outbox ${keyOf('room', 4)}`,
      'rooms room',
      ...[all, read, retired].map((sender) => `senders room/${sender}`).sort(),
      ...slices.map((slice) => `slices room/${slice}`),
    ]);
    const value = (store: string, key: string): Bytes =>
      changes.find((made) => made.store === store && made.key === key)?.value ?? new Uint8Array();
    expect(value('slices', `${old.roomId}/roster`)).toEqual(old.fields.roster);
    const parts = [value('rooms', old.roomId), ...slices.slice(0, -1).map((slice) => value('slices', `${old.roomId}/${slice}`))]; // prettier-ignore
    const decoded = parts.map((part) => decodeCbor(part) as Fields);
    const names = decoded.flatMap((part) => Object.keys(part));
    expect(new Set(names).size).toBe(names.length);
    const elsewhere = ['roster', 'counters', 'retired', 'seen', 'forked'];
    const kept = Object.keys(old.fields).filter((name) => !elsewhere.includes(name));
    expect(Object.assign({}, ...decoded)).toEqual({ ...picked(old.fields, ...kept), version: 2 });
    expect(decoded[0]).toEqual({ version: 2, ...picked(old.fields, 'roomId', 'me', 'identity', 'instance') });

    const sender = (name: string): unknown => decodeCbor(value('senders', `${old.roomId}/${name}`));
    const [last, lastOfRetired] = old.fields.counters as unknown as readonly { instance: Bytes; n: number }[];
    const [first, second, third] = old.fields.retired as unknown as readonly { instance: Bytes; n: number }[];
    const bare = ({ instance, n }: { instance: Bytes; n: number }) => ({ instance, n });
    expect([all, read, retired].map(sender)).toEqual([
      {
        counter: bare(last!),
        retired: [bare(first!), bare(second!)],
        seen: { g: 1, s: 2 },
        forked: true,
        missing: [],
      },
      { counter: null, retired: [], seen: { g: 1, s: 1 }, forked: true, missing: [] },
      { counter: bare(lastOfRetired!), retired: [bare(third!)], seen: null, forked: false, missing: [] },
    ]);
  });

  test('keeps what waits: what was sealed may have been acknowledged, and is sealed for no other epoch', async () => {
    const [sealed, unsealed] = records.outbox!.map(({ key, value }) => ({
      key,
      item: decodeCbor(value) as Fields,
    }));
    const now = new Map(
      (await roomSlices.migrate(sourceOf(records), nodeHash)).map(({ key, value }) => [key, value]),
    );
    const item = (of: typeof sealed): unknown => decodeCbor(now.get(of!.key) ?? new Uint8Array());
    expect(item(sealed)).toEqual({
      ...sealed!.item,
      acknowledged: true,
      only: null,
      writtenAt: 1,
      confirmed: false,
    });
    expect(item(unsealed)).toEqual({
      ...unsealed!.item,
      acknowledged: false,
      only: null,
      writtenAt: 1,
      confirmed: false,
    });
  });

  test('is the same however often it is asked for, and changes nothing of what it reads', async () => {
    const source = sourceOf(records);
    const before = await everything(source);
    const changes = await migrated(1, source, nodeHash);
    expect(await migrated(1, source, nodeHash)).toEqual(changes);
    expect(await everything(source)).toEqual(before);
    const done = overlaid(source, changes);
    expect(await migrated(RECORDS_VERSION, done, nodeHash)).toEqual([]);
    expect(await everything(overlaid(done, changes))).toEqual(await everything(done));
  });

  test('of no room, and of several, is of each by itself', async () => {
    expect(await migrated(1, sourceOf({}), nodeHash)).toEqual([]);
    const other = await oldRoom();
    const both = sourceOf(
      Object.fromEntries(
        Object.keys(records).map((store) => [store, [...records[store]!, ...recordsOf(other)[store]!]]),
      ),
    );
    const alone = await Promise.all(
      [old, other].map((room) => migrated(1, sourceOf(recordsOf(room)), nodeHash)),
    );
    const byPlace = (a: StorageChange, b: StorageChange): number =>
      `${a.store} ${a.key}` < `${b.store} ${b.key}` ? -1 : 1;
    expect([...(await migrated(1, both, nodeHash))].sort(byPlace)).toEqual(alone.flat().sort(byPlace));
  });

  test('of a record that is none of version 1 is VAULT_DAMAGED', async () => {
    const { fields } = old;
    const without = (name: string): Fields =>
      picked(fields, ...Object.keys(fields).filter((known) => known !== name));
    const wrong: readonly (readonly [string, Fields])[] = [
      ...Object.keys(fields).filter((name) => name !== 'version').map((name) => [`no ${name}`, without(name)] as const),
      ['a roster that is a text', { ...fields, roster: 'text' }],
      ...['counters', 'retired', 'seen', 'forked'].map((name) => [`${name} that are no list`, { ...fields, [name]: 7 }] as const),
      ['a counter that is a number', { ...fields, counters: [7] }],
      ['a counter of nobody', { ...fields, counters: [{ sender: 7, instance: new Uint8Array(16), n: 1 }] }],
      ['a fork with nobody', { ...fields, forked: [7] }],
    ]; // prettier-ignore
    for (const [what, made] of wrong) {
      await expect(damagedBy(made).then(() => what)).rejects.toMatchObject({ code: 'VAULT_DAMAGED' });
    }
  });

  test.each<[string, () => Bytes]>([
    ['cut short', () => records.rooms![0]!.value.slice(0, -1)],
    ['empty', () => new Uint8Array()],
    ['a list', () => encodeCbor([1, 2])],
    ['bytes', () => encodeCbor(new Uint8Array(3))],
    ['nothing', () => encodeCbor(null)],
  ])('of a record that is %s is VAULT_DAMAGED', async (_, value) => {
    const source = sourceOf({ rooms: [{ key: old.roomId, value: value() }] });
    await expect(migrated(1, source, nodeHash)).rejects.toMatchObject({ code: 'VAULT_DAMAGED' });
  });
});

test.each([0, -1, 0.5])('there never was a version %d', async (version) => {
  await expect(migrated(version, sourceOf(records), nodeHash)).rejects.toMatchObject({
    code: 'UNSUPPORTED_VERSION',
    params: { version },
  });
});

describe('records as they are once changes have been written', () => {
  const value = utf8('value');
  const source = sourceOf({ log: [{ key: 'a', value }, { key: 'c', value }], app: [{ key: 'a', value }] }); // prettier-ignore
  const put = (store: string, key: string, text: string | null): StorageChange => ({
    store,
    key,
    value: text === null ? null : utf8(text),
  });

  test('have what was added, changed and deleted, in their order, each store by itself', async () => {
    const made = overlaid(source, [
      put('log', 'b', 'new'),
      put('log', 'c', 'changed'),
      put('log', 'a', null),
      put('chain', 'a', 'x'),
    ]);
    expect(await made.list('log')).toEqual([{ key: 'b', value: utf8('new') }, { key: 'c', value: utf8('changed') }]); // prettier-ignore
    expect(await made.list('app')).toEqual([{ key: 'a', value }]);
    expect(await made.list('chain')).toEqual([{ key: 'a', value: utf8('x') }]);
    expect(await made.list('rotations')).toEqual([]);
  });

  test('are those of the last change where one follows another, one by one or all at once', async () => {
    const changes = [
      put('log', 'a', 'once'),
      put('log', 'a', null),
      put('log', 'c', null),
      put('log', 'c', 'again'),
    ];
    const chained = changes.reduce((before, one) => overlaid(before, [one]), source);
    expect(await everything(chained)).toEqual(await everything(overlaid(source, changes)));
    expect(await chained.list('log')).toEqual([{ key: 'c', value: utf8('again') }]);
  });
});

describe('a vault of version 1', () => {
  /** As an older client left it. */
  async function oldVault(kept = records): Promise<WatchedStorage> {
    const storage = new WatchedStorage();
    const changes = Object.entries(kept).flatMap(([store, list]) =>
      list.map((record) => ({ store, ...record })),
    );
    await (
      await Vault.create({ crypto, passphrases: quickPassphrases, storage }, PASSPHRASE, changes)
    ).close();
    await makeEarlier({ crypto, passphrases: quickPassphrases, storage }, PASSPHRASE, 1);
    return storage;
  }
  const versionOf = async (storage: WatchedStorage): Promise<number> => (await headerIn(storage)).version;
  const atRest = (storage: WatchedStorage): Promise<unknown> =>
    Promise.all(['vault', ...Object.values(STORES)].map((store) => storage.list(store)));
  const unlock = (storage: WatchedStorage): Promise<Vault> =>
    Vault.unlock({ crypto, passphrases: quickPassphrases, storage }, PASSPHRASE);

  test('is brought to this version by the first unlock, in one write; its rooms are there', async () => {
    const storage = await oldVault();
    const { length } = storage.writes;
    const vault = await unlock(storage);
    expect(storage.writes).toHaveLength(length + 1);
    expect(storage.lastPlaces).toEqual(expect.arrayContaining(['vault header', 'vault proof']));
    expect(storage.writes.at(-1)?.at(-1)?.key).toBe('header');
    expect(await versionOf(storage)).toBe(RECORDS_VERSION);
    const state = await RoomState.load(vault, old.roomId, crypto.hash);
    expect(state?.core).toMatchObject({
      ...picked(old.fields, 'me', 'position', 'people', 'lost'),
      version: 2,
      lastReadMarker: old.fields.told,
      keys: (old.fields.keys as unknown as readonly Fields[]).map((key) => ({ ...key, key: null })),
    });
    expect(state?.chain.size).toBe(1);
    await change(state!, set({ readIndex: 4 }));
    await vault.close();

    const written = storage.writes.length;
    const again = await RoomState.load(await unlock(storage), old.roomId, crypto.hash);
    expect(again?.core.readIndex).toBe(4);
    expect(storage.writes).toHaveLength(written);
  });

  test('is left as it is by a wrong passphrase, and by a disk that does not take it', async () => {
    const storage = await oldVault();
    const before = await atRest(storage);
    const wrong = Vault.unlock({ crypto, passphrases: quickPassphrases, storage }, 'another long passphrase');
    await expect(wrong).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
    storage.fails = { code: 'VAULT_FULL', stored: false };
    await expect(unlock(storage)).rejects.toMatchObject({ code: 'VAULT_FULL' });
    expect(await atRest(storage)).toEqual(before);
    storage.fails = null;
    await unlock(storage);
    expect(await versionOf(storage)).toBe(RECORDS_VERSION);
  });

  test('with a record that is none is left as it is', async () => {
    const storage = await oldVault({ rooms: [{ key: old.roomId, value: encodeCbor({ version: 1 }) }] });
    const before = await atRest(storage);
    await expect(unlock(storage)).rejects.toMatchObject({ code: 'VAULT_DAMAGED' });
    expect(await atRest(storage)).toEqual(before);
  });
});
