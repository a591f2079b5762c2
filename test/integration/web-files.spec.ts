/** Which form of a file the relay sends, what may be kept of it, and that no request makes a fault. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CSP, encodingOf, etagOf, SCRIPT, ServedBuild } from './web-served.js';

let build: ServedBuild;
const ask = (...request: Parameters<ServedBuild['ask']>) => build.ask(...request);

beforeAll(async () => {
  build = await ServedBuild.start();
});
afterAll(() => build.end());

describe('Accept-Encoding', () => {
  test.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['BR', 'br'],
    ['*', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.2, gzip;q=0.8', 'gzip'],
    ['br;q=0, gzip;q=0', 'identity'],
    ['br;q=0.1, identity;q=0.9', 'identity'],
    ['identity', 'identity'],
    ['identity;q=0, gzip', 'gzip'],
    ['identity;q=0', 'identity'],
    ['*;q=0', 'identity'],
    ['*;q=0, br', 'br'],
    ['br;q=0, *', 'gzip'],
    ['deflate, compress', 'identity'],
    ['bro, xgzip, brr', 'identity'],
    ['br;q=many', 'identity'],
    [';;;,,,=q;q', 'identity'],
    ['"br"', 'identity'],
    ['__proto__, constructor', 'identity'],
  ])('%j gets %s', async (accept, encoding) => {
    const answer = await ask('/main-ABCDEF12.js', accept === undefined ? {} : { 'accept-encoding': accept });
    expect([answer.status, encodingOf(answer), answer.text]).toEqual([200, encoding, SCRIPT]);
    expect(answer.headers.vary).toBe('Accept-Encoding');
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
  });

  test('has a page compressed as well, under its own policy', async () => {
    for (const path of ['/', '/index.html', '/room/abc', '/join']) {
      const answer = await ask(path, { 'accept-encoding': 'gzip' });
      expect([encodingOf(answer), answer.text.includes('client')]).toEqual(['gzip', true]);
      expect(answer.headers['content-security-policy']).toBe(CSP.document);
    }
  });

  test('gives each form an ETag of its own', async () => {
    const tags = new Set<string>();
    for (const encoding of ['identity', 'gzip', 'br']) {
      const answer = await ask('/main-ABCDEF12.js', { 'accept-encoding': encoding });
      expect(etagOf(answer)).toMatch(/^"[^"]+"$/);
      tags.add(etagOf(answer));
    }
    expect(tags.size).toBe(3);
  });

  test('gets the file as it is where there is no compressed one', async () => {
    const answer = await ask('/plain.js', { 'accept-encoding': 'br, gzip' });
    expect([answer.status, encodingOf(answer), answer.text]).toEqual([200, 'identity', SCRIPT]);
  });
});

describe('what may be kept', () => {
  test.each([
    ['/', 'no-store, no-transform'],
    ['/join', 'no-store, no-transform'],
    ['/config.json', 'no-store'],
    ['/main-ABCDEF12.js', 'no-cache, no-transform'],
    ['/worker-ABCDEF12.js', 'no-cache, no-transform'],
    ['/libthemis.wasm', 'no-cache, no-transform'],
    ['/icon.svg', 'no-cache, no-transform'],
    ['/media/font-ABCDEF12.woff2', 'public, max-age=31536000, immutable, no-transform'],
  ])('%s: %s', async (path, control) => {
    const answer = await ask(path);
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, control]);
  });
});

describe('the policies', () => {
  test('are those of the build as it lies there, for the page and its worker alike, while the relay runs', async () => {
    const worker = await ask('/worker-ABCDEF12.js');
    const next = { document: "default-src 'none'; script-src 'none'", worker: "script-src 'none'" };
    await build.put('csp.json', JSON.stringify(next));
    const policyOf = async (path: string, headers: Record<string, string> = {}): Promise<unknown[]> => {
      const { status, headers: got } = await ask(path, headers);
      return [status, got['content-security-policy']];
    };
    expect(await policyOf('/')).toEqual([200, next.document]);
    expect(await policyOf('/worker-ABCDEF12.js', { 'if-none-match': etagOf(worker) })).toEqual([
      200,
      next.worker,
    ]);
    await build.put('csp.json', JSON.stringify(CSP));
    expect(await policyOf('/worker-ABCDEF12.js', { 'if-none-match': etagOf(worker) })).toEqual([
      304,
      CSP.worker,
    ]);
  });
});

describe('the script of a service worker', () => {
  test.each([
    '/sw.js',
    '/any/folder/name.js?of=it',
    '/',
    '/main-ABCDEF12.js',
    '/config.json',
    '/health/live',
  ])('asked for as %s, is one that takes itself away', async (path) => {
    const answer = await ask(path, { 'service-worker': 'script' });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(answer.text).toContain('registration.unregister()');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['service-worker-allowed']).toBe('/');
    expect((await ask(path, { 'service-worker': 'no' })).text).not.toContain('unregister');
  });
});

describe('a compressed file', () => {
  test('is none by its own name', async () => {
    for (const path of [
      '/main-ABCDEF12.js.br',
      '/main-ABCDEF12.js.gz',
      '/csp.json',
      '/csp.json.br',
      '/x.br',
    ]) {
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
    }
  });

  test.each([
    ['of other content', (): Buffer => brotliCompressSync('alert(1)')],
    ['of more content', (): Buffer => brotliCompressSync(`${SCRIPT}alert(1)`)],
    ['that decompresses to far more', (): Buffer => brotliCompressSync(Buffer.alloc(50_000_000))],
    ['that is none', (): Buffer => Buffer.from('garbage')],
    ['that is empty', (): Buffer => Buffer.alloc(0)],
    ['that is cut short', (): Buffer => brotliCompressSync(SCRIPT).subarray(0, 20)],
  ])('%s is not served; the other one is, and both when it is right again', async (_what, make) => {
    await build.put('victim.js', SCRIPT);
    const get = (accept: string) => ask('/victim.js', { 'accept-encoding': accept });
    expect(encodingOf(await get('br'))).toBe('br');
    await writeFile(join(build.web, 'victim.js.br'), make());
    for (const [accept, encoding] of [['br', 'identity'], ['br, gzip', 'gzip']] as const) {
      const answer = await get(accept);
      expect([answer.status, encodingOf(answer), answer.text]).toEqual([200, encoding, SCRIPT]);
    } // prettier-ignore
    await rm(join(build.web, 'victim.js.br'));
    expect(encodingOf(await get('br'))).toBe('identity');
    await build.put('victim.js', SCRIPT);
    expect(encodingOf(await get('br'))).toBe('br');
  });

  test('of an earlier original is not served', async () => {
    await build.put('edited.js', SCRIPT);
    expect(encodingOf(await ask('/edited.js', { 'accept-encoding': 'br' }))).toBe('br');
    await writeFile(join(build.web, 'edited.js'), 'edited');
    const answer = await ask('/edited.js', { 'accept-encoding': 'br, gzip' });
    expect([encodingOf(answer), answer.text]).toEqual(['identity', 'edited']);
  });

  test('that is a folder is ignored', async () => {
    await writeFile(join(build.web, 'odd.js'), SCRIPT);
    await mkdir(join(build.web, 'odd.js.br'));
    const answer = await ask('/odd.js', { 'accept-encoding': 'br' });
    expect([answer.status, encodingOf(answer), answer.text]).toEqual([200, 'identity', SCRIPT]);
  });
});

describe('whatever is asked', () => {
  const odd = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/);
  const header = (...known: readonly string[]) => fc.oneof(fc.constantFrom(...known), odd);
  const headers = fc.record(
    {
      'accept-encoding': header('br', 'gzip', 'identity;q=0', '*;q=0', 'br;q=0, gzip', '*'),
      range: header('bytes=0-', 'bytes=-1', 'bytes=1-0', 'bytes=0-1,3-4', 'bytes=99999-'),
      'if-none-match': header('*', '""', 'W/"a", "b"'),
      'if-match': header('*', '"a"'),
      'if-range': header('"a"', 'Mon, 01 Jan 2024 00:00:00 GMT'),
      'if-modified-since': header('Mon, 01 Jan 2024 00:00:00 GMT'),
      'if-unmodified-since': header('Mon, 01 Jan 2024 00:00:00 GMT'),
      'cache-control': header('no-cache', 'no-store', 'max-age=0'),
    },
    { requiredKeys: [] },
  );
  const paths = fc.constantFrom(
    '/', '/main-ABCDEF12.js', '/libthemis.wasm', '/plain.js', '/empty.txt', '/join', '/absent.js', '/..%2findex.html',
    '/main-ABCDEF12.js%00', '/%2e%2e/%2e%2e/etc/passwd', '/media', '/media/', '/media%2ffont-ABCDEF12.woff2',
    '/main-ABCDEF12.js/', '/main-ABCDEF12.js/x.js',
  ); // prettier-ignore
  const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH');

  test('is no fault, and a whole answer is the file', async () => {
    await fc.assert(
      fc.asyncProperty(paths, methods, headers, async (path, method, given) => {
        const answer = await ask(path, given, { method });
        expect([200, 206, 304, 404, 412, 416]).toContain(answer.status);
        expect(answer.headers['x-content-type-options']).toBe('nosniff');
        if (method !== 'GET' && method !== 'HEAD') expect(answer.status).toBe(404);
        if (answer.status === 200 && method === 'GET' && /main|wasm|plain/.test(path)) {
          expect(answer.text).toBe(SCRIPT);
        }
        if (answer.status >= 400) expect(answer.body.length).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
