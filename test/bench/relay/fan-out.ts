/** What a delivery costs, and how late it is, at the relay and at the plain server, in turns. */
import {
  disperse, flatOut, measure, nameOf, oneByOne, paced, plainCrowd, relayCrowd, type Crowd, type Shape, type Window,
} from './crowd.js'; // prettier-ignore
import { startBenchRelay, startPlainServer, type BenchRedis } from './servers.js';
import { median } from '../client/table.js';
import { quantile, type Report } from './table.js';

/** Rooms, members of each, bytes of a payload. */
export const SHAPES = '1x100x400,10x10x400,1x500x400,50x4x400,10x10x4096,1x100x4096';

function shapesOf(text: string): readonly Shape[] {
  return text.split(',').map((shape) => {
    const [, rooms, members, bytes] = /^(\d+)x(\d+)x(\d+)$/.exec(shape) ?? [];
    if (bytes === undefined) throw new Error(`not a shape: ${shape}; one is 10x10x400`);
    return { rooms: Number(rooms), members: Number(members), bytes: Number(bytes) };
  });
}
/** Deliveries of one window: a second of CPU or more. */
const DELIVERIES = { oneByOne: 40_000, flatOut: 120_000 } as const;
const IN_FLIGHT = 64;
const LATENCY_SECONDS = 5;
const SHARES = [0.1, 0.5, 0.9] as const;

interface Both {
  readonly plain: Window;
  readonly relay: Window;
}
const ratioOf = (windows: readonly Both[], of: (window: Window) => number): number =>
  median(windows.map(({ plain, relay }) => of(relay) / of(plain)));
const medianBy = (windows: readonly Window[], of: (window: Window) => number): number =>
  median(windows.map(of));

async function inTurns(
  crowds: { readonly plain: Crowd; readonly relay: Crowd },
  redis: BenchRedis,
  rounds: number,
  work: () => ReturnType<typeof oneByOne>,
): Promise<readonly Both[]> {
  const windows: Both[] = [];
  while (windows.length < rounds) {
    const plain = await measure(crowds.plain, redis, work());
    windows.push({ plain, relay: await measure(crowds.relay, redis, work()) });
  }
  return windows;
}

/** One core that does nothing else, by what a delivery costs: where it was not busy the generator was the limit. */
const perCore = ({ cpuMicrosEach }: Window): number => 1e6 / cpuMicrosEach;

function rowsOf(name: string, how: string, windows: readonly Both[]) {
  const row = (who: string, some: readonly Window[], ratio: number | string) => ({
    shape: name,
    how,
    server: who,
    'CPU µs each': medianBy(some, ({ cpuMicrosEach }) => cpuMicrosEach),
    ratio,
    'deliveries/s': medianBy(some, ({ deliveries, seconds }) => deliveries / seconds),
    busy: medianBy(some, ({ busy }) => busy),
    'per core, derived': medianBy(some, perCore),
    'lines/frame': medianBy(some, ({ linesPerFrame }) => linesPerFrame),
    'Redis µs/line': medianBy(some, ({ redisMicrosPerLine }) => redisMicrosPerLine),
  });
  return [
    row(
      'plain',
      windows.map(({ plain }) => plain),
      '',
    ),
    row(
      'relay',
      windows.map(({ relay }) => relay),
      ratioOf(windows, ({ cpuMicrosEach }) => cpuMicrosEach),
    ),
  ];
}

async function latency(
  crowds: { readonly plain: Crowd; readonly relay: Crowd },
  redis: BenchRedis,
  { rounds, saturation }: { readonly rounds: number; readonly saturation: number },
  report: Report,
): Promise<void> {
  const { shape } = crowds.plain;
  const rows = [];
  for (const share of SHARES) {
    const perSecond = (saturation * share) / shape.members;
    const windows = await inTurns(crowds, redis, rounds, () =>
      paced(perSecond, LATENCY_SECONDS, shape.bytes),
    );
    for (const who of ['plain', 'relay'] as const) {
      const some = windows.map((both) => both[who]);
      rows.push({
        shape: nameOf(shape),
        'of the plain server’s most': share,
        server: who,
        'p50 ms': medianBy(some, ({ ages }) => quantile(ages, 0.5)),
        'p99 ms': medianBy(some, ({ ages }) => quantile(ages, 0.99)),
        'p99 ratio': who === 'plain' ? '' : ratioOf(windows, ({ ages }) => quantile(ages, 0.99)),
        busy: medianBy(some, ({ busy }) => busy),
      });
    }
  }
  report.add('From sending to seeing', rows);
}

/** @param shapes as in {@link SHAPES} */
export async function benchFanOut(
  redis: BenchRedis,
  { rounds, shapes }: { readonly rounds: number; readonly shapes: string },
  report: Report,
): Promise<void> {
  for (const shape of shapesOf(shapes)) {
    // Servers of their own for each shape: memory that one has used would hide what the next one takes.
    const [plainServer, relay] = [await startPlainServer(redis), await startBenchRelay(redis)];
    try {
      const crowds = { plain: await plainCrowd(plainServer, shape), relay: await relayCrowd([relay], shape) };
      const perLine = shape.rooms * shape.members;
      const each = (deliveries: number): number => Math.max(20, Math.ceil(deliveries / perLine));
      const single = await inTurns(crowds, redis, rounds, () =>
        oneByOne(each(DELIVERIES.oneByOne), shape.bytes),
      );
      report.add('A delivery', rowsOf(nameOf(shape), 'one by one', single));
      const most = await inTurns(crowds, redis, rounds, () =>
        flatOut(each(DELIVERIES.flatOut), IN_FLIGHT, shape.bytes),
      );
      report.add('A delivery', rowsOf(nameOf(shape), 'flat out', most));
      if (shape.bytes === 400 && shape.rooms * shape.members === 100) {
        const saturation = median(most.map(({ plain }) => plain.deliveries / plain.seconds));
        await latency(crowds, redis, { rounds: Math.min(rounds, 3), saturation }, report);
      }
      disperse(crowds.plain);
      disperse(crowds.relay);
    } finally {
      await plainServer.stop();
      await relay.stop();
    }
  }
}
