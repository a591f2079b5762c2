import { describe, expect, test } from '@jest/globals';
import { readConfig, type Environment } from './environment.js';

const read = (environment: Environment) => readConfig(environment, { webDir: 'web' });

describe('configuration', () => {
  test('needs nothing', () => {
    expect(read({})).toMatchObject({
      port: 5103,
      host: '127.0.0.1',
      dataDir: './data',
      webDir: 'web',
      creationToken: null,
      historyBytes: 67_108_864,
      roomIdleDays: 90,
      restoreRate: { perSecond: 100, burst: 2_000 },
      connections: 10_000,
      connectionsPerAddress: 10_000,
    });
    expect(Object.isFrozen(read({}))).toBe(true);
  });

  test.each<[Environment, string]>([
    [{ PORT: 'http' }, 'PORT is "http"; it must be a whole number from 0 to 65535.'],
    [{ PORT: '65536' }, 'PORT is "65536"'],
    [{ SERVE_WEB: 'maybe' }, 'SERVE_WEB is "maybe"; it must be true or false.'],
    [{ LOG_LEVEL: 'loud' }, 'it must be fatal, error'],
    [{ ALLOWED_ORIGINS: 'https://a.example/path' }, 'ALLOWED_ORIGINS is'],
    [{ PUBLIC_HOST: 'https://a.example' }, 'PUBLIC_HOST is "https://a.example"; it must be hosts such as'],
    [{ PUBLIC_HOST: 'a.example:8443' }, 'without a port'],
    [{ PUBLIC_HOST: '[::1]:80' }, 'without a port'],
    [{ PUBLIC_HOST: 'a.example,' }, 'PUBLIC_HOST is'],
    [{ PUBLIC_HOST: 'a.example/x' }, 'PUBLIC_HOST is'],
    [{ PUBLIC_HOST: '*' }, 'PUBLIC_HOST is'],
    [{ HISTORY_BYTES: '1000' }, 'HISTORY_BYTES is "1000"; it must be a whole number from 1048576'],
    [{ ROOM_IDLE_DAYS: '-1' }, 'ROOM_IDLE_DAYS is "-1"; it must be a whole number from 0 to 36500.'],
    [{ RESTORES_BURST: '63' }, 'RESTORES_BURST is "63"; it must be a whole number from 64'],
    [{ ROOM_CREATION: 'token' }, 'ROOM_CREATION_TOKEN must be set'],
    [{ RELAY_PRIVATE_KEY: 'a', RELAY_PRIVATE_KEY_FILE: 'b' }, 'both set'],
  ])('%j is refused in a line that says what is allowed', (environment, text) => {
    expect(() => read(environment)).toThrow(text);
  });

  test('an address may have as many connections as limits/connections.ts lets it, unless it is given fewer', () => {
    expect(read({ MAX_CONNECTIONS: '30000' })).toMatchObject({
      connections: 30_000,
      connectionsPerAddress: 30_000,
    });
    expect(read({ MAX_CONNECTIONS_PER_ADDRESS: '256' }).connectionsPerAddress).toBe(256);
  });

  test('no secret is repeated in an error', () => {
    expect(() => read({ ROOM_CREATION_TOKEN: 'short-secret' })).toThrow('ROOM_CREATION_TOKEN is not usable');
    expect(() => read({ ROOM_CREATION_TOKEN: 'short-secret' })).not.toThrow('short-secret');
  });

  test('reads what it is given; an empty variable is not set', () => {
    const config = read({
      PORT: '',
      SERVE_WEB: 'false',
      ROOM_IDLE_DAYS: '0',
      ALLOWED_ORIGINS: 'https://a.example, https://b.example:8443',
      PUBLIC_HOST: 'Chat.Example, bücher.example,[2001:DB8::1], 192.0.2.1',
    });
    expect(config).toMatchObject({ port: 5103, webDir: null, roomIdleDays: 0 });
    expect(config.publicHosts).toEqual([
      'chat.example',
      'xn--bcher-kva.example',
      '[2001:db8::1]',
      '192.0.2.1',
    ]);
    expect(config.allowedOrigins).toEqual(['https://a.example', 'https://b.example:8443']);
  });
});

describe('Redis', () => {
  const KEY = { RELAY_PRIVATE_KEY: 'any' };

  test('is not used unless it is named', () => {
    expect(read({}).redis).toBeNull();
  });

  test('is one server, by its address', () => {
    expect(
      read({ ...KEY, REDIS_URL: 'rediss://me:s%3Acret@[::1]:7000/2', REDIS_WAIT_REPLICAS: '1' }).redis,
    ).toEqual({
      target: { kind: 'standalone', at: { host: '::1', port: 7000 }, database: 2 },
      username: 'me',
      password: 's:cret',
      passwordFile: null,
      sentinelPassword: null,
      tls: true,
      caFile: null,
      prefix: '0fc:',
      waitReplicas: 1,
    });
    expect(read({ ...KEY, REDIS_URL: 'redis://cache' }).redis).toMatchObject({
      target: { at: { host: 'cache', port: 6379 }, database: 0 },
      tls: false,
    });
  });

  test('is what sentinels name, or a cluster', () => {
    expect(
      read({ ...KEY, REDIS_SENTINELS: 'a:26379, [fd00::1]:26380', REDIS_MASTER_NAME: 'm', REDIS_TLS: '1' })
        .redis,
    ).toMatchObject({
      target: {
        kind: 'sentinel',
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'fd00::1', port: 26_380 },
        ],
        master: 'm',
      },
      tls: true,
    });
    expect(read({ ...KEY, REDIS_CLUSTER: 'a:1,b:2', REDIS_KEY_PREFIX: 'x:' }).redis).toMatchObject({
      target: { kind: 'cluster', nodes: [{ host: 'a' }, { host: 'b' }] },
      prefix: 'x:',
    });
  });

  test.each<[Environment, RegExp]>([
    [{ REDIS_URL: 'redis://a' }, /^RELAY_PRIVATE_KEY or RELAY_PRIVATE_KEY_FILE must be set/],
    [{ ...KEY, REDIS_URL: 'redis://a', REDIS_CLUSTER: 'a:1' }, /^REDIS_URL and REDIS_CLUSTER are set/],
    [{ ...KEY, REDIS_URL: 'http://a' }, /^REDIS_URL is not usable; it must be redis:/],
    [{ ...KEY, REDIS_URL: 'redis://a/keys' }, /^REDIS_URL is not usable/],
    [{ ...KEY, REDIS_CLUSTER: 'a' }, /^REDIS_CLUSTER is "a"; it must be host:port/],
    [{ ...KEY, REDIS_SENTINELS: 'a:1' }, /REDIS_MASTER_NAME must name/],
    [
      { ...KEY, REDIS_URL: 'redis://a', REDIS_MASTER_NAME: 'm' },
      /^REDIS_MASTER_NAME is set, but only sentinels/,
    ],
    [{ REDIS_PASSWORD: 'p' }, /^REDIS_PASSWORD is set, but none of REDIS_URL/],
    [{ ...KEY, REDIS_URL: 'redis://:p@a', REDIS_PASSWORD: 'p' }, /is given twice/],
    [{ ...KEY, REDIS_URL: 'rediss://a', REDIS_TLS: 'false' }, /^REDIS_TLS is false, but/],
    [{ ...KEY, REDIS_URL: 'redis://a', REDIS_KEY_PREFIX: '{a}' }, /^REDIS_KEY_PREFIX is/],
  ])('%j is refused', (environment, text) => {
    expect(() => read(environment)).toThrow(text);
  });

  test('its secrets are not repeated', () => {
    expect(() => read({ ...KEY, REDIS_URL: 'http://u:hush@a' })).not.toThrow('hush');
  });
});
