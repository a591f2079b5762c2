/** What the relay answers beside the socket, and how it starts and ends as a program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toBase64Url } from '@0fc/protocol';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { inherited } from '../support/inherited.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

const MAIN = resolve(import.meta.dirname, '../../apps/relay/dist/main.js');
const CSP = {
  document: "default-src 'none'; script-src 'self'",
  worker: "default-src 'none'; script-src 'wasm-unsafe-eval'",
};
let folder: string;
let relay: RunningRelay;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc-http-'));
  const web = join(folder, 'web');
  await mkdir(web);
  await Promise.all([
    writeFile(join(web, 'index.html'), '<!doctype html><title>client</title>'),
    writeFile(join(web, 'csp.json'), JSON.stringify(CSP)),
    writeFile(join(web, 'main-ABCDEF12.js'), 'main'),
    writeFile(join(web, 'worker-ABCDEF12.js'), 'worker'),
    writeFile(join(web, 'libthemis.wasm'), 'wasm'),
    writeFile(join(folder, 'outside.txt'), 'outside'),
  ]);
  relay = await startRelay({
    environment: {
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      WEB_DIR: web,
      LOG_LEVEL: 'silent',
      TRUST_PROXY: '1',
    },
  });
});
afterAll(async () => {
  await relay.stop();
  await rm(folder, { recursive: true });
});

const get = (path: string, init: RequestInit = {}) => fetch(`${relay.url}${path}`, init);

describe('over HTTP', () => {
  test('health and configuration are never kept', async () => {
    for (const path of ['/health/live', '/health/ready', '/config.json']) {
      const response = await get(path);
      expect([path, response.status, response.headers.get('cache-control')]).toEqual([path, 200, 'no-store']);
    }
    expect(await (await get('/config.json')).json()).toEqual({
      relayPublicKey: toBase64Url(relay.publicKey),
      version: expect.any(String) as unknown,
    });
  });

  test('the page and the worker have each their own policy, and all else has none to give', async () => {
    for (const path of ['/', '/index.html', '/room/abc', '/join']) {
      const response = await get(path);
      expect(await response.text()).toContain('client');
      expect(response.headers.get('content-security-policy')).toBe(CSP.document);
      expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
    }
    const worker = await get('/worker-ABCDEF12.js');
    expect(worker.headers.get('content-security-policy')).toBe(CSP.worker);
    expect(worker.headers.get('cache-control')).toBe('no-cache, no-transform');
    const main = await get('/main-ABCDEF12.js');
    expect(main.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(main.headers.get('content-type')).toContain('text/javascript');
    const wasm = await get('/libthemis.wasm');
    expect(wasm.headers.get('content-type')).toBe('application/wasm');
    expect(wasm.headers.get('cache-control')).toBe('no-cache, no-transform');
  });

  test('a target in absolute form is its path, and one that is no path is refused with nothing of it in the answer', async () => {
    const answers = async (target: string): Promise<string> => {
      const socket = connect(relay.port, '127.0.0.1');
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      const [pieces] = await Promise.all([socket.toArray() as Promise<Buffer[]>, once(socket, 'close')]);
      return Buffer.concat(pieces).toString('latin1');
    };
    for (const base of ['http://localhost', 'HTTP://127.0.0.1:80', 'https://user@localhost']) {
      expect(await answers(`${base}/config.json?x`)).toMatch(/^HTTP\/1\.1 200 [^]*"relayPublicKey"/);
      expect(await answers(`${base}/health/live`)).toMatch(/^HTTP\/1\.1 200 /);
      expect(await answers(`${base}/main-ABCDEF12.js`)).toMatch(/^HTTP\/1\.1 200 [^]*\r\nmain$/);
      expect(await answers(base)).toMatch(/^HTTP\/1\.1 200 [^]*<title>client/);
      expect(await answers(`${base}/../outside.txt`)).toMatch(/^HTTP\/1\.1 404 /);
    }
    for (const target of ['p%zz', '/p%zz', 'http://localhost/p%zz', '/config.json%zz', '*']) {
      expect(await answers(target)).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(await answers(target)).not.toMatch(/zz|Error| at /);
    }
  });

  test('headers of isolation are on every answer, HSTS only behind https', async () => {
    const plain = await get('/');
    expect(plain.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(plain.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(plain.headers.get('permissions-policy')).toContain('microphone=()');
    // It counts with documents alone, and is of 2 kB.
    expect((await get('/main-ABCDEF12.js')).headers.get('permissions-policy')).toBeNull();
    expect(plain.headers.get('x-content-type-options')).toBe('nosniff');
    expect(plain.headers.get('referrer-policy')).toBe('no-referrer');
    expect(plain.headers.get('x-powered-by')).toBeNull();
    expect(plain.headers.get('strict-transport-security')).toBeNull();
    const secure = await get('/', { headers: { 'x-forwarded-proto': 'https' } });
    expect(secure.headers.get('strict-transport-security')).toContain('max-age=');
  });

  test('what is not of the build is not served', async () => {
    for (const path of [
      '/csp.json', '/absent.js', '/..%2foutside.txt', '/%2e%2e/outside.txt', '/%00.js', '/%ff.js', '/index.html/x.js',
    ]) expect([path, (await get(path)).status]).toEqual([path, 404]); // prettier-ignore
    expect((await get('/', { method: 'POST' })).status).toBe(404);
    expect((await get('/socket.io/?EIO=4&transport=polling')).status).toBe(400);
  });

  test('the page itself may have its browser drop what it keeps once a device was erased, and no other page', async () => {
    const told = async (site: string | null, method = 'POST'): Promise<readonly unknown[]> => {
      const answer = await get('/erased', {
        method,
        headers: site === null ? {} : { 'sec-fetch-site': site },
      });
      return [answer.status, answer.headers.get('clear-site-data'), answer.headers.get('cache-control')];
    };
    expect(await told('same-origin')).toEqual([204, '"storage"', 'no-store']);
    for (const other of ['same-site', 'cross-site', 'none', null])
      expect([other, ...(await told(other))]).toEqual([other, 403, null, 'no-store']);
    // A path like any other to who only looks.
    expect((await told('same-origin', 'GET')).slice(0, 2)).toEqual([200, null]);
  });

  test('without a build there is a page that says what to do', async () => {
    const bare = await startRelay({
      environment: { PORT: '0', WEB_DIR: join(folder, 'nowhere'), LOG_LEVEL: 'silent' },
      inMemory: true,
    });
    const response = await fetch(`${bare.url}/`);
    expect([response.status, bare.web]).toEqual([503, false]);
    expect(await response.text()).toContain('npm run build');
    await bare.stop();
  });
});

async function run(args: readonly string[], environment: Record<string, string>, program = MAIN) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...inherited(), DATA_DIR: join(folder, 'cli'), ...environment },
  });
  let out = '';
  let error = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (error += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, error };
}

describe('as a program', () => {
  test('keygen prints a pair that it then runs with', async () => {
    const { code, out } = await run(['keygen'], {});
    expect(code).toBe(0);
    const made = Object.fromEntries(
      out.split('\n').flatMap((line) => {
        const [name = '', value] = line.split('=', 2);
        return value === undefined ? [] : [[name, value]];
      }),
    ) as Record<string, string>;
    const child = await RelayProcess.start({ RELAY_PRIVATE_KEY: made.RELAY_PRIVATE_KEY });
    const config = (await (await fetch(`${child.url}/config.json`)).json()) as { relayPublicKey: string };
    expect(config.relayPublicKey).toBe(made.RELAY_PUBLIC_KEY);
    await until('its first lines', () => child.log.includes('replicas need Redis'));
    expect(child.log).toContain('relay fingerprint');
    expect(child.log).not.toContain(made.RELAY_PRIVATE_KEY);
    await child.remove();
  });

  test('a setting that cannot be used ends it with one line and code 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const leads = join(folder, 'leads-nowhere');
    await mkdir(leads);
    await symlink(join(folder, 'absent'), join(leads, 'relay.key'));
    const cases: [Record<string, string>, readonly string[], RegExp][] = [
      [{}, ['--port', port], /^PORT is \d+, which another program uses; set PORT/],
      [{ PORT: 'x' }, [], /^PORT is "x"; it must be/],
      [{ DATA_DIR: join(file, 'below') }, [], /^DATA_DIR is .* cannot be written to/],
      [{ RELAY_PRIVATE_KEY_FILE: join(folder, 'absent') }, [], /^RELAY_PRIVATE_KEY_FILE is .*ENOENT/],
      [{ DATA_DIR: leads }, [], /^DATA_DIR holds .* a link that leads nowhere: .*relay\.key\. Put back/],
      [
        { RELAY_PRIVATE_KEY: 'any', REDIS_URL: 'redis://u:p%zz@localhost' },
        [],
        /^The password in REDIS_URL .*%25/,
      ],
      [
        { RELAY_PRIVATE_KEY: 'any', REDIS_URL: 'redis://u%zz@localhost' },
        [],
        /^The username in REDIS_URL .*%25/,
      ],
      [{}, ['--prot', '1'], /prot/],
      [{}, ['serve'], /commands are keygen, succeed --origin URL .* and rooms/],
    ];
    for (const [environment, args, text] of cases) {
      const { code, error } = await run(args, environment);
      expect([code, error.trimEnd().split('\n')]).toEqual([1, [expect.stringMatching(text)]]);
    }
    server.close();
  });

  test('a build that lacks its scripts ends with one line that names what is missing, and the remedy', async () => {
    // Beside the packages that it imports.
    const cache = resolve(import.meta.dirname, '../../.cache');
    const build = await mkdtemp(join(cache, 'no-scripts-'));
    await cp(join(MAIN, '..'), build, { recursive: true, filter: (path) => !path.endsWith('.lua') });
    const { code, error } = await run([], {}, join(build, 'main.js'));
    expect([code, error.trimEnd().split('\n')]).toEqual([
      1,
      [expect.stringMatching(/^The relay cannot be loaded: .*\.lua is missing\. .*npm run build\.$/)],
    ]);
    await rm(build, { recursive: true });
  });

  test('an old Node.js is told what to do, before anything is loaded that it has not', async () => {
    const old = `data:text/javascript,Object.defineProperty(process,'version',{value:'v20.20.2'})`;
    const { code, error } = await run([], { NODE_OPTIONS: `--no-experimental-sqlite --import "${old}"` });
    expect([code, error.trimEnd().split('\n')]).toEqual([1, [expect.stringContaining('needs 24 or later')]]);
  });

  test('SIGTERM ends it in order, with code 0', async () => {
    const child = spawn(process.execPath, [MAIN, '--port', '0'], {
      env: { ...inherited(), DATA_DIR: join(folder, 'term'), LOG_LEVEL: 'info' },
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
