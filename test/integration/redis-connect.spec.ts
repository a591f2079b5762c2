/** What the relay checks of its Redis at start: each fault is one line that names the setting and the remedy. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../apps/relay/src/config/environment.js';
import { connectRedis } from '../../apps/relay/src/store/redis/connection/connect.js';
import { freePort } from '../support/relay-process.js';
import { startRedis, type RunningRedis } from '../support/redis.js';

const PASSWORD = 'a password of "some" kind';
const quiet = { lost: () => undefined, found: () => undefined };
const closing: (() => Promise<void>)[] = [];
let folder: string;
let guarded: RunningRedis;
let cluster: RunningRedis;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc-connect-'));
  guarded = await startRedis({ kind: 'standalone', password: PASSWORD });
  cluster = await startRedis({ kind: 'cluster' });
  closing.push(
    () => guarded.stop(),
    () => cluster.stop(),
  );
});
afterAll(async () => {
  for (const close of closing) await close();
  await rm(folder, { recursive: true, force: true });
});

function connect(environment: Record<string, string>) {
  const { redis } = readConfig({ RELAY_PRIVATE_KEY: 'any', ...environment }, { webDir: '' });
  if (redis === null) throw new Error('no Redis is configured');
  return connectRedis(redis, quiet);
}

/** The one line that it ends with. */
async function refusal(environment: Record<string, string>): Promise<string> {
  try {
    (await connect(environment)).close();
  } catch (error) {
    expect((error as Error).name).toBe('ConfigError');
    const { message } = error as Error;
    expect(message).not.toContain(PASSWORD);
    expect(message.split('\n')).toHaveLength(1);
    return message;
  }
  return 'connected';
}

/** Says what a server of another make or age would say, to whatever it is asked. */
async function impostor(info: readonly string[]): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      const names = data.toString('latin1').match(/\*\d+\r\n\$\d+\r\n[a-zA-Z]+/g) ?? [];
      for (const name of names) {
        const text = `${info.join('\r\n')}\r\n`;
        const reply = `$${text.length}\r\n${text}\r\n`;
        socket.write(
          name.toLowerCase().endsWith('info')
            ? reply
            : '-ERR unknown command `HELLO`, with args beginning with: \r\n',
        );
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.close();
  });
  const address = server.address();
  return `redis://127.0.0.1:${typeof address === 'object' ? String(address?.port) : ''}`;
}

describe('a standalone Redis', () => {
  test('takes the password from the environment, from a file, and from the address', async () => {
    const url = guarded.environment.REDIS_URL!;
    const file = join(folder, 'password');
    await writeFile(file, `${PASSWORD}\n`);
    for (const environment of [
      { REDIS_URL: url, REDIS_PASSWORD: PASSWORD },
      { REDIS_URL: url, REDIS_PASSWORD_FILE: file, REDIS_USERNAME: 'default' },
      { REDIS_URL: url.replace('redis://', `redis://default:${encodeURIComponent(PASSWORD)}@`) },
    ]) {
      const connections = await connect(environment);
      expect(await connections.commands.ping()).toBe('PONG');
      connections.close();
    }
  });

  test('that does not take the password', async () => {
    const url = guarded.environment.REDIS_URL!;
    expect(await refusal({ REDIS_URL: url })).toMatch(
      /^REDIS_URL: .* does not take the password; set REDIS_USERNAME/,
    );
    expect(await refusal({ REDIS_URL: url, REDIS_PASSWORD: 'wrong' })).toMatch(/does not take the password/);
    expect(await refusal({ REDIS_URL: url, REDIS_PASSWORD_FILE: join(folder, 'absent') })).toMatch(
      /^REDIS_PASSWORD_FILE is .*ENOENT/,
    );
  });

  test('that has no such database', async () => {
    const url = guarded.environment.REDIS_URL!;
    const inDatabase = (name: string) => ({ REDIS_URL: `${url}/${name}`, REDIS_PASSWORD: PASSWORD });
    expect(await refusal(inDatabase('99'))).toMatch(
      /^REDIS_URL names database 99, which the Redis at .* does not have; name one/,
    );
    const connections = await connect(inDatabase('3'));
    expect(await connections.commands.client('INFO')).toMatch(/ db=3 /);
    connections.close();
  });

  test('that does not answer', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    expect(await refusal({ REDIS_URL: url })).toMatch(
      /^REDIS_URL: 127.* cannot be reached \(ECONNREFUSED\); start it/,
    );
  });

  test('that would throw rooms away', async () => {
    const redis = await startRedis({ kind: 'standalone', maxmemory: '8mb', maxmemoryPolicy: 'allkeys-lru' });
    closing.push(() => redis.stop());
    expect(await refusal({ ...redis.environment })).toMatch(
      /has maxmemory-policy allkeys-lru.* set it to noeviction/,
    );
  });

  test('that is too old, or is still loading', async () => {
    const old = await impostor([
      'redis_version:6.2.14',
      'redis_mode:standalone',
      'maxmemory_policy:noeviction',
    ]);
    expect(await refusal({ REDIS_URL: old })).toMatch(/is version 6\.2\.14; it must be 7 or later/);
    const loading = await impostor(['redis_version:7.0.15', 'loading:1']);
    expect(await refusal({ REDIS_URL: loading })).toMatch(/still loading its data; start the relay again/);
  });
});

describe('the wrong kind', () => {
  test('a node of a cluster where one server is expected', async () => {
    const url = `redis://${cluster.environment.REDIS_CLUSTER!.split(',')[0]!}`;
    expect(await refusal({ REDIS_URL: url })).toMatch(
      /^REDIS_URL: .* is a node of a cluster; set REDIS_CLUSTER/,
    );
  });

  test('one server where a cluster is expected', async () => {
    const at = guarded.environment.REDIS_URL!.replace('redis://', '');
    expect(await refusal({ REDIS_CLUSTER: at, REDIS_PASSWORD: PASSWORD })).toMatch(
      /^REDIS_CLUSTER: .* is no node of a cluster; set REDIS_URL/,
    );
  });

  test('a server where sentinels are expected', async () => {
    const at = guarded.environment.REDIS_URL!.replace('redis://', '');
    expect(await refusal({ REDIS_SENTINELS: at, REDIS_MASTER_NAME: 'x' })).toMatch(/^REDIS_SENTINELS: /);
  });
});

test('a cluster is used as long as one node of those named answers', async () => {
  const dead = `127.0.0.1:${await freePort()}`;
  const connections = await connect({ REDIS_CLUSTER: `${dead},${cluster.environment.REDIS_CLUSTER!}` });
  expect(await connections.commands.set('{a}', '1')).toBe('OK');
  connections.close();
  expect(await refusal({ REDIS_CLUSTER: dead })).toMatch(/^REDIS_CLUSTER: .* cannot be reached/);
});

test('sentinels lead to the master, by the name that they watch it under', async () => {
  const redis = await startRedis({ kind: 'sentinel' });
  closing.push(() => redis.stop());
  const connections = await connect({ ...redis.environment });
  expect(await connections.commands.set('a', '1')).toBe('OK');
  connections.close();
  expect(await refusal({ ...redis.environment, REDIS_MASTER_NAME: 'other' })).toMatch(
    /^REDIS_MASTER_NAME is other, which the sentinel .* does not watch/,
  );
});
