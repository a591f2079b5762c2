/** Rotations without end, and of many members without a key (docs/protocol.md sections 6 and 7): lines and bytes are bounded. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type MemberId } from '@0fc/protocol';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import {
  alarmsOf,
  change,
  newVault,
  readLog,
  recordsOf,
  readEntry,
  textsOf,
  type Person,
  type RoomLog,
} from './log.spec-support.js';
import { ALARMS_APART } from '../state/alarm-flood.js';
import { append, replaceItems } from '../state/draft.js';
import {
  encodeRecord,
  ITEMS_PER_RECORD,
  keyOf,
  logRecord,
  STORES,
  type StoredItem,
} from '../../vault/records.js';
import { RoomState } from '../state/state.js';
import { alarm, system } from './items.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

const lines = (): readonly Extract<StoredItem, { type: 'system' }>[] =>
  recordsOf(reader).flatMap(({ items }) => items.filter((item) => item.type === 'system'));

/** Prekeys of all of them, unusable but for those of the named. */
function unusable(...but: readonly MemberId[]): ReturnType<RoomLog['prekeys']> {
  const prekeys = log.prekeys();
  for (const [member, prekey] of prekeys) {
    if (!but.includes(member)) prekeys.set(member, { ...prekey, key: new Uint8Array(45) });
  }
  return prekeys;
}

async function crowd(size: number): Promise<readonly Person[]> {
  const settings = {
    rotateEvery: 100,
    maxMembers: 100,
    history: 1_000,
    approval: false,
    joinDeadline: 86_400_000,
  };
  await readEntry(reader, await log.change('settings', { settings }));
  const people: Person[] = [];
  for (let at = 0; at < size; at++) {
    const { person, entry } = await log.admit();
    await readEntry(reader, entry);
    people.push(person);
  }
  return people;
}

describe('a rotation without a key for some', () => {
  test('is one line with their number, however many they are', async () => {
    await crowd(ITEMS_PER_RECORD + 4);
    await readEntry(reader, await log.rotate(guest.id, unusable(log.owner.id, guest.id)));
    await readEntry(reader, await log.say(log.owner, 'still here'));
    expect(alarmsOf(reader)).toEqual([]);
    const [last] = lines().slice(-1);
    expect(last).toEqual(
      system('rotated', {
        actor: log.owner.id,
        numbers: { epoch: 2, unwrapped: ITEMS_PER_RECORD + 4, mine: 0 },
      }),
    );
    expect(recordsOf(reader).map(({ items }) => items.length)).not.toContain(2);
    expect(textsOf(reader)).toEqual(['still here']);
  });

  test('names who it is where that is one, and says where it is this member', async () => {
    const [noe] = await crowd(1);
    await readEntry(reader, await log.rotate(guest.id, unusable(log.owner.id, guest.id)));
    expect(lines().at(-1)).toMatchObject({ member: noe?.id, numbers: { unwrapped: 1, mine: 0 } });
    await readEntry(reader, await log.rotate(guest.id, unusable(log.owner.id)));
    expect(lines().at(-1)).toMatchObject({ member: null, numbers: { unwrapped: 2, mine: 1 } });
  });
});

describe('a record', () => {
  const some = (count: number): readonly StoredItem[] =>
    Array.from({ length: count }, (_, at) =>
      at % 2 === 0 ? alarm(ALARM_CODES.ALARM_GAP) : system('name', { text: String(at) }),
    );

  test('of as many items as its order has room for is stored; of more it is refused, appended or replaced', async () => {
    await change(reader, append(null, 1, some(ITEMS_PER_RECORD)));
    const { index } = recordsOf(reader).at(-1)!;
    const more = ITEMS_PER_RECORD + 1 + (nodeRandom.bytes(1)[0] ?? 0);
    const refused = { code: 'MALFORMED' };
    await expect(change(reader, append(null, 1, some(more)))).rejects.toMatchObject(refused);
    await expect(change(reader, replaceItems(index, some(more)))).rejects.toMatchObject(refused);
    expect(recordsOf(reader).at(-1)?.items).toHaveLength(ITEMS_PER_RECORD);
  });
});

test('a record that was stored with a line for each of too many is drawn with their number', async () => {
  const vault = await newVault();
  const written = await log.reader(guest, vault);
  await change(written, append(null, 1, [system('rotated', { numbers: { epoch: 2 } })]));
  const record = recordsOf(written).at(-1)!;
  const each = Array.from({ length: 30 }, () => system('unwrapped', { member: guest.id }));
  const value = encodeRecord(logRecord, { ...record, items: [...record.items, ...each] });
  const { roomId } = written.core;
  await vault.write([{ store: STORES.log, key: keyOf(roomId, record.index), value }]);
  const read = await RoomState.load(vault, roomId, nodeHash);
  expect(recordsOf(read!).at(-1)?.items).toEqual([
    system('rotated', { numbers: { epoch: 2, unwrapped: 30, mine: 0 } }),
  ]);
});

describe('rotations in a row', () => {
  test.each([
    ['with a key for this member', () => log.prekeys()],
    ['with none', () => unusable(log.owner.id)],
  ])('%s are counted from the eighth on, up to the newest', async (_what, prekeys) => {
    const shown = (): number => recordsOf(reader).filter(({ items }) => items.length > 0).length;
    const before = shown();
    for (let at = 0; at < 5 * ALARMS_APART; at++)
      await readEntry(reader, await log.rotate(guest.id, prekeys()));
    // The first one without a key says so beside.
    expect(shown() - before).toBeLessThanOrEqual(ALARMS_APART + 1);
    expect(lines().at(-1)).toMatchObject({ event: 'rotated', numbers: { epoch: log.epoch } });
    const told = lines().reduce(
      (sum, { event, numbers }) => sum + (event === 'rotated' ? (numbers.times ?? 1) : 0),
      0,
    );
    expect(told).toBe(5 * ALARMS_APART);
    expect(reader.core.epoch).toBe(log.epoch);
    expect(reader.core.t).toEqual(log.t);
  });

  test('with something said between them each have their line', async () => {
    const before = lines().length;
    for (let at = 0; at < 2 * ALARMS_APART; at++) {
      await readEntry(reader, await log.rotate(guest.id));
      await readEntry(reader, await log.say(log.owner, String(at)));
    }
    expect(lines()).toHaveLength(before + 2 * ALARMS_APART);
  });

  test('leave of the old ones what the chain needs, and no wrap', async () => {
    for (let at = 0; at < 5; at++) await readEntry(reader, await log.rotate(guest.id));
    const kept = Array.from({ length: 5 }, (_, at) => reader.rotation(at + 2));
    expect(kept.map((record) => record?.entry.clear.length ?? 0).every((size) => size > 0)).toBe(true);
    expect(kept.map((record) => record?.entry.wrap !== undefined)).toEqual([false, false, false, true, true]);
  });
});
