/** Runs targets: seeds, watchdog, memory, progress. What a run finds it tells at once and keeps for the summary. */
import { Dice } from '../support/random.js';
import type { Corpus } from './corpus.js';
import { Finding, type Outcome, type Prepared, type Target } from './target.js';
import { type Watchdog } from './watch.js';

export interface RunOptions {
  readonly seed: number;
  readonly cases: number;
  /** from this case on: to repeat one that was found */
  readonly first: number;
  readonly say: (line: string) => void;
  readonly watchdog: Watchdog;
}

export interface TargetResult {
  readonly name: string;
  readonly cases: number;
  readonly seconds: number;
  readonly outcomes: ReadonlyMap<Outcome, number>;
  readonly findings: readonly string[];
}

/** Findings after which a target is given up: more would say the same. */
const MOST_FINDINGS = 5;
/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 5_000;
/** Cases between two turns of the event loop, in which rejections and timers come up. */
const TURN_EVERY = 256;
/** Of the cases, how many are run before memory is first measured: caches are full by then. */
const WARM = 0.25;
/** Bytes that a target may hold more at its end than after that. */
const MOST_GROWTH = 24 * 1_048_576;
/** Of the whole process, WebAssembly included; what the collector has not given back is in it too. */
const MOST_RSS_GROWTH = 320 * 1_048_576;

/** One number of a seed, a name and a case: every case has dice of its own and can be repeated alone. */
function diceFor(seed: number, target: string, index: number): Dice {
  let mixed = seed ^ 0x9e37_79b9;
  for (const letter of target) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x0100_0193);
  mixed = Math.imul(mixed ^ (index + 1), 0x85eb_ca6b);
  return new Dice((mixed ^ (mixed >>> 15)) >>> 0);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function memory(): Promise<{ readonly heap: number; readonly rss: number }> {
  await turn();
  // Twice: what a finaliser lets go is collected the second time.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, rss };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `, caused by ${describe(error.cause)}`;
  return `${error instanceof Finding ? error.message : (error.stack ?? error.message)}${cause}`;
}

export async function runTarget(target: Target, corpus: Corpus, options: RunOptions): Promise<TargetResult> {
  const { seed, cases, first, say, watchdog } = options;
  const outcomes = new Map<Outcome, number>();
  const findings: string[] = [];
  const began = performance.now();
  const found = (error: unknown, at: string): void => {
    const text = `${target.name}: ${describe(error)} (seed ${String(seed)}, ${at})`;
    findings.push(text);
    say(`FOUND ${text}`);
  };
  const onRejection = (error: unknown): void => found(error, 'unhandled rejection');
  const onException = (error: unknown): void => found(error, 'uncaught exception');
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  let prepared: Prepared | null = null;
  let done = 0;
  try {
    watchdog.begin(target.name, seed, 120_000);
    prepared = await target.prepare(diceFor(seed, target.name, -1), (group, outcome, input) =>
      corpus.keep(group, outcome, input),
    );
    const warm = Math.floor(cases * WARM);
    let before: Awaited<ReturnType<typeof memory>> | null = null;
    let told = performance.now();
    for (let index = first; index < first + cases && findings.length < MOST_FINDINGS; index++) {
      watchdog.beat(index, target.limitMs);
      try {
        const outcome = await prepared.run(diceFor(seed, target.name, index));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } catch (error) {
        found(error, `case ${String(index)}`);
      }
      done++;
      if (done % target.settleEvery === 0) await settle(prepared, watchdog, index, found);
      if (done % TURN_EVERY === 0) await turn();
      if (done === warm) before = await memory();
      if (performance.now() - told > PROGRESS_MS) {
        told = performance.now();
        const rate = Math.round((1_000 * done) / (told - began));
        say(`${target.name}: ${String(done)} of ${String(cases)}, ${String(rate)} cases/s`);
      }
    }
    await settle(prepared, watchdog, first + done, found);
    if (before !== null) {
      const after = await memory();
      const grown = after.heap - before.heap;
      const rss = after.rss - before.rss;
      if (globalThis.gc !== undefined && grown > MOST_GROWTH) {
        found(new Finding(`the heap grew by ${String(grown)} bytes in ${String(done)} cases`), 'memory');
      }
      if (rss > MOST_RSS_GROWTH) found(new Finding(`the process grew by ${String(rss)} bytes`), 'memory');
    }
  } catch (error) {
    found(error, 'before or after the cases');
  } finally {
    watchdog.beat(first + done, 60_000);
    try {
      await prepared?.end?.();
    } catch (error) {
      found(error, 'at the end');
    }
    await turn();
    watchdog.rest();
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
  }
  for (const [outcome, count] of prepared?.late ?? [])
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
  return { name: target.name, cases: done, seconds: (performance.now() - began) / 1_000, outcomes, findings };
}

async function settle(
  prepared: Prepared,
  watchdog: Watchdog,
  index: number,
  found: (error: unknown, at: string) => void,
): Promise<void> {
  watchdog.beat(index, 120_000);
  try {
    await prepared.settle?.();
  } catch (error) {
    found(error, `at or before case ${String(index)}`);
  }
}
