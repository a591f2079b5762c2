/** The test helper itself: what it starts behaves as the suites that use it take for granted. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { startRedis, type RedisOptions, type RunningRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

const running: RunningRedis[] = [];
async function start(options: RedisOptions): Promise<RunningRedis> {
  const redis = await startRedis(options);
  running.push(redis);
  return redis;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((redis) => redis.stop()));
});

describe('Redis for tests', () => {
  test('standalone with a password keeps its data over kill and restart', async () => {
    const redis = await start({ kind: 'standalone', password: 'p "a\\ss', appendonly: true });
    expect(redis.environment).toEqual({
      REDIS_URL: `redis://127.0.0.1:${redis.nodes[0]!.port}`,
      REDIS_PASSWORD: 'p "a\\ss',
    });
    const before = redis.connect();
    await before.set('key', 'kept');
    before.disconnect();
    await redis.kill(0);
    await redis.restart(0);
    const after = redis.connect();
    expect(await after.get('key')).toBe('kept');
    await after.set('key', 'kept again');
    await redis.restart(0);
    await until('the connection to be back', async () => (await after.get('key').catch(() => null)) !== null);
    expect(await after.get('key')).toBe('kept again');
    after.disconnect();
  });

  test('standalone with a bound on its memory refuses rather than evicts', async () => {
    const redis = await start({ kind: 'standalone', maxmemory: '2mb' });
    const client = redis.connect();
    const value = 'x'.repeat(100_000);
    const fill = async (): Promise<void> => {
      for (let index = 0; index < 100; index++) await client.set(`key:${index}`, value);
    };
    await expect(fill()).rejects.toThrow('OOM');
    client.disconnect();
  });

  test('a cluster of three masters serves every slot', async () => {
    const redis = await start({ kind: 'cluster' });
    expect(redis.environment.REDIS_CLUSTER?.split(',')).toHaveLength(3);
    const node = redis.connect();
    const slots = (await node.call('CLUSTER', 'SLOTS')) as [number, number, ...unknown[]][];
    node.disconnect();
    const ranges = slots.map(([from, to]) => [from, to]).toSorted(([a], [b]) => a! - b!);
    expect(ranges).toEqual([
      [0, 5460],
      [5461, 10_921],
      [10_922, 16_383],
    ]);
  });

  test('behind Sentinel a replica takes over from a killed master', async () => {
    const redis = await start({ kind: 'sentinel', password: 'secret' });
    expect(redis.nodes.map(({ role }) => role)).toEqual([
      'master',
      'replica',
      'sentinel',
      'sentinel',
      'sentinel',
    ]);
    const replica = redis.connect(1);
    await redis.kill(0);
    await until('the replica to be the master', async () =>
      (await replica.info('replication')).includes('role:master'),
    );
    replica.disconnect();
    expect(redis.environment).toMatchObject({ REDIS_MASTER_NAME: '0fc', REDIS_PASSWORD: 'secret' });
  });

  test('TEST_REDIS with another word is refused', async () => {
    const before = process.env.TEST_REDIS;
    process.env.TEST_REDIS = 'magic';
    try {
      await expect(startRedis({ kind: 'cluster' })).rejects.toThrow('TEST_REDIS is "magic"');
    } finally {
      if (before === undefined) delete process.env.TEST_REDIS;
      else process.env.TEST_REDIS = before;
    }
  });
});
