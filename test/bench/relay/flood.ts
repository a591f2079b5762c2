/** What strangers, and members that do not read, can do to others: how late lines are beside them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { disperse, measure, paced, quiet, relayCrowd, type Window } from './crowd.js';
import { residentKib, startBenchRelay, type BenchRedis, type Relay } from './servers.js';
import { quantile, type Report } from './table.js';

const LINES_PER_SECOND = 50;
/** So seldom that handshakes do not rest for them (handshake-gate.ts). */
const SELDOM_PER_SECOND = 3;
const SECONDS = 6;
const SLOW = 100;
const LARGE = 32_768;
const READERS = 20;
const CUT_WITHIN_MS = 180_000;

const row = (lines: string, ages: readonly number[], alone: readonly number[]) => ({
  lines,
  'p50 ms': quantile(ages, 0.5),
  'p99 ms': quantile(ages, 0.99),
  'p99 ratio': quantile(ages, 0.99) / quantile(alone, 0.99),
});
const windowRow = (lines: string, { ages, busy }: Window, alone: Window) => ({
  ...row(lines, ages, alone.ages),
  busy,
});

/** Beside handshakes that never end, and beside frames of a mebibyte that are all values (flood.child.ts). */
export async function benchFloods(redis: BenchRedis, report: Report): Promise<void> {
  const relay = await startBenchRelay(redis);
  const crowd = await relayCrowd([relay], { rooms: 10, members: 10, bytes: 400 });
  const lines = (perSecond = LINES_PER_SECOND) => measure(crowd, redis, paced(perSecond, SECONDS, 400));
  try {
    const alone = await lines();
    const rows = [windowRow('alone', alone, alone)];
    for (const kind of ['handshakes', 'values']) {
      const file = join(import.meta.dirname, '..', 'flood.child.ts');
      // It has the generator's core, where what is measured goes first.
      const command = [process.execPath, ...process.execArgv, file, relay.url, kind];
      const flood = spawn('nice', ['-n', '15', ...command], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        await once(createInterface(flood.stdout), 'line');
        rows.push(windowRow(`beside a flood of ${kind}`, await lines(), alone));
        rows.push(windowRow(`beside it, seldom`, await lines(SELDOM_PER_SECOND), alone));
      } finally {
        flood.kill();
      }
    }
    report.add('In a flood', rows);
    report.add('In a flood', [{ 'relay MiB': residentKib(relay.pid) / 1_024 }]);
    disperse(crowd);
  } finally {
    await relay.stop();
  }
}

/** A room of which a hundred stop reading: how late lines are for the others, and when the slow ones are cut. */
export async function benchSlowReaders(redis: BenchRedis, report: Report): Promise<void> {
  const relay = await startBenchRelay(redis);
  try {
    const crowd = await relayCrowd([relay], { rooms: 1, members: SLOW + READERS, bytes: LARGE });
    const members = crowd.rooms[0] ?? [];
    const readers = members.slice(0, READERS);
    const [writer] = readers;
    if (writer === undefined) throw new Error('no writer');
    const slow = members.slice(READERS);
    const ages: number[] = [];
    for (const reader of readers) reader.onAge = (ms) => ages.push(ms);
    const write = async (until: () => Promise<boolean>): Promise<readonly number[]> => {
      ages.length = 0;
      do {
        await writer.say(LARGE);
        await pause(1_000 / LINES_PER_SECOND);
      } while (!(await until()));
      await quiet(readers);
      return [...ages].sort((one, other) => one - other);
    };
    const end = performance.now() + SECONDS * 1_000;
    // The same question after each line, so that both are disturbed alike.
    const before = await write(async () => {
      await relayFigures(relay);
      return performance.now() > end;
    });
    for (const { raw } of slow) raw.socket.pause();
    let [first, last] = [NaN, NaN];
    const deadline = performance.now() + CUT_WITHIN_MS;
    const beside = await write(async () => {
      const { refused, open } = await relayFigures(relay);
      if (performance.now() > deadline) throw new Error('they were not cut');
      if (refused > 0 && Number.isNaN(first)) first = performance.now();
      if (refused < SLOW || open > READERS) return false;
      last = performance.now();
      return true;
    });
    report.add('A hundred that do not read', [
      row('before', before, before),
      row('beside them', beside, before),
    ]);
    report.add('From the first over its cap', [{ 'until all are gone, s': (last - first) / 1_000 }]);
    disperse(crowd);
  } finally {
    await relay.stop();
  }
}

async function relayFigures({
  metricsPort,
}: Relay): Promise<{ readonly refused: number; readonly open: number }> {
  const text = await (await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`)).text();
  const figure = (name: RegExp): number => Number(name.exec(text)?.[1] ?? 0);
  return {
    refused: figure(/^relay_refusals_total\{code="SLOW_CONSUMER"\} (\d+)$/m),
    open: figure(/^relay_connections (\d+)$/m),
  };
}
