/** Whether a delivery costs the same with more replicas, more nodes of Redis, and in rooms of any size. */
import { disperse, measure, nameOf, oneByOne, relayCrowd, type Shape, type Window } from './crowd.js';
import { settled, startBenchRedis, startBenchRelay, type BenchRedis, type Relay } from './servers.js';
import type { Report } from './table.js';

const DELIVERIES = 40_000;
const REPLICAS = [1, 2, 3] as const;
const SIZES = [2, 5, 10, 50, 100, 250, 500] as const;
/** Members of the rooms of one size together. */
const TOGETHER = 100;
const PAIRS = 2_000;
const WARM_PAIRS = 500;

async function windows(
  redis: BenchRedis,
  relays: readonly Relay[],
  shape: Shape,
  rounds: number,
): Promise<Window> {
  const crowd = await relayCrowd(relays, shape);
  const each = Math.max(20, Math.ceil(DELIVERIES / (shape.rooms * shape.members * shape.members)));
  const all: Window[] = [];
  while (all.length < rounds) all.push(await measure(crowd, redis, oneByOne(each, shape.bytes)));
  disperse(crowd);
  const found = all.sort((a, b) => a.cpuMicrosEach - b.cpuMicrosEach)[all.length >> 1];
  if (found === undefined) throw new Error('no window');
  return found;
}

const perLine = ({ cpuMicrosEach, deliveries, lines }: Window): number =>
  (cpuMicrosEach * deliveries) / lines;

async function withRelays<T>(
  redis: BenchRedis,
  count: number,
  work: (relays: readonly Relay[]) => Promise<T>,
): Promise<T> {
  const relays: Relay[] = [];
  try {
    while (relays.length < count) relays.push(await startBenchRelay(redis));
    return await work(relays);
  } finally {
    for (const relay of relays) await relay.stop();
  }
}

export async function benchScale(redis: BenchRedis, rounds: number, report: Report): Promise<void> {
  const cluster = await startBenchRedis('cluster');
  try {
    for (const [nodes, server] of [
      [1, redis],
      [3, cluster],
    ] as const)
      for (const replicas of REPLICAS) {
        const shape = { rooms: 10, members: 10, bytes: 400 };
        const window = await withRelays(server, replicas, (relays) => windows(server, relays, shape, rounds));
        report.add('Replicas and nodes of Redis', [
          {
            shape: nameOf(shape),
            replicas,
            'Redis nodes': nodes,
            'CPU µs each': window.cpuMicrosEach,
            'Redis µs/line': window.redisMicrosPerLine,
          },
        ]);
      }
  } finally {
    await cluster.stop();
  }
  for (const members of SIZES) {
    const shape = { rooms: Math.max(1, TOGETHER / members), members, bytes: 400 };
    const window = await withRelays(redis, 1, (relays) => windows(redis, relays, shape, rounds));
    report.add('Sizes of rooms', [
      {
        members,
        rooms: shape.rooms,
        'CPU µs each': window.cpuMicrosEach,
        'CPU µs/line': perLine(window),
        'Redis µs/line': window.redisMicrosPerLine,
      },
    ]);
  }
  await withRelays(redis, 1, async (relays) => {
    const [relay] = relays;
    if (relay === undefined) throw new Error('no relay');
    // The first only fill the heap's nursery.
    const first = await relayCrowd(relays, { rooms: WARM_PAIRS, members: 2, bytes: 400 });
    const before = await settled(relay.pid);
    const pairs = await relayCrowd(relays, { rooms: PAIRS, members: 2, bytes: 400 });
    const kib = ((await settled(relay.pid)) - before) / PAIRS;
    report.add('Rooms of two', [{ rooms: PAIRS, 'KiB each': kib }]);
    disperse(first);
    disperse(pairs);
  });
}
