/**
 * Who may speak to a relay (docs/decisions/0038-who-may-speak-to-the-relay.md): under which hosts it answers over HTTP
 * and by websocket, from which pages, and what it says to a browser that carries more cookies than fit.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

const relays: RunningRelay[] = [];
let folder: string;
/** as `npm start` runs it */
let local: RunningRelay;
/** on all addresses, with a name */
let named: RunningRelay;
/** on all addresses, without one */
let unnamed: RunningRelay;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc-hosts-'));
  await mkdir(join(folder, 'web'));
  await writeFile(join(folder, 'web', 'index.html'), '<!doctype html><title>client</title>');
  await writeFile(
    join(folder, 'web', 'csp.json'),
    JSON.stringify({ document: "default-src 'none'", worker: 'x' }),
  );
  const start = async (environment: Record<string, string>): Promise<RunningRelay> => {
    const base = { PORT: '0', LOG_LEVEL: 'silent', WEB_DIR: join(folder, 'web') };
    const relay = await startRelay({ environment: { ...base, ...environment }, inMemory: true });
    relays.push(relay);
    return relay;
  };
  local = await start({ METRICS_PORT: '0' });
  named = await start({ HOST: '0.0.0.0', PUBLIC_HOST: 'chat.example, localhost', TRUST_PROXY: '1' });
  unnamed = await start({ HOST: '0.0.0.0', METRICS_HOST: '0.0.0.0', METRICS_PORT: '0' });
});
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** By a plain request, whose Host is what is given. An upgrade that is taken is closed at once. */
function ask(port: number, path: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, method, agent: false });
    asked.on('upgrade', ({ statusCode: status = 0, headers: got }, socket) => {
      socket.destroy();
      resolve({ status, headers: got, text: '' });
    });
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on('error', reject).end();
  });
}

const SOCKET = '/socket.io/?EIO=4&transport=websocket';
const UPGRADE = {
  Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
}; // prettier-ignore
const PATHS = [
  '/',
  '/index.html',
  '/join',
  '/config.json',
  '/absent.js',
  '/socket.io/?EIO=4&transport=polling',
];
const PROBES = ['/health/live', '/health/ready'];
const status = async (...of: Parameters<typeof ask>): Promise<number> => (await ask(...of)).status;

describe('a page that has its own name lead here', () => {
  test.each(['evil.example', 'evil.example:5103', 'localhost.evil.example', '10.0.0.7'])(
    'as %s reads nothing, and opens no socket',
    async (Host) => {
      for (const relay of [local, named]) {
        for (const path of PATHS) {
          for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
            const { status: got, text, headers } = await ask(relay.port, path, { Host }, method);
            expect([path, method, got]).toEqual([path, method, 421]);
            expect(text).not.toMatch(/client|relayPublicKey|evil|10\.0/);
            expect(headers['cache-control']).toBe('no-store');
          }
        }
        for (const Origin of [`http://${Host}`, `https://${Host}`]) {
          expect(await status(relay.port, SOCKET, { Host, Origin, ...UPGRADE })).toBe(421);
        }
        expect(await status(relay.port, SOCKET, { Host, ...UPGRADE })).toBe(421);
      }
      expect(await status(local.metricsPort ?? 0, '/metrics', { Host })).toBe(421);
    },
  );

  test('has no word on which host it is by other headers', async () => {
    const headers = {
      Host: 'evil.example',
      'X-Forwarded-Host': 'chat.example',
      Forwarded: 'host=chat.example',
    };
    expect(await status(named.port, '/config.json', headers)).toBe(421);
    expect(await status(named.port, SOCKET, { ...headers, ...UPGRADE })).toBe(421);
  });
});

describe('a relay', () => {
  test.each<[string, () => RunningRelay, readonly string[]]>([
    [
      'on loopback',
      () => local,
      ['localhost', 'localhost:5103', '127.0.0.1:5103', '[::1]:5103', 'relay.localhost'],
    ],
    ['with a name', () => named, ['chat.example', 'chat.example:8443', 'CHAT.EXAMPLE', 'localhost:8080']],
    ['without one', () => unnamed, ['localhost', '127.0.0.1:5103', '10.0.0.7', '[2001:db8::1]:5103']],
  ])('%s answers under its hosts, its page and its sockets', async (_which, relay, hosts) => {
    for (const Host of hosts) {
      const { port } = relay();
      expect([Host, (await ask(port, '/', { Host })).text]).toEqual([
        Host,
        expect.stringContaining('client'),
      ]);
      expect((await ask(port, '/config.json', { Host })).text).toContain('relayPublicKey');
      const Origin = `http://${Host.toLowerCase()}`;
      expect([Host, await status(port, SOCKET, { Host, Origin, ...UPGRADE })]).toEqual([Host, 101]);
    }
  });

  test('answers balancers and kubelets, which ask by address, about its health and nothing else', async () => {
    for (const Host of ['10.0.0.7:5103', '[2001:db8::1]:5103', '127.0.0.1:5103']) {
      for (const path of PROBES)
        expect([Host, path, await status(named.port, path, { Host })]).toEqual([Host, path, 200]);
      expect(await status(named.port, '/config.json', { Host })).toBe(421);
    }
    for (const path of PROBES) expect(await status(named.port, path, { Host: 'evil.example' })).toBe(421);
    expect(await status(unnamed.metricsPort ?? 0, '/metrics', { Host: 'relay-metrics.0fc.svc:9103' })).toBe(
      200,
    );
    expect(await status(local.metricsPort ?? 0, '/metrics', { Host: 'localhost' })).toBe(200);
  });

  test('takes pages of its own origin alone: scheme, host and port', async () => {
    const Host = 'chat.example';
    const https = { 'X-Forwarded-Proto': 'https' };
    const cases: [Record<string, string>, number][] = [
      [{ Origin: 'http://chat.example' }, 101],
      [{ Origin: 'https://chat.example', ...https }, 101],
      [{ Origin: 'http://chat.example', ...https }, 400],
      [{ Origin: 'https://chat.example' }, 400],
      [{ Origin: 'http://chat.example:8080' }, 400],
      [{ Origin: 'http://localhost' }, 400],
      [{ Origin: 'null' }, 400],
    ];
    for (const [headers, expected] of cases) {
      const got = await status(named.port, SOCKET, { Host, ...headers, ...UPGRADE });
      expect([headers, got]).toEqual([headers, expected]);
    }
    const neighbour = { Host: 'localhost:5103', Origin: 'http://localhost:3000', ...UPGRADE };
    expect(await status(local.port, SOCKET, neighbour)).toBe(400);
  });

  test('that nobody has named says at its start what it does, and in its log why it refuses, once', async () => {
    const relay = await RelayProcess.start({ HOST: '0.0.0.0' });
    await until('its first lines', () => relay.log.includes('PUBLIC_HOST is not set'));
    for (let n = 0; n < 3; n++) expect(await status(relay.port, '/', { Host: 'evil.example' })).toBe(421);
    const https = { Host: 'localhost', Origin: 'https://localhost', ...UPGRADE };
    for (let n = 0; n < 3; n++) expect(await status(relay.port, SOCKET, https)).toBe(400);
    await until('the warnings', () => relay.log.includes('"code":"SCHEME"'));
    for (const code of ['HOST', 'SCHEME']) expect(relay.log.split(`"code":"${code}"`)).toHaveLength(2);
    expect(relay.log).not.toContain('evil.example');
    await relay.remove();
  });
});

/** All that comes back for what is sent, in pieces of at most `size` bytes, each in a packet of its own. */
async function exchange(text: string, size = Infinity): Promise<string> {
  const socket = connect({ port: local.port, host: '127.0.0.1', noDelay: true });
  // Before it is connected, pieces would wait and go together.
  await once(socket, 'connect');
  const answers = socket.toArray() as Promise<Buffer[]>;
  for (let at = 0; at < text.length && socket.writable; at += size) {
    socket.write(text.slice(at, at + size));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Buffer.concat(await answers).toString('latin1');
}
const target = (path: string, ...lines: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Sec-Fetch-Site: none', ...lines, '', ''].join('\r\n');
const cookies = (bytes: number): string => {
  const one = (n: number): string => `neighbour${String(n)}=${'x'.repeat(990)}`;
  return `Cookie: ${Array.from({ length: Math.ceil(bytes / 1_000) }, (_, n) => one(n)).join('; ')}`;
};
const CLEARS = 'Clear-Site-Data: "cookies"';
const sizes = fc.integer({ min: 200, max: 20_000 });

/** What matters of an answer: its text would fill the screen. */
const summary = (answer: string): [string, boolean] => [
  answer.slice(0, 'HTTP/1.1 431'.length),
  answer.includes(CLEARS),
];

describe('cookies of a neighbour', () => {
  test('that fit cost nothing', async () => {
    expect(summary(await exchange(target('/', cookies(12_000), 'Connection: close')))).toEqual([
      'HTTP/1.1 200',
      false,
    ]);
  });

  test.each([17_000, 60_000, 300_000])('of %i bytes are cleared', async (bytes) => {
    const answer = await exchange(target('/', cookies(bytes), 'Accept-Language: en'));
    expect(summary(answer)).toEqual(['HTTP/1.1 431', true]);
    expect(answer).toContain('Cache-Control: no-store');
    expect(answer).not.toContain('neighbour1=');
  });

  test('are cleared in whatever pieces the request comes', async () => {
    const path = '/room/AAAAAAAAAAAAAAAAAAAAAA';
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        expect(summary(await exchange(target(path, cookies(40_000)), size))).toEqual(['HTTP/1.1 431', true]);
      }),
      { numRuns: 30 },
    );
  });

  test('are cleared on a connection that has served others', async () => {
    const socket = connect({ port: local.port, host: '127.0.0.1' });
    let answer = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
    for (let n = 1; n <= 3; n++) {
      socket.write(target('/config.json'));
      await until('an answer', () => answer.split('relayPublicKey').length === n + 1);
    }
    expect(answer).not.toContain('Clear-Site-Data');
    socket.write(target('/', cookies(40_000)));
    await until('the last answer', () => answer.includes('431') && socket.closed);
    expect(answer).toContain(CLEARS);
  });

  test('are left alone where it is the address that is too long: any page can bring that about', async () => {
    const lengths = fc.constantFrom(3_000, 14_000, 20_000);
    await fc.assert(
      fc.asyncProperty(lengths, sizes, async (length, size) => {
        const answer = await exchange(target(`/${'a'.repeat(length)}`, cookies(14_000)), size);
        expect(summary(answer)).toEqual(['HTTP/1.1 431', false]);
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ['a preflight for many headers', 'OPTIONS', 'Access-Control-Request-Headers'],
    ['a websocket of many protocols', 'GET', 'Sec-WebSocket-Protocol'],
    ['a long address of the page before', 'GET', 'Referer'],
  ])('are left alone where it is %s: any page can bring that about', async (_what, method, header) => {
    for (const beside of ['', cookies(4_000)]) {
      const lines = [`${header}: ${'a'.repeat(20_000)}`, ...(beside === '' ? [] : [beside])];
      const asked = target('/', ...lines).replace('GET', method);
      expect(summary(await exchange(asked))).toEqual(['HTTP/1.1 431', false]);
    }
  });

  test('are left alone behind a body, which could look like a request', async () => {
    const body = 'GET / HTTP/1.1\r\n';
    const post = target('/', 'Content-Type: text/plain', `Content-Length: ${String(body.length)}`);
    const socket = connect({ port: local.port, host: '127.0.0.1' });
    let answer = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
    socket.write(post.replace('GET', 'POST'));
    await until('the answer to the first', () => answer.startsWith('HTTP/1.1 404'));
    socket.write(body + target(`/${'a'.repeat(20_000)}`));
    await until('the last answer', () => answer.includes('431') && socket.closed);
    expect(answer).not.toContain('Clear-Site-Data');
  });

  test('are none of what is no request', async () => {
    expect(summary(await exchange('no request\r\n\r\n'))).toEqual(['HTTP/1.1 400', false]);
    expect(summary(await exchange('GET / HTTP/1.1\r\n\r\n'))).toEqual(['HTTP/1.1 400', false]);
  });
});
