import { describe, expect, test } from '@jest/globals';
import { readConfig, type Environment } from './config.js';

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
    });
    expect(Object.isFrozen(read({}))).toBe(true);
  });

  test.each<[Environment, string]>([
    [{ PORT: 'http' }, 'PORT is "http"; it must be a whole number from 0 to 65535.'],
    [{ PORT: '65536' }, 'PORT is "65536"'],
    [{ SERVE_WEB: 'maybe' }, 'SERVE_WEB is "maybe"; it must be true or false.'],
    [{ LOG_LEVEL: 'loud' }, 'it must be fatal, error'],
    [{ ALLOWED_ORIGINS: 'https://a.example/path' }, 'ALLOWED_ORIGINS is'],
    [{ HISTORY_BYTES: '1000' }, 'HISTORY_BYTES is "1000"; it must be a whole number from 1048576'],
    [{ ROOM_IDLE_DAYS: '-1' }, 'ROOM_IDLE_DAYS is "-1"; it must be a whole number from 0 to 36500.'],
    [{ RESTORES_BURST: '63' }, 'RESTORES_BURST is "63"; it must be a whole number from 64'],
    [{ ROOM_CREATION: 'token' }, 'ROOM_CREATION_TOKEN must be set'],
    [{ RELAY_PRIVATE_KEY: 'a', RELAY_PRIVATE_KEY_FILE: 'b' }, 'both set'],
  ])('%j is refused in a line that says what is allowed', (environment, text) => {
    expect(() => read(environment)).toThrow(text);
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
    });
    expect(config).toMatchObject({ port: 5103, webDir: null, roomIdleDays: 0 });
    expect(config.allowedOrigins).toEqual(['https://a.example', 'https://b.example:8443']);
  });
});
