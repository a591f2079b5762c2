/** What comes back after a loss counts as back only as what it was (docs/protocol.md section 6.11, G11, G16). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { signBody } from '@0fc/crypto/keys';
import { containerBody } from '@0fc/crypto/verify';
import { decodeBody, type Entry } from '@0fc/protocol';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { Owner } from '../owner/owner.js';
import { freshRotationWait } from '../owner/fresh-rotation.js';
import {
  alarmsOf,
  change,
  readEntry,
  readGeneration,
  readLog,
  recordsOf,
  type RoomLog,
} from './log.spec-support.js';
import { set } from '../state/draft.js';
import type { RoomState } from '../state/state.js';

let log: RoomLog;
let reader: RoomState;
const MINUTE = 60_000;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, reader } = await readLog());
});

const restoredOf = (): number | undefined =>
  recordsOf(reader)
    .flatMap(({ items }) => items)
    .flatMap((item) =>
      item.type === 'alarm' && item.code === 'ALARM_RELAY_LOST' ? [item.numbers.restored] : [],
    )
    .at(-1);

describe('a roster entry that comes back', () => {
  const lost = async (): Promise<Entry> => {
    const from = log.position;
    const { entry } = await log.admit();
    await readEntry(reader, entry);
    await readGeneration(reader, await log.lose(from, 2_000), 9_000);
    return entry;
  };

  test('G11 G16 under a signature that is none is an alarm, does not count, and the true one does', async () => {
    const entry = await lost();
    const payload = Uint8Array.from(entry.payload);
    payload[payload.length - 3]! ^= 1;
    const before = log.roster;
    await readEntry(reader, await log.add('roster', entry.sender, payload));
    expect(alarmsOf(reader)).toContain('ALARM_BAD_ROSTER');
    expect(restoredOf()).toBe(0);
    log.roster = before;
    await readEntry(reader, await log.again(entry));
    expect(restoredOf()).toBe(1);
    expect(reader.chain.get(reader.chain.size - 1)).toEqual(entry.payload);
  });

  test('G16 under another valid signature of the same body counts, and what is here stays', async () => {
    const entry = await lost();
    const { body } = decodeBody(containerBody(entry.payload), 'admit');
    const payload = signBody(log.owner.identity, 'admit', body);
    expect(payload).not.toEqual(entry.payload);
    await readEntry(reader, await log.again({ ...entry, payload }));
    expect(restoredOf()).toBe(1);
    expect(alarmsOf(reader)).not.toContain('ALARM_BAD_ROSTER');
    expect(reader.chain.get(reader.chain.size - 1)).toEqual(entry.payload);
  });
});

describe('the owner’s rotation after a loss that took one', () => {
  let owner: Owner;
  let clock: FakeClock;

  /** A log that its owner has read, with one rotation in what was lost at this moment of its clock. */
  const losesRotation = async (at: number, generation: number): Promise<Entry> => {
    const from = log.position;
    const rotation = await log.rotate(log.owner.id);
    const { epoch, key } = log;
    await readEntry(reader, rotation);
    await readGeneration(reader, await log.lose(from, generation), at);
    Object.assign(log, { key });
    expect(reader.core).toMatchObject({ epoch, logEpoch: epoch - 1 });
    return rotation;
  };

  beforeEach(async () => {
    const read = reader;
    reader = await log.reader(log.owner);
    for (const payload of [...read.chain.values()].slice(1)) {
      const position = { g: 1, s: 1 };
      await readEntry(reader, {
        position,
        kind: 'roster',
        sender: log.owner.id,
        time: 1,
        clear: new Uint8Array(),
        payload,
      });
    }
    clock = new FakeClock(1_000_000);
    owner = new Owner(new FakeRoom(reader, clock));
  });

  test('G7 is due a minute after the loss was told, and beside no stored command', async () => {
    const rotation = await losesRotation(1_000_000, 900_000);
    // Also where the log never has it again, since a relay may say that it does.
    expect(freshRotationWait(reader, 1_000_000)).toBe(MINUTE);
    await readEntry(reader, await log.again(rotation));
    expect(reader.core.logEpoch).toBe(2);
    expect(await owner.next()).toEqual({ afterMs: MINUTE });
    await owner.changeSettings({ rotateEvery: 7 });
    expect(await owner.next()).toMatchObject({ kind: 'roster' });
    clock.advance(MINUTE);
    expect(await owner.next()).toMatchObject({ kind: 'roster' });
    await change(reader, set({ pending: null }));
    expect(await owner.next()).toMatchObject({ kind: 'prekeys' });
  });

  test('G7 is any rotation that is read after it, and is not due again within ten minutes of it, whatever a relay makes up', async () => {
    await readEntry(reader, await log.again(await losesRotation(1_000_000, 900_000)));
    log.signedAt = 1_300_000;
    await readEntry(reader, await log.rotate(log.owner.id));
    expect(freshRotationWait(reader, 2 * 1_000_000)).toBe(Infinity);
    await readEntry(reader, await log.again(await losesRotation(1_400_000, 950_000)));
    expect(freshRotationWait(reader, 1_400_000)).toBe(500_000);
    expect(freshRotationWait(reader, 1_900_000)).toBe(0);
  });

  test('G7 is put off by no clock that was ahead when the loss was told or the last one signed, and is set right', async () => {
    await readEntry(reader, await log.again(await losesRotation(9_000_000, 900_000)));
    expect(freshRotationWait(reader, 1_000_000)).toBe(0);
    expect(freshRotationWait(reader, 9_000_000 - MINUTE + 1)).toBe(2 * MINUTE - 1);
    log.signedAt = 9_000_000;
    await readEntry(reader, await log.rotate(log.owner.id));
    await readEntry(reader, await log.again(await losesRotation(1_000_000, 950_000)));
    expect(freshRotationWait(reader, 1_000_000)).toBe(MINUTE);
    expect(freshRotationWait(reader, 1_000_000 + MINUTE)).toBe(0);
  });

  test('G7 is put off by no further loss, of which a relay can make up any number', async () => {
    await losesRotation(1_000_000, 900_000);
    await losesRotation(1_000_000 + MINUTE - 1, 950_000);
    expect(freshRotationWait(reader, 1_000_000 + MINUTE)).toBe(0);
  });

  test('G7 is not due while none can be signed: without the key, or in a room of a later version', async () => {
    await readEntry(reader, await log.again(await losesRotation(1_000_000, 900_000)));
    const { core, current, roster } = reader;
    const later = 2_000_000;
    expect(freshRotationWait({ core, current, roster }, later)).toBe(0);
    expect(freshRotationWait({ core, current: { ...current, key: null }, roster }, later)).toBe(Infinity);
    expect(freshRotationWait({ core, current, roster: { ...roster, newer: true } }, later)).toBe(Infinity);
  });

  test('G7 is not due after a loss that took no rotation', async () => {
    const from = log.position;
    await readEntry(reader, await log.say(log.owner, 'gone'));
    await readGeneration(reader, await log.lose(from, 900_000), 1_000_000);
    expect(freshRotationWait(reader, 2_000_000)).toBe(Infinity);
  });
});
