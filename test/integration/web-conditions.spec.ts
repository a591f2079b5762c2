/** Conditions, ranges and HEAD on files of the web client, as they are and compressed. */
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CSP, encodingOf, etagOf, SCRIPT, ServedBuild, startOn } from './web-served.js';

const LENGTH = SCRIPT.length;

let build: ServedBuild;
const ask = (...request: Parameters<ServedBuild['ask']>) => build.ask(...request);

beforeAll(async () => {
  build = await ServedBuild.start();
});
afterAll(() => build.end());

describe('If-Unmodified-Since', () => {
  test.each(['Thu, 01 Jan 2099 00:00:00 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 'yesterday'])(
    '%s is no condition, as no file has a time of change',
    async (time) => {
      expect((await ask('/plain.js', { 'if-unmodified-since': time })).status).toBe(200);
    },
  );
});

describe('WEB_DIR', () => {
  test('is served however it is written', async () => {
    for (const web of [`${build.web}/`, join(build.web, 'media') + '/../', `${build.folder}/./web`]) {
      const relay = await startOn(web);
      try {
        const got = await ask('/plain.js', {}, { port: relay.port });
        expect([web, got.status]).toEqual([web, 200]);
      } finally {
        await relay.stop();
      }
    }
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
    await build.put('changing.js', SCRIPT);
    const longAgo = new Date(0);
    await utimes(join(build.web, 'changing.js'), longAgo, longAgo);
    const before = etagOf(await ask('/changing.js'));
    await rm(join(build.web, 'changing.js'));
    const changed = SCRIPT.replaceAll('again', 'AGAIN');
    await writeFile(join(build.web, 'changing.js'), changed);
    await utimes(join(build.web, 'changing.js'), longAgo, longAgo);
    const other = await startOn(build.web);
    const answer = await ask('/changing.js', { 'if-none-match': before }, { port: other.port });
    await other.stop();
    expect([answer.status, answer.text]).toEqual([200, changed]);
  });

  test('of a worker whose policy alone has changed is answered in full, under the new one', async () => {
    const before = etagOf(await ask('/worker-ABCDEF12.js'));
    const stricter = join(build.folder, 'stricter');
    await mkdir(stricter);
    await writeFile(join(stricter, 'worker-ABCDEF12.js'), SCRIPT);
    await writeFile(join(stricter, 'csp.json'), JSON.stringify({ ...CSP, worker: "script-src 'none'" }));
    const other = await startOn(stricter);
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
