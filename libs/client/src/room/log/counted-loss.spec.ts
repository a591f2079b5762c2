/** Losses among what is counted, or was never read, and has no record of its own (docs/protocol.md section 6). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ALARM_CODES, type Entry, type Position } from '@0fc/protocol';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import {
  alarmsOf,
  newVault,
  readLog,
  recordsOf,
  readEntry,
  readGeneration,
  type Person,
  type RoomLog,
} from './log.spec-support.js';
import { missingEntries } from '../outgoing/restore.js';
import { ALARMS_APART } from '../state/alarm-flood.js';
import { RoomState } from '../state/state.js';
import { applyTrimmedRotation } from './rotation.js';
import { skipTrimmedRange } from './trimmed.js';
import type { Vault } from '../../vault/vault.js';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

let log: RoomLog;
let guest: Person;
let reader: RoomState;
let vault: Vault;

beforeAll(async () => {
  await loadThemis();
  vault = await newVault();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
});

const garbage = (): Promise<Entry> => log.add('message', log.owner.id, nodeRandom.bytes(100), log.clear());

/** What the relay has lost by its word; it takes all of it back. */
async function losesAndRestores(from: Position, generation = 1_000): Promise<void> {
  await readGeneration(reader, await log.lose(from, generation), 9_000);
  expect(reader.core.t).toEqual(log.t);
  expect(reader.core.logEpoch).toBe(log.epoch);
  const end = { head: log.roster.head, epoch: log.epoch };
  for (const entry of await reader.read(() => missingEntries(nodeHash, reader, end)))
    expect(await readEntry(reader, await log.again(entry))).toBe('applied');
  log.key = reader.current.key ?? log.key;
  expect(reader.core.logEpoch).toBe(reader.core.epoch);
  expect(log.epoch).toBe(reader.core.epoch);
}

const lossOf = (): unknown =>
  recordsOf(reader)
    .flatMap(({ items }) => items)
    .find((item) => item.type === 'alarm' && item.code === ALARM_CODES.ALARM_RELAY_LOST);

describe('a loss', () => {
  test('of counted rotations alone is shown, and all of it comes back as what it was', async () => {
    for (let n = 0; n < 2 * ALARMS_APART; n++) await readEntry(reader, await log.rotate(guest.id));
    const from = log.position;
    for (let n = 0; n < 4; n++) await readEntry(reader, await log.rotate(guest.id));
    await losesAndRestores(from);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
    expect(lossOf()).toMatchObject({ numbers: { from: from.s + 1, to: from.s + 4, restored: 4 } });
    expect(reader.core.losses).toHaveLength(1);
  });

  test('that ends among counted rotations is followed after a restart too', async () => {
    ({ log, guest, reader } = await readLog(vault));
    for (let n = 0; n < 2 * ALARMS_APART; n++) await readEntry(reader, await log.rotate(guest.id));
    const from = log.position;
    for (let n = 0; n < 4; n++) await readEntry(reader, await log.rotate(guest.id));
    reader = (await RoomState.load(vault, log.roster.roomId, nodeHash))!;
    await losesAndRestores(from);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
  });

  test('of counted alarms alone is shown, with their places', async () => {
    for (let n = 0; n < 2 * ALARMS_APART; n++) await readEntry(reader, await garbage());
    const from = log.position;
    for (let n = 0; n < 4; n++) await readEntry(reader, await garbage());
    await losesAndRestores(from);
    expect(lossOf()).toMatchObject({ numbers: { from: from.s + 1, to: from.s + 4, restored: 0 } });
    expect(reader.core.losses).toHaveLength(1);
  });

  test('of a rotation that lay in a trimmed range gives no alarm when that is back', async () => {
    await readEntry(reader, await log.rotate(guest.id));
    const from = log.position;
    const { person, entry } = await log.admit();
    const rotation = await log.rotate(guest.id);
    await log.say(person, 'never read here');
    await reader.write(async (draft) => {
      draft.apply({ kind: 'chainAhead', entries: [entry.payload] });
      skipTrimmedRange(draft, { trimmed: log.position, trimmedT: log.t }, 5_000);
      await applyTrimmedRotation(nodeHash, draft, rotation);
    });
    expect(reader.core.epoch).toBe(3);
    await losesAndRestores(from);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
  });
});

describe('after a loss', () => {
  test('a rotation that is back and lies in a trimmed range begins its epoch again', async () => {
    const from = log.position;
    const rotation = await log.rotate(guest.id);
    await readEntry(reader, rotation);
    await readGeneration(reader, await log.lose(from, 1_000), 9_000);
    const again = await log.again(rotation);
    log.key = reader.current.key ?? log.key;
    await reader.write(async (draft) => {
      skipTrimmedRange(draft, { trimmed: log.position, trimmedT: log.t }, 9_000);
      await applyTrimmedRotation(nodeHash, draft, again);
    });
    await readEntry(reader, await log.say(log.owner, 'in the epoch of before'));
    expect(reader.core.logEpoch).toBe(reader.core.epoch);
    expect(alarmsOf(reader)).toEqual([ALARM_CODES.ALARM_RELAY_LOST]);
  });
});

interface Act {
  readonly act: 'rotate' | 'garbage' | 'restart' | 'lose';
  readonly pick: number;
}

describe(`any run of idle rotations and of entries that nobody has made (seed ${String(SEED)})`, () => {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.constant('rotate' as const) },
    { weight: 3, arbitrary: fc.constant('garbage' as const) },
    ...(['restart', 'lose'] as const).map((one) => ({ weight: 1, arbitrary: fc.constant(one) })),
  );
  const run = fc.array(fc.record({ act, pick: fc.nat(100) }), { minLength: 30, maxLength: 60 });

  test('comes back whole after losses anywhere: each is shown, and nothing else is', async () => {
    await fc.assert(
      fc.asyncProperty(run, fc.nat(100), async (acts: readonly Act[], last) => {
        ({ log, guest, reader } = await readLog(vault));
        const { roomId } = log.roster;
        let places: readonly Position[] = [log.position];
        let losses = 0;
        let generation = 1_000;
        for (const { act: how, pick } of [...acts, { act: 'lose', pick: last } as const]) {
          if (how === 'rotate') {
            await readEntry(reader, await log.rotate(guest.id));
            places = [...places, log.position];
          } else if (how === 'garbage') await readEntry(reader, await garbage());
          else if (how === 'restart') reader = (await RoomState.load(vault, roomId, nodeHash, 1))!;
          else {
            const from = places[pick % places.length]!;
            if (from.s < log.position.s) losses += 1;
            places = places.filter(({ s }) => s <= from.s);
            await losesAndRestores(from, ++generation);
            expect(reader.core.losses).toHaveLength(losses);
          }
        }
        const shown = await reader.records(reader.log.first, reader.log.end);
        const alarms = shown.flatMap(({ items }) => items.filter(({ type }) => type === 'alarm'));
        const codes = new Set(alarms.map((item) => item.type === 'alarm' && item.code));
        const { ALARM_BAD_SIGNATURE, ALARM_RELAY_LOST, ALARM_UNREADABLE } = ALARM_CODES;
        for (const code of codes)
          expect([ALARM_BAD_SIGNATURE, ALARM_UNREADABLE, ALARM_RELAY_LOST]).toContain(code);
        expect(codes.has(ALARM_RELAY_LOST)).toBe(losses > 0);
      }),
      { seed: SEED, numRuns: 10 },
    );
  });
});
