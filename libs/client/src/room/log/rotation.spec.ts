/** A rotation that is known here and is served again, by an honest relay or not (docs/protocol.md sections 6 and 7; G11). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type Bytes, type Entry } from '@0fc/protocol';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import {
  alarmsOf,
  change,
  type RoomLog,
  readLog,
  recordsOf,
  readEntry,
  readGeneration,
  type Person,
} from './log.spec-support.js';
import { missingEntries } from '../outgoing/restore.js';
import { set } from '../state/draft.js';
import type { RoomState } from '../state/state.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

const changed = (bytes: Bytes): Bytes =>
  bytes.map((byte, at) => (at === bytes.length - 20 ? byte ^ 1 : byte));

const lastItems = (): unknown => recordsOf(reader).at(-1)?.items;

/** The store loses a rotation that was read here. */
async function lostRotation(): Promise<Entry> {
  const before = log.position;
  const rotation = await log.rotate(guest.id);
  expect(await readEntry(reader, rotation)).toBe('applied');
  expect(reader.core.epoch).toBe(2);
  await readGeneration(reader, await log.lose(before, 1_000), 9_000);
  return rotation;
}

/** What a restore of everything beyond the first epoch brings. */
const restored = () => missingEntries(nodeHash, reader, { head: log.roster.head, epoch: 1 });

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

describe('a rotation that is known here', () => {
  test('comes back after a loss as it was: no alarm, and the loss is made good', async () => {
    const rotation = await lostRotation();
    await readEntry(reader, await log.again(rotation));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
    expect(reader.core.lost?.restored).toBe(1);
    expect(reader.core.logEpoch).toBe(2);
  });

  test.each([
    ['another payload', ({ clear, payload }: Entry) => ({ clear, payload: changed(payload) })],
    ['a signature that is none', ({ clear, payload }: Entry) => ({ clear: changed(clear), payload })],
  ])(
    'comes back with %s: an alarm, nothing of it is kept, and the true one can still be restored',
    async (_, forge) => {
      const rotation = await lostRotation();
      const { keys } = reader.core;
      const { clear, payload } = forge(rotation);
      expect([clear, payload]).not.toEqual([rotation.clear, rotation.payload]);
      expect(await readEntry(reader, await log.add('rotation', log.owner.id, payload, clear))).toBe(
        'applied',
      );

      expect(lastItems()).toMatchObject([
        {
          type: 'alarm',
          code: ALARM_CODES.ALARM_FOREIGN_ROTATION,
          member: log.owner.id,
          numbers: { changed: 1 },
        },
      ]);
      expect(reader.core.lost?.restored).toBe(0);
      expect(reader.rotation(2)?.entry).toMatchObject({
        clear: rotation.clear,
        payload: rotation.payload,
      });
      expect(reader.core.keys.map(({ key, rotation: began }) => [key, began])).toEqual(
        keys.map(({ key, rotation: began }) => [key, began]),
      );
      expect(await restored()).toMatchObject([
        { kind: 'rotation', clear: rotation.clear, payload: rotation.payload },
      ]);
    },
  );

  test('by its clear part alone, as a newcomer knows it, is kept only if it is that one', async () => {
    const rotation = await log.rotate(guest.id);
    const { clear, payload } = rotation;
    const first = reader.core.keys[0]!;
    // As a join reply brings it: the key of the epoch, and the clear part of the rotation that began it.
    const second = { ...first, epoch: 2, key: log.key, rotation: clear, floor: rotation.position };
    await change(reader, set({ epoch: 2, logEpoch: 1, keys: [first, second] }));
    await readEntry(reader, { ...rotation, payload: changed(payload) });
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FOREIGN_ROTATION]);
    expect(reader.rotation(2)).toBeNull();
    expect(await restored()).toEqual([]);

    await change(reader, set({ logEpoch: 1 }));
    log.t = reader.core.t;
    await readEntry(reader, await log.add('rotation', log.owner.id, payload, clear));
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_FOREIGN_ROTATION]);
    expect(reader.rotation(2)?.entry).toMatchObject({ clear, payload });
  });
});
