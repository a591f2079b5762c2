/** A Redis that hangs closes no connection: only who asks finds out. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { startRedis, type RunningRedis } from '../support/redis.js';
import { until } from '../support/wait.js';
import { message, TestRoom } from './relay-room.js';

let redis: RunningRedis;
let relay: RunningRelay;
beforeAll(async () => {
  await loadThemis();
  // A password makes it this test's own, whatever REDIS_URL says.
  redis = await startRedis({ kind: 'standalone', password: 'of-its-own' });
  relay = await startRelay({
    environment: {
      PORT: '0',
      METRICS_PORT: '0',
      LOG_LEVEL: 'silent',
      SERVE_WEB: 'false',
      HANDSHAKE_MS: '60000',
      RELAY_PRIVATE_KEY: writeKey(generateKeyPair()),
      ...redis.environment,
    },
    inMemory: true,
  });
});
afterAll(async () => {
  await relay.stop();
  await redis.stop();
});

const status = async (path: string): Promise<number> => (await fetch(`${relay.url}/health/${path}`)).status;

test('readiness turns red, requests end in TRY_AGAIN, and all comes back with it', async () => {
  const room = await TestRoom.create(relay);
  const pid = redis.nodes[0]?.pid;
  if (typeof pid !== 'number') {
    // A container's process is not ours to stop.
    expect(process.env.TEST_REDIS).toBe('containers');
    return;
  }
  process.kill(pid, 'SIGSTOP');
  try {
    expect(await room.owner.refusal('append', { messages: [message()] })).toBe('TRY_AGAIN');
    await until('readiness to turn red', async () => (await status('ready')) === 503);
    expect(await status('live')).toBe(200);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until('readiness to turn green', async () => (await status('ready')) === 200);
  const { placed } = await room.owner.request('append', { messages: [message()] });
  await until('the message', () =>
    room.owner.entries.some(({ position }) => position.s === placed[0]?.position.s),
  );
  // The one whose answer was lost may have been stored: whatever was is delivered, in order.
  const seqs = room.owner.entries.map(({ position }) => position.s);
  expect(seqs).toEqual(seqs.map((_, n) => (seqs[0] ?? 0) + n));
  room.owner.leave();
});
