/** G9: everybody keeps which prekeys a rotation used, so that the next owner wraps to no earlier one. */
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ALARM_CODES } from '@0fc/protocol';
import { generateHybridKeyPair, hybridPublicKey, makeRotation } from '@0fc/crypto/keys';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import {
  alarmsOf,
  change,
  crypto,
  eventsOf,
  type RoomLog,
  readEntry,
  readLog,
  type Person,
} from './log.spec-support.js';
import { set } from '../state/draft.js';
import type { RoomState } from '../state/state.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

const other = () => hybridPublicKey(generateHybridKeyPair(nodeRandom));
const used = (): readonly (readonly [string, number, boolean])[] =>
  reader.core.wrappedTo.map(({ memberId, k, again }) => [memberId, k, again] as const);

test('the list of a rotation is kept, and says which prekeys had been used before', async () => {
  await readEntry(reader, await log.rotate(guest.id));
  expect(used()).toEqual([
    [log.owner.id, 1, false],
    [guest.id, 1, false],
  ]);
  const prekeys = log.prekeys();
  prekeys.set(log.owner.id, { k: 2, ...other() });
  await readEntry(reader, await log.rotate(guest.id, prekeys));
  expect(used()).toEqual([
    [log.owner.id, 2, false],
    [guest.id, 1, true],
  ]);
});

test('a member without a wrap keeps the number of before', async () => {
  await readEntry(reader, await log.rotate(guest.id));
  const prekeys = log.prekeys();
  prekeys.set(guest.id, { k: 2, ...other(), key: new Uint8Array(45) });
  await readEntry(reader, await log.rotate(guest.id, prekeys));
  expect(used()).toEqual([
    [log.owner.id, 1, true],
    [guest.id, 1, false],
  ]);
});

test('who has no key of the epoch before does not know the list, and keeps the last one', async () => {
  await readEntry(reader, await log.rotate(guest.id));
  const before = used();
  await change(reader, set({ keys: reader.core.keys.map((key) => ({ ...key, key: null })) }));
  await readEntry(reader, await log.rotate(guest.id));
  expect(used()).toEqual(before);
});

test('of a cold rotation it is known to everybody, and gives the key to who had none', async () => {
  await change(reader, set({ keys: reader.core.keys.map((key) => ({ ...key, key: null })) }));
  const made = await makeRotation(crypto, {
    identity: log.owner.identity, roster: log.roster, epoch: 1, roomKey: null, base: log.base, prekeys: log.prekeys(),
    least: new Map(),
  }); // prettier-ignore
  const { clear, payload, wraps } = made.command;
  log.epoch = 2;
  await readEntry(reader, await log.add('rotation', log.owner.id, payload, clear, wraps[guest.id], true));
  expect(used()).toEqual([
    [log.owner.id, 1, false],
    [guest.id, 1, false],
  ]);
  expect(reader.current.key).toEqual(made.newKey);
  expect(alarmsOf(reader)).toEqual([]);
});

test('an inner part that says another thing than the outer one leaves the list as it was', async () => {
  await readEntry(reader, await log.rotate(guest.id));
  const before = used();
  const { epoch } = log;
  const made = await makeRotation(crypto, {
    identity: log.owner.identity, roster: log.roster, epoch, roomKey: log.firstKey, base: log.base,
    prekeys: log.prekeys(), least: new Map(),
  }); // prettier-ignore
  const { clear, payload, wraps } = made.command;
  await readEntry(reader, await log.add('rotation', log.owner.id, payload, clear, wraps[guest.id], true));
  expect(used()).toEqual(before);
  expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_NO_KEY]);
});

test('an owner’s client that uses an older prekey than before all the same is shown', async () => {
  await change(reader, set({ usedK: 2 }));
  await readEntry(reader, await log.rotate(guest.id));
  expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_PREKEY_ROLLED_BACK]);
});

test('an owner’s client that uses an older prekey than was published by then is told of', async () => {
  await change(reader, set({ publishedThen: 3 }));
  await readEntry(reader, await log.rotate(guest.id));
  expect(alarmsOf(reader)).toEqual([]);
  expect(eventsOf(reader)).toContain('prekeyBehind');
});

test('G8: a private prekey is deleted once a rotation has used a later one', async () => {
  const later = generateHybridKeyPair(nodeRandom);
  await change(reader, set({ prekeys: [...reader.core.prekeys, { k: 2, pair: later }] }));
  const prekeys = log.prekeys();
  prekeys.set(guest.id, { k: 2, ...hybridPublicKey(later) });
  await readEntry(reader, await log.rotate(guest.id, prekeys));
  expect(reader.core.prekeys.map(({ k }) => k)).toEqual([2]);
});

test('a number that no honest member has reached is not kept: its member would get no wrap any more', async () => {
  await readEntry(reader, await log.rotate(guest.id));
  const before = used();
  const prekeys = log.prekeys();
  prekeys.set(log.owner.id, { k: 2 ** 40 - 1, ...other() });
  await readEntry(reader, await log.rotate(guest.id, prekeys));
  expect(used()).toEqual([before[0], [guest.id, 1, true]]);
});
