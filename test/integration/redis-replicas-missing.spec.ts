/** Replicas of Redis that a relay is told to wait for are not there: its operator learns of it, and when they are back. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { startRedis, type RunningRedis } from '../support/redis.js';
import { freePort, RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { Peer, Refused } from './relay-peer.js';
import { message, TestRoom } from './relay-room.js';

let redis: RunningRedis;
let relay: RelayProcess;
let metricsPort: number;
beforeAll(async () => {
  await loadThemis();
  redis = await startRedis({ kind: 'sentinel' });
  metricsPort = await freePort();
});
afterAll(async () => {
  await relay.remove();
  await redis.stop();
});

interface Line {
  readonly level: number;
  readonly code?: string;
  readonly wanted?: number;
  readonly msg: string;
}
const WARN = 40;
const told = (): readonly Line[] =>
  relay.log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ wanted }) => wanted !== undefined);

async function shown() {
  const response = await fetch(`${relay.url}/health/ready`);
  const text = await (await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    status: response.status,
    body: (await response.json()) as unknown,
    missing: value('relay_redis_replicas_missing'),
    failed: value('relay_redis_waits_failed_total'),
  };
}
const ready = (missing: boolean) => ({
  status: 200,
  body: { status: 'ready', replicas: { wanted: 1, missing } },
  missing: missing ? 1 : 0,
});

test('they are warned of at the start and shown until they are back; reading goes on, and so does readiness', async () => {
  const replica = redis.nodes.findIndex(({ role }) => role === 'replica');
  await redis.kill(replica);
  const master = redis.connect();
  await until('the master to know', async () =>
    (await master.info('replication')).includes('connected_slaves:0'),
  );
  master.disconnect();
  const pair = generateKeyPair();
  relay = await RelayProcess.start({
    SERVE_WEB: 'false',
    RELAY_PRIVATE_KEY: writeKey(pair),
    METRICS_PORT: String(metricsPort),
    REDIS_WAIT_REPLICAS: '1',
    ...redis.environment,
  });
  expect(told()).toMatchObject([{ level: WARN, code: 'REPLICAS', wanted: 1 }]);
  expect(await shown()).toEqual({ ...ready(true), failed: 0 });

  await redis.restart(replica);
  const at = { url: relay.url, publicKey: pair.publicKey };
  const room = await until('a room', async () => {
    try {
      return await TestRoom.create(at);
    } catch (error) {
      if (error instanceof Refused && error.code === 'TRY_AGAIN') return null;
      throw error;
    }
  });
  expect(await shown()).toMatchObject(ready(false));
  expect(told()).toHaveLength(2);
  await room.owner.request('append', { messages: [message()] });

  await redis.kill(replica);
  const before = (await shown()).failed;
  expect(await room.owner.refusal('append', { messages: [message()] })).toBe('TRY_AGAIN');
  const after = await shown();
  expect(after).toMatchObject(ready(true));
  expect(after.failed).toBeGreaterThan(before);
  expect(told().map(({ level }) => level === WARN)).toEqual([true, false, true]);
  const reader = await Peer.connect(at, room.owner.identity);
  await room.open(reader);
  reader.leave();
});
