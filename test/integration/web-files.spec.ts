/** What the relay sends of the web client's build, whatever a request asks of it: forms, ranges, conditions. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';

const CSP = { document: "default-src 'none'; script-src 'self'", worker: "script-src 'wasm-unsafe-eval'" };
const SCRIPT = 'export const said = "the same again and again";\n'.repeat(200);
const LENGTH = SCRIPT.length;
const FONT = Buffer.from('a font that no compression makes smaller');

let folder: string;
let web: string;
let relay: RunningRelay;

/** Writes a file with both compressed forms. */
async function put(name: string, content: string): Promise<void> {
  await writeFile(join(web, name), content);
  await writeFile(join(web, `${name}.br`), brotliCompressSync(content));
  await writeFile(join(web, `${name}.gz`), gzipSync(content));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc-web-files-'));
  web = join(folder, 'web');
  await mkdir(join(web, 'media'), { recursive: true });
  await put('index.html', `<!doctype html><title>client</title>${'<p>'.repeat(100)}`);
  await put('csp.json', JSON.stringify(CSP));
  await put('main-ABCDEF12.js', SCRIPT);
  await put('worker-ABCDEF12.js', SCRIPT);
  await put('libthemis.wasm', SCRIPT);
  await writeFile(join(web, 'plain.js'), SCRIPT);
  await writeFile(join(web, 'empty.txt'), '');
  await writeFile(join(web, 'media', 'font-ABCDEF12.woff2'), FONT);
  await writeFile(join(web, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  relay = await start(web);
});
afterAll(async () => {
  await relay.stop();
  await rm(folder, { recursive: true });
});

const start = (directory: string): Promise<RunningRelay> =>
  startRelay({ environment: { PORT: '0', WEB_DIR: directory, LOG_LEVEL: 'silent' }, inMemory: true });

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** as it came */
  readonly body: Buffer;
  readonly text: string;
}

/** As it is on the wire: fetch would add headers of its own, and decompress. */
function ask(
  path: string,
  headers: Record<string, string> = {},
  { method = 'GET', port = relay.port }: { method?: string; port?: number } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(parts);
        const { headers: got, statusCode: status = 0 } = response;
        resolve({ status, headers: got, body, text: textOf(body, status, got) });
      });
    });
    asked.on('error', reject).end();
  });
}

/** Decompressed, where it is a whole file. */
function textOf(body: Buffer, status: number, headers: IncomingHttpHeaders): string {
  if (status !== 200 || body.length === 0) return body.toString();
  if (headers['content-encoding'] === 'br') return brotliDecompressSync(body).toString();
  if (headers['content-encoding'] === 'gzip') return gunzipSync(body).toString();
  return body.toString();
}

const encodingOf = ({ headers }: Answer): string => headers['content-encoding'] ?? 'identity';
const etagOf = ({ headers }: Answer): string => headers.etag ?? 'none';

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
    ['/', 'no-store'],
    ['/join', 'no-store'],
    ['/config.json', 'no-store'],
    ['/main-ABCDEF12.js', 'no-cache'],
    ['/worker-ABCDEF12.js', 'no-cache'],
    ['/libthemis.wasm', 'no-cache'],
    ['/icon.svg', 'no-cache'],
    ['/media/font-ABCDEF12.woff2', 'public, max-age=31536000, immutable'],
  ])('%s: %s', async (path, control) => {
    const answer = await ask(path);
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, control]);
  });
});

describe('If-None-Match', () => {
  test('that names the form is answered without it, and with the headers that it came with', async () => {
    for (const encoding of ['identity', 'gzip', 'br']) {
      const first = await ask('/worker-ABCDEF12.js', { 'accept-encoding': encoding });
      const tag = etagOf(first);
      for (const value of [tag, `W/${tag}`, `"other", ${tag}`, `  ${tag}  `, '*']) {
        const again = await ask('/worker-ABCDEF12.js', {
          'accept-encoding': encoding,
          'if-none-match': value,
        });
        expect([value, again.status, again.body.length]).toEqual([value, 304, 0]);
        expect(etagOf(again)).toBe(tag);
        for (const name of ['vary', 'cache-control', 'content-security-policy', 'x-content-type-options']) {
          expect([name, again.headers[name]]).toEqual([name, first.headers[name]]);
        }
      }
    }
  });

  test('that names another form, or nothing that there is, is answered in full', async () => {
    const other = etagOf(await ask('/main-ABCDEF12.js', { 'accept-encoding': 'br' }));
    const tag = etagOf(await ask('/main-ABCDEF12.js'));
    for (const value of [
      other,
      '',
      '""',
      'W/',
      tag.slice(1, -1),
      `"${tag}"`,
      tag.slice(0, -2),
      '**',
      ',,,',
      'x'.repeat(5_000),
    ]) {
      // prettier-ignore
      const answer = await ask('/main-ABCDEF12.js', { 'if-none-match': value });
      expect([value, answer.status, answer.text]).toEqual([value, 200, SCRIPT]);
    }
  });

  test('and a date alone never keep an old file', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const answer = await ask('/main-ABCDEF12.js', { 'if-modified-since': date });
    expect([answer.status, answer.headers['last-modified']]).toEqual([200, undefined]);
  });

  test('of a file that has changed, to the same length and the same time, is answered in full', async () => {
    await put('changing.js', SCRIPT);
    const long_ago = new Date(0);
    await utimes(join(web, 'changing.js'), long_ago, long_ago);
    const before = etagOf(await ask('/changing.js'));
    await rm(join(web, 'changing.js'));
    const changed = SCRIPT.replaceAll('again', 'AGAIN');
    await writeFile(join(web, 'changing.js'), changed);
    await utimes(join(web, 'changing.js'), long_ago, long_ago);
    const other = await start(web);
    const answer = await ask('/changing.js', { 'if-none-match': before }, { port: other.port });
    await other.stop();
    expect([answer.status, answer.text]).toEqual([200, changed]);
  });

  test('of a worker whose policy alone has changed is answered in full, under the new one', async () => {
    const before = etagOf(await ask('/worker-ABCDEF12.js'));
    const stricter = join(folder, 'stricter');
    await mkdir(stricter);
    await writeFile(join(stricter, 'worker-ABCDEF12.js'), SCRIPT);
    await writeFile(join(stricter, 'csp.json'), JSON.stringify({ ...CSP, worker: "script-src 'none'" }));
    const other = await start(stricter);
    const answer = await ask('/worker-ABCDEF12.js', { 'if-none-match': before }, { port: other.port });
    await other.stop();
    expect([answer.status, answer.headers['content-security-policy']]).toEqual([200, "script-src 'none'"]);
  });

  test('If-Match that does not hold is 412', async () => {
    const answer = await ask('/main-ABCDEF12.js', { 'if-match': '"other"', 'accept-encoding': 'br' });
    expect([answer.status, answer.body.length, encodingOf(answer)]).toEqual([412, 0, 'identity']);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('Range', () => {
  test.each([
    ['bytes=0-9', 0, 9],
    ['bytes=9-', 9, LENGTH - 1],
    ['bytes=-10', LENGTH - 10, LENGTH - 1],
    [`bytes=5-${String(LENGTH * 2)}`, 5, LENGTH - 1],
    ['bytes=0-4, 5-9', 0, 9],
    ['bytes= 1-2', 1, 2],
  ])('%s is that part', async (range, from, to) => {
    const answer = await ask('/main-ABCDEF12.js', { range });
    expect([answer.status, answer.body.toString()]).toEqual([206, SCRIPT.slice(from, to + 1)]);
    expect(answer.headers['content-range']).toBe(`bytes ${String(from)}-${String(to)}/${String(LENGTH)}`);
    expect(answer.headers['content-length']).toBe(String(to - from + 1));
  });

  test.each([
    'bytes=0-0, 10-10', 'bytes=0-0,5-5,9-9,20-20', 'items=0-1', 'bytes', 'bytes=', 'bytes=x-y', 'bytes=--', '0-1',
    `bytes=${Array.from({ length: 1_000 }, (_, at) => `${String(2 * at)}-${String(2 * at)}`).join(',')}`,
  ])('%s, which names no one part, is the whole', async (range) => {
    const answer = await ask('/main-ABCDEF12.js', { range });
    expect([answer.status, answer.text]).toEqual([200, SCRIPT]);
  }); // prettier-ignore

  test.each([
    `bytes=${String(LENGTH)}-`,
    'bytes=99999999-',
    'bytes=5-4',
    'bytes=99999999999999999999-',
    'bytes=-0',
    // RFC 9110 would have the whole file; `send` finds no such part, and a client then asks for all of it.
    `bytes=-${String(LENGTH * 2)}`,
  ])('%s, beyond the end, is 416 with the length and nothing else', async (range) => {
    const answer = await ask('/main-ABCDEF12.js', { range });
    expect([answer.status, answer.body.length]).toEqual([416, 0]);
    expect(answer.headers['content-range']).toBe(`bytes */${String(LENGTH)}`);
    expect([answer.headers.etag, answer.headers['cache-control']]).toEqual([undefined, 'no-store']);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  test('of a compressed form is a part of that form', async () => {
    const headers = { 'accept-encoding': 'br' };
    const whole = await ask('/main-ABCDEF12.js', headers);
    const cut = whole.body.length >> 1;
    const first = await ask('/main-ABCDEF12.js', { ...headers, range: `bytes=0-${String(cut - 1)}` });
    const rest = await ask('/main-ABCDEF12.js', {
      ...headers,
      range: `bytes=${String(cut)}-`,
      'if-range': etagOf(first),
    });
    expect([first, rest].map((one) => [one.status, encodingOf(one), etagOf(one)])).toEqual(
      Array(2).fill([206, 'br', etagOf(whole)]),
    );
    expect(brotliDecompressSync(Buffer.concat([first.body, rest.body])).toString()).toBe(SCRIPT);
    const beyond = await ask('/main-ABCDEF12.js', { ...headers, range: `bytes=${String(LENGTH - 1)}-` });
    expect([beyond.status, encodingOf(beyond)]).toEqual([416, 'identity']);
  });

  test('with an If-Range of another form or of nothing is the whole', async () => {
    const compressed = etagOf(await ask('/main-ABCDEF12.js', { 'accept-encoding': 'br' }));
    for (const value of [compressed, '"other"', 'garbage', new Date(0).toUTCString()]) {
      const answer = await ask('/main-ABCDEF12.js', { range: 'bytes=0-9', 'if-range': value });
      expect([value, answer.status, answer.text]).toEqual([value, 200, SCRIPT]);
    }
  });

  test('of an empty file is nothing, and no fault', async () => {
    expect((await ask('/empty.txt')).status).toBe(200);
    expect((await ask('/empty.txt', { range: 'bytes=0-0' })).status).toBe(416);
  });
});

describe('HEAD', () => {
  test.each([
    ['/main-ABCDEF12.js', {}],
    ['/main-ABCDEF12.js', { 'accept-encoding': 'br' }],
    ['/main-ABCDEF12.js', { 'if-none-match': '*' }],
    ['/', { 'accept-encoding': 'gzip' }],
    ['/absent.js', {}],
    ['/config.json', {}],
    ['/health/live', {}],
  ])('of %s with %j has the headers of GET and no body', async (path, headers: Record<string, string>) => {
    const [got, head] = [await ask(path, headers), await ask(path, headers, { method: 'HEAD' })];
    expect([head.status, head.body.length]).toEqual([got.status, 0]);
    const { date: _a, ...of } = head.headers;
    const { date: _b, ...wanted } = got.headers;
    expect(of).toEqual(wanted);
  });

  test('has no ranges', async () => {
    const answer = await ask('/main-ABCDEF12.js', { range: 'bytes=0-9' }, { method: 'HEAD' });
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(LENGTH)]);
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
    await put('victim.js', SCRIPT);
    const get = (accept: string) => ask('/victim.js', { 'accept-encoding': accept });
    expect(encodingOf(await get('br'))).toBe('br');
    await writeFile(join(web, 'victim.js.br'), make());
    for (const [accept, encoding] of [['br', 'identity'], ['br, gzip', 'gzip']] as const) {
      const answer = await get(accept);
      expect([answer.status, encodingOf(answer), answer.text]).toEqual([200, encoding, SCRIPT]);
    } // prettier-ignore
    await rm(join(web, 'victim.js.br'));
    expect(encodingOf(await get('br'))).toBe('identity');
    await put('victim.js', SCRIPT);
    expect(encodingOf(await get('br'))).toBe('br');
  });

  test('of an earlier original is not served', async () => {
    await put('edited.js', SCRIPT);
    expect(encodingOf(await ask('/edited.js', { 'accept-encoding': 'br' }))).toBe('br');
    await writeFile(join(web, 'edited.js'), 'edited');
    const answer = await ask('/edited.js', { 'accept-encoding': 'br, gzip' });
    expect([encodingOf(answer), answer.text]).toEqual(['identity', 'edited']);
  });

  test('that is a folder is ignored', async () => {
    await writeFile(join(web, 'odd.js'), SCRIPT);
    await mkdir(join(web, 'odd.js.br'));
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
