/**
 * npm run bench -- relay [PART…] [--rounds N] [--shapes 1x100x400,…] [--json]: the relay on Redis beside a plain Socket.IO server with the sharded
 * adapter on the same Redis, which seals, keeps and orders nothing, and acknowledges a line before it has gone anywhere; where a
 * row has both, they were measured in one run, a delivery's in turns. The server has a core for itself; Redis and the generator
 * share the other. Parts, all unless named:
 *
 * - `fan-out`: microseconds of CPU for each delivery, deliveries a second, lines in a frame, and how late lines are
 * - `memory`, `connects`, `storm`: what connections take, and how soon 2,000 that were dropped are all back
 * - `floods`, `slow`: how late lines are beside floods of strangers, and beside members that do not read
 * - `scale`: replicas, nodes of Redis, sizes of rooms
 *
 * Lines that are measured in `fan-out`, `floods` and `scale` are checked afterwards: each member has each line of its room once,
 * as it was sent, in order; in `storm` each has all that it missed.
 */
import { parseArgs } from 'node:util';
import { benchConnects, benchMemory, benchStorm } from './relay/connections.js';
import { benchFanOut, SHAPES } from './relay/fan-out.js';
import { benchFloods, benchSlowReaders } from './relay/flood.js';
import { benchScale } from './relay/scale.js';
import { startBenchRedis } from './relay/servers.js';
import { reportAs } from './relay/table.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    shapes: { type: 'string', default: SHAPES },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds ${values.rounds}: a whole number from 1 on`);
const report = reportAs(values.json);
const redis = await startBenchRedis();
const parts: Readonly<Record<string, () => Promise<void>>> = {
  'fan-out': () => benchFanOut(redis, { rounds, shapes: values.shapes }, report),
  memory: () => benchMemory(redis, report),
  connects: () => benchConnects(redis, report),
  storm: () => benchStorm(redis, report),
  floods: () => benchFloods(redis, report),
  slow: () => benchSlowReaders(redis, report),
  scale: () => benchScale(redis, rounds, report),
};
const unknown = positionals.filter((name) => !Object.hasOwn(parts, name));
try {
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  for (const [name, run] of Object.entries(parts))
    if (positionals.length === 0 || positionals.includes(name)) await run();
} finally {
  await redis.stop();
}
report.end();
