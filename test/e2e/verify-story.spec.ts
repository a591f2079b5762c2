/** npm run verify:web with its real browser, over the real build; and a server that lies to browsers alone. */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { RelayProcess } from '../support/relay-process.js';

jest.setTimeout(600_000);

const ROOT = resolve(import.meta.dirname, '../..');
/** The version that the plain requests name: the browser names its own. */
const PLAIN = '148';
let relay: RelayProcess;
let liar: Server;
/** What is answered instead; `isBrowser`: by what only a running browser says of itself. */
let lies: (path: string, isBrowser: boolean) => string | null = () => null;
/** headers that are answered instead, by the same */
let saidInstead: (path: string, isBrowser: boolean) => Readonly<Record<string, string>> = () => ({});
/** what says of a browser that nobody sits before it */
let headless: string[] = [];
let browsers = 0;
let front = '';

beforeAll(async () => {
  relay = await RelayProcess.start();
  liar = createServer((asked, answer) => {
    const path = asked.url ?? '/';
    const [, version] = /Chrome\/(\d+)/.exec(asked.headers['user-agent'] ?? '') ?? [];
    const isBrowser = version !== undefined && version !== PLAIN;
    if (isBrowser) browsers += 1;
    headless.push(
      ...asked.rawHeaders.filter((value) => /headless/i.test(value)).map((value) => `${path}: ${value}`),
    );
    const lie = lies(path, isBrowser);
    const { host: _, ...headers } = asked.headers;
    const passed = request(`${relay.url}${path}`, { headers, method: asked.method }, (given) => {
      const { 'content-length': length, 'content-encoding': encoding, ...rest } = given.headers;
      const form = { 'content-length': length, 'content-encoding': encoding };
      const known = Object.entries(form).filter(([, value]) => lie === null && value !== undefined);
      const instead = saidInstead(path, isBrowser);
      answer.writeHead(given.statusCode ?? 502, { ...rest, ...Object.fromEntries(known), ...instead });
      if (lie === null) given.pipe(answer);
      else given.resume().on('end', () => answer.end(lie));
    });
    asked.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(liar, 'listening');
  front = `http://127.0.0.1:${String((liar.address() as AddressInfo).port)}`;
});
afterEach(() => {
  lies = () => null;
  saidInstead = () => ({});
  headless = [];
  browsers = 0;
});
afterAll(async () => {
  liar.closeAllConnections();
  liar.close();
  await relay.remove();
});

async function verify(url: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const args = ['tools/verify-web.mjs', url, '--build', 'apps/web/dist/browser'];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

describe('the page, verified', () => {
  test('is the build in a real browser too, worker and all', async () => {
    const { code, output } = await verify(front);
    expect([code, output]).toEqual([0, expect.stringContaining('serves exactly this build')]);
    expect(output).not.toContain('not compared');
    expect(browsers).toBeGreaterThan(10);
    expect(headless).toEqual([]);
  });

  test('that tells browsers alone to keep it, or sends them a header that it should not, is found by the browser', async () => {
    saidInstead = (path, isBrowser) => {
      if (!isBrowser) return {};
      if (path === '/join') return { 'cache-control': 'public, max-age=31536000' };
      return /^\/worker-\w+\.js$/.test(path) ? { nel: '{"report_to":"elsewhere","max_age":600}' } : {};
    };
    const { code, output } = await verify(front);
    expect(code).toBe(1);
    expect(output).toMatch(
      /^header {3}\/join: Cache-Control is “public, max-age=31536000”.* \(in a browser\)$/m,
    );
    expect(output).toMatch(/^header {3}\/worker-\w+\.js: has nel: .* \(in a browser\)$/m);
  });

  test.each(['main', 'worker'])(
    'that lies to browsers alone, in its %s script, is found by the browser',
    async (name) => {
      const script = new RegExp(`^/${name}-\\w+\\.js$`);
      lies = (path, isBrowser) => (isBrowser && script.test(path) ? 'postMessage("mine")' : null);
      const { code, output } = await verify(front);
      expect(code).toBe(1);
      expect(output).toMatch(new RegExp(`^changed {2}/${name}-\\w+\\.js \\(in a browser\\): `, 'm'));
    },
  );
});
