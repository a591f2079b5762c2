/** npm run verify:web: a served page that is the build, and every way in which one may not be. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';

const TOOLS = resolve(import.meta.dirname, '../../tools');
const POLICIES = {
  document: "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'",
  worker: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
};
const FILES: Readonly<Record<string, string>> = {
  'index.html': '<!doctype html><script src="main-ABCDEF12.js" type="module"></script>',
  'csp.json': JSON.stringify(POLICIES),
  'main-ABCDEF12.js': 'export const page = 1;',
  'worker-ABCDEF12.js': 'export const worker = 1;',
  'styles-ABCDEF12.css': 'body { margin: 0 }',
  'libthemis.wasm': '\0asm',
  // Long enough to be smaller when compressed.
  'licences.js': '/* as is, without warranty of any kind */'.repeat(50),
  'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'manifest.webmanifest': '{}',
};

let folder: string;
let build: string;
let served: string;
let relay: RunningRelay;
let proxy: Server | null = null;

async function tool(
  name: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [join(TOOLS, name), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const verify = (url = relay.url) => tool('verify-web.mjs', url, '--build', build, '--no-browser');
/** The lines that name a difference. */
const differences = async (url?: string): Promise<readonly string[]> => {
  const { code, output } = await verify(url);
  const lines = output.split('\n').filter((line) => /^(missing|changed|added|header) /.test(line));
  expect([code, output.includes('does NOT serve')]).toEqual(lines.length === 0 ? [0, false] : [1, true]);
  return lines;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc verify '));
  build = join(folder, 'build');
  served = join(folder, 'served');
  mkdirSync(build);
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(build, path), text);
  expect((await tool('web-hash.mjs', build, '--write')).code).toBe(0);
  await cp(build, served, { recursive: true });
  relay = await startRelay({
    environment: { PORT: '0', WEB_DIR: served, LOG_LEVEL: 'silent' },
    inMemory: true,
  });
});
afterEach(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  proxy = null;
  await rm(served, { recursive: true });
  await cp(build, served, { recursive: true });
});
afterAll(async () => {
  await relay.stop();
  await rm(folder, { recursive: true });
});

/** Whoever stands in front of the relay, and may change what it answers. */
async function behind(change: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    const headers = { 'accept-encoding': request.headers['accept-encoding'] ?? '' };
    void fetch(`${relay.url}${request.url ?? '/'}`, { headers }).then(async (answer) => {
      response.statusCode = answer.status;
      // fetch has decompressed what it gives.
      for (const [name, value] of answer.headers) {
        if (!['connection', 'content-encoding', 'content-length'].includes(name))
          response.setHeader(name, value);
      }
      change(request, response);
      if (!response.writableEnded) response.end(new Uint8Array(await answer.arrayBuffer()));
    });
  });
  proxy = server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${String(address.port)}`;
}

const encodingsOf = (request: IncomingMessage): readonly string[] =>
  String(request.headers['accept-encoding']).split(', ');

describe('a served page', () => {
  test('that is the build is said to be it, by the hash that the build says', async () => {
    const { hash } = JSON.parse(await readFile(join(build, 'build.json'), 'utf8')) as { hash: string };
    const { code, output } = await verify();
    expect([code, output]).toEqual([0, expect.stringContaining(`build of these sources: ${hash}`)]);
    expect(output).toContain('serves exactly this build');
    expect((await tool('web-hash.mjs', served)).output.trim()).toBe(hash);
    const shown = (await (await fetch(`${relay.url}/build.json`)).json()) as { hash: string };
    expect(shown.hash).toBe(hash);
  });

  test.each(Object.keys(FILES).filter((path) => path !== 'csp.json'))(
    'with one changed byte in %s is found',
    async (path) => {
      const data = await readFile(join(served, path));
      const at = data.length >> 1;
      data.writeUInt8(data.readUInt8(at) ^ 1, at);
      await writeFile(join(served, path), data);
      expect(await differences()).toContainEqual(expect.stringContaining(`changed  /${path}: `));
      expect((await tool('web-hash.mjs', served)).output).not.toBe(
        (await tool('web-hash.mjs', build)).output,
      );
    },
  );

  test('with a file that the build has not is found: where it says so, or brings it in', async () => {
    await writeFile(join(served, 'more.js'), 'alert(1)');
    await tool('web-hash.mjs', served, '--write');
    expect(await differences()).toEqual([
      'added    /more.js: the build has no such file',
      expect.stringContaining('changed  /build.json: says '),
    ]);
    await writeFile(
      join(served, 'index.html'),
      `${FILES['index.html'] ?? ''}<script src="more.js"></script>`,
    );
    await cp(join(build, 'build.json'), join(served, 'build.json'));
    expect(await differences()).toContainEqual(expect.stringContaining('changed  /index.html: '));
  });

  test('with a script that would outlive it is found', async () => {
    await writeFile(join(served, 'sw.js'), 'self.addEventListener("fetch", () => {})');
    expect(await differences()).toEqual(['added    /sw.js: a script that the build has not']);
  });

  test('without one of the files is found', async () => {
    await rm(join(served, 'libthemis.wasm'));
    await rm(join(served, 'build.json'));
    expect(await differences()).toEqual([
      'missing  /libthemis.wasm: status 404',
      'missing  /build.json: status 404',
    ]);
  });

  test.each([
    ['without a policy', '/', (response: ServerResponse) => response.removeHeader('content-security-policy')],
    [
      'with a weaker policy',
      '/',
      (response: ServerResponse) =>
        response.setHeader('content-security-policy', `${POLICIES.document} 'unsafe-eval'`),
    ],
    [
      'with a weaker policy of the worker',
      '/worker-ABCDEF12.js',
      (response: ServerResponse) => response.setHeader('content-security-policy', "script-src 'self' https:"),
    ],
    [
      'whose deep links have no policy',
      '/join',
      (response: ServerResponse) => response.removeHeader('content-security-policy'),
    ],
    [
      'that is of another type',
      '/main-ABCDEF12.js',
      (response: ServerResponse) => response.setHeader('content-type', 'text/html'),
    ],
    [
      'that lets types be guessed',
      '/',
      (response: ServerResponse) => response.removeHeader('x-content-type-options'),
    ],
    [
      'that brings a script along',
      '/',
      (response: ServerResponse) => response.setHeader('link', '</x.js>; rel=modulepreload'),
    ],
  ])('%s is found', async (_how, path, weaken) => {
    const url = await behind((request, response) => {
      if (request.url === path) weaken(response);
    });
    const found = await differences(url);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`header   ${path}: `);
  });

  test.each([
    'set-cookie', 'content-security-policy-report-only', 'reporting-endpoints', 'report-to', 'nel', 'speculation-rules', 'refresh', 'sourcemap',
    'access-control-allow-origin', 'service-worker-allowed', 'origin-trial', 'document-policy', 'no-vary-search', 'x-unheard-of',
  ])('with a header that the page has no use for, %s, is found', async (name) => {
    const url = await behind((request, response) => {
      if (request.url?.startsWith('/licences.js')) response.setHeader(name, 'a=b');
    });
    expect(await differences(url)).toEqual([`header   /licences.js: has ${name}: “a=b”`]);
  }); // prettier-ignore

  test.each([
    'cross-origin-opener-policy',
    'cross-origin-resource-policy',
    'referrer-policy',
    'permissions-policy',
  ])('without %s is found', async (name) => {
    const url = await behind((request, response) => {
      if (request.url === '/settings') response.removeHeader(name);
    });
    expect(await differences(url)).toEqual([
      expect.stringContaining(`header   /settings: ${name} is absent`),
    ]);
  });

  test.each([
    ['/settings', 'no-cache'],
    ['/worker-ABCDEF12.js', 'public, max-age=31536000, immutable'],
    ['/libthemis.wasm', 'max-age=600'],
  ])('of which a browser is told to keep %s is found', async (path, control) => {
    const url = await behind((request, response) => {
      if (request.url === path) response.setHeader('cache-control', control);
    });
    expect(await differences(url)).toEqual([
      `header   ${path}: Cache-Control is “${control}”: a browser keeps what it was once told`,
    ]);
  });

  test.each([
    ['in French', 'accept-language', /^fr/],
    ['with cookies', 'cookie', /session=/],
    ['from elsewhere', 'sec-fetch-site', /cross-site/],
    ['ahead', 'sec-purpose', /prefetch/],
    ['by a phone', 'user-agent', /iPhone/],
  ])('that is another one where it is asked for %s is found', async (_how, header, value) => {
    const url = await behind((request, response) => {
      if (request.url === '/' && value.test(String(request.headers[header]))) response.end('another page');
    });
    const found = await differences(url);
    expect(found.length).toBeGreaterThan(0);
    for (const line of found) expect(line).toMatch(/^changed {2}\/ \(asked by /);
  });

  test('that is another one where nobody looks is found: at any path, under any query', async () => {
    const known = /^\/(?:$|[\w-]+(?:\.[\w-]+)?$|(?:join|settings|room).*$)/;
    const anyPath = await behind((request, response) => {
      if (!known.test(request.url ?? '')) response.end('another page');
    });
    expect(await differences(anyPath)).toContainEqual(
      expect.stringMatching(/^changed {2}\/[\w-]+\/[\w-]+: /),
    );
    proxy?.close();
    const anyQuery = await behind((request, response) => {
      if ((request.url ?? '').startsWith('/licences.js?')) response.end('another script');
    });
    expect(await differences(anyQuery)).toEqual([
      expect.stringContaining('changed  /licences.js (with a query)'),
    ]);
  });

  test('has its relay’s fingerprint printed, and what stays unproved', async () => {
    const { output } = await verify();
    const grouped = /named at this address: ((?:[\dA-F]{4} ){3}[\dA-F]{4})\./.exec(output)?.[1] ?? '';
    expect(grouped.replaceAll(' ', '')).toBe(
      createHash('sha256').update(relay.publicKey).digest('hex').slice(0, 16).toUpperCase(),
    );
    expect(output).toContain('not proved: what is served to somebody else');
    expect(output).toContain('not compared: what a real browser is served');
  });

  test.each([
    ['br', 'of other content', brotliCompressSync('alert(1)')],
    ['gzip', 'of other content', gzipSync('alert(1)')],
    ['br', 'of nothing', Buffer.from('garbage')],
    ['gzip', 'of nothing', Buffer.from('garbage')],
  ])('whose compressed file (%s) is one %s is found', async (encoding, _of, data) => {
    const url = await behind((request, response) => {
      if (request.url !== '/licences.js' || !encodingsOf(request).includes(encoding)) return;
      response.setHeader('content-encoding', encoding).end(data);
    });
    const asked = [encoding, 'gzip, deflate, br, zstd'];
    expect((await differences(url)).map((line) => line.split('): ')[0])).toEqual(
      asked.map((accept) => `changed  /licences.js (Accept-Encoding: ${accept}`),
    );
  });

  test('with a compressed file that is of another original is the build all the same: the relay ignores it', async () => {
    for (const [ending, compress] of [['.br', brotliCompressSync], ['.gz', gzipSync]] as const) {
      const path = join(served, `licences.js${ending}`);
      expect((await readFile(path)).length).toBeLessThan((FILES['licences.js'] ?? '').length);
      await writeFile(path, compress('alert(1)'));
    } // prettier-ignore
    expect(await differences()).toEqual([]);
    expect((await tool('web-hash.mjs', served)).output).toBe((await tool('web-hash.mjs', build)).output);
  });

  test('without its compressed files is the build all the same', async () => {
    await rm(join(served, 'licences.js.br'));
    await rm(join(served, 'licences.js.gz'));
    expect(await differences()).toEqual([]);
  });

  test('with a policy that the relay was given weaker is found', async () => {
    const weaker = { ...POLICIES, document: "default-src 'self' 'unsafe-inline'" };
    await writeFile(join(served, 'csp.json'), JSON.stringify(weaker));
    const lax = await startRelay({
      environment: { PORT: '0', WEB_DIR: served, LOG_LEVEL: 'silent' },
      inMemory: true,
    });
    const found = await differences(lax.url);
    await lax.stop();
    expect(found).toContainEqual(expect.stringContaining('header   /: Content-Security-Policy is '));
    expect(found.every((line) => line.startsWith('header '))).toBe(true);
  });

  test('that sends elsewhere, or is not there, is no page', async () => {
    const url = await behind((request, response) => {
      if (request.url !== '/index.html') return;
      response.statusCode = 302;
      response.setHeader('location', 'https://elsewhere.example/');
    });
    expect(await differences(url)).toEqual(['missing  /index.html: status 302']);
    const nobody = await verify('http://127.0.0.1:1');
    expect([nobody.code, nobody.output]).toEqual([1, expect.stringContaining('cannot be read')]);
  });
});
