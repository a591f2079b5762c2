/**
 * The room's rules as a small model (model.ts), against which real clients and an honest relay are
 * run through random interleavings: up to five people who come, go, talk, hand over and close at the
 * same time, offline, cut off, and with their frames held back, and go on from exports on other devices, while the relay
 * stops and starts, over an old copy of its store too, and keeps wraps of rotations from some of them.
 *
 * `MODEL_RUNS` changes how many runs each seed makes. The output names seed and path of a
 * failure; `SEED=… MODEL_PATH=…` makes the same commands again, and then fewer of them. What the network and
 * the clients' timers do between two of them is not repeated to the letter.
 */
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { closing, commands, opening, rehearsal, SORT_NAMES, type Command } from './commands.js';
import { Model } from './model.js';
import { settle } from './settle.js';
import { Room } from './world.js';

jest.setTimeout(900_000);

const { SEED, MODEL_PATH, MODEL_RUNS } = process.env;
/** Always the same; `npm run long -- model` draws others. */
const SEEDS = SEED === undefined ? [7, 11] : [Number(SEED)];
const RUNS = Number(MODEL_RUNS ?? 2);
/** Making a failure smaller takes as long as this, in milliseconds; 0: it is left as it is. */
const SHRINK_MS = Number(process.env.MODEL_SHRINK_MS ?? (SEED === undefined ? 0 : 300_000));

const counts = new Map<string, number>();

const setting = fc.record({
  rotateEvery: fc.integer({ min: 3, max: 8 }),
  approval: fc.boolean(),
  closes: fc.boolean(),
});

/** The log as it was served, and what each one shows of it: what a failure of the moment leaves to look at. */
function record(room: Room): string {
  const log = room.relay
    .log()
    .map(
      ({ position: { g, s }, time, kind, sender }) =>
        `${String(g)}/${String(s)} ${String(time)} ${kind} of ${sender}`,
    );
  const shown = room.here.flatMap(({ name, id, member, core }) => [
    `${name} is ${String(id)}, with prekeys ${String(core?.prekeys.map(({ k }) => k))}, used ${String(core?.usedK)}`,
    ...member.items.map((item) => `  ${JSON.stringify(item)}`),
  ]);
  return [...log, ...shown].join('\n');
}

async function run(
  {
    closes,
    ...options
  }: { readonly rotateEvery: number; readonly approval: boolean; readonly closes: boolean },
  steps: Iterable<Command>,
): Promise<void> {
  const room = await Room.open({ size: Room.size, ...options }, counts);
  const model = new Model(Room.size, options.approval);
  try {
    await fc.asyncModelRun(
      () => ({ model, real: room }),
      [...opening(), ...steps, ...(closes ? [closing()] : [])],
    );
    await settle(model, room);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(`${words}\n${room.trace}\n${record(room)}`, { cause: error });
  } finally {
    if (process.env.MODEL_TRACE !== undefined) process.stdout.write(`${room.trace}\n\n`);
    await room.close();
  }
}

async function runs(seed: number): Promise<void> {
  const property = fc.asyncProperty(setting, commands, run);
  const details = await fc.check(property, {
    seed,
    numRuns: RUNS,
    unbiased: true,
    endOnFailure: SHRINK_MS === 0,
    ...(MODEL_PATH === undefined ? {} : { path: MODEL_PATH }),
    ...(SHRINK_MS === 0 ? {} : { interruptAfterTimeLimit: SHRINK_MS }),
  });
  if (!details.failed) return;
  const again = `SEED=${String(seed)} MODEL_PATH=${details.counterexamplePath ?? ''}`;
  throw new Error(`${again}\n${String(details.errorInstance)}`);
}

test(`a room keeps its rules under any interleaving (seeds ${SEEDS.join(', ')})`, async () => {
  // At the same time: most of each is waiting for somebody to come back.
  const results = await Promise.allSettled(SEEDS.map(runs));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  expect(failures.join('\n\n')).toBe('');
});

test('every rule, one after the other', async () => {
  await run({ rotateEvery: 5, approval: true, closes: false }, rehearsal());
});

test('every sort of command was carried out', () => {
  const told = SORT_NAMES.map((name) => `${name} ${String(counts.get(name) ?? 0)}`);
  process.stdout.write(`commands carried out: ${told.join(', ')}\n`);
  expect(SORT_NAMES.filter((name) => !counts.has(name))).toEqual([]);
});
