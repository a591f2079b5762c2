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

  // A run compares some hundred answers, and names whatever differs: many differences are shown by one run.
  test('with one changed byte in any file is found', async () => {
    const changed = Object.keys(FILES).filter((path) => path !== 'csp.json');
    const hashes = new Set([(await tool('web-hash.mjs', build)).output]);
    for (const path of changed) {
      const data = await readFile(join(served, path));
      const at = data.length >> 1;
      data.writeUInt8(data.readUInt8(at) ^ 1, at);
      await writeFile(join(served, path), data);
      hashes.add((await tool('web-hash.mjs', served)).output);
    }
    expect(hashes.size).toBe(changed.length + 1);
    const found = await differences();
    for (const path of changed) expect(found).toContainEqual(expect.stringContaining(`changed  /${path}: `));
  });

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

  test('with headers that are not what it needs is found: each of them', async () => {
    const without = (name: string) => (response: ServerResponse) => response.removeHeader(name);
    const having = (name: string, value: string) => (response: ServerResponse) =>
      response.setHeader(name, value);
    const policy = 'content-security-policy';
    const weaker: Readonly<Record<string, readonly [(response: ServerResponse) => void, says: string]>> = {
      '/': [without(policy), 'Content-Security-Policy is absent'],
      '/unlock': [having(policy, `${POLICIES.document} 'unsafe-eval'`), 'Content-Security-Policy is “'],
      '/worker-ABCDEF12.js': [having(policy, "script-src 'self' https:"), 'Content-Security-Policy is “'],
      // A deep link, which a server may answer by other rules.
      '/join': [without(policy), 'Content-Security-Policy is absent'],
      '/main-ABCDEF12.js': [having('content-type', 'text/html'), 'Content-Type is “text/html”'],
      '/new': [without('x-content-type-options'), 'x-content-type-options is absent'],
      '/verify': [having('link', '</x.js>; rel=modulepreload'), 'has link: “'],
    };
    const url = await behind((request, response) => weaker[request.url ?? '']?.[0](response));
    const found = await differences(url);
    const says = Object.entries(weaker).map(([path, [, text]]) =>
      expect.stringContaining(`header   ${path}: ${text}`),
    );
    expect(found).toHaveLength(says.length);
    expect(found).toEqual(expect.arrayContaining(says));
  });

  test('with headers that the page has no use for is found: each of them', async () => {
    const names = [
      'set-cookie', 'content-security-policy-report-only', 'reporting-endpoints', 'report-to', 'nel', 'speculation-rules', 'refresh', 'sourcemap',
      'access-control-allow-origin', 'service-worker-allowed', 'origin-trial', 'document-policy', 'no-vary-search', 'x-unheard-of',
    ]; // prettier-ignore
    const url = await behind((request, response) => {
      if (!request.url?.startsWith('/licences.js')) return;
      for (const name of names) response.setHeader(name, 'a=b');
    });
    expect((await differences(url)).toSorted()).toEqual(
      names.map((name) => `header   /licences.js: has ${name}: “a=b”`).sort(),
    );
  });

  test('of which a browser is told to keep what it must ask for again is found: each file', async () => {
    const controls: Readonly<Record<string, string>> = {
      '/settings': 'no-cache',
      '/worker-ABCDEF12.js': 'public, max-age=31536000, immutable',
      '/libthemis.wasm': 'max-age=600',
    };
    const url = await behind((request, response) => {
      const control = controls[request.url ?? ''];
      if (control !== undefined) response.setHeader('cache-control', control);
    });
    expect((await differences(url)).toSorted()).toEqual(
      Object.entries(controls)
        .map(
          ([path, control]) =>
            `header   ${path}: Cache-Control is “${control}”: a browser keeps what it was once told`,
        )
        .sort(),
    );
  });

  test('without headers that it has to come with is found: each of them', async () => {
    const names = [
      'cross-origin-opener-policy', 'cross-origin-resource-policy', 'referrer-policy', 'permissions-policy',
    ]; // prettier-ignore
    const url = await behind((request, response) => {
      if (request.url === '/settings') for (const name of names) response.removeHeader(name);
    });
    expect((await differences(url)).map((line) => line.split(', not ')[0]).sort()).toEqual(
      names.map((name) => `header   /settings: ${name} is absent`).sort(),
    );
  });

  test('that is another one for some of those who ask for it is found', async () => {
    const told: readonly (readonly [asker: string, header: string, value: RegExp])[] = [
      ['Firefox, in French', 'accept-language', /^fr/],
      ['who has cookies', 'cookie', /session=/],
      ['who comes from elsewhere', 'sec-fetch-site', /cross-site/],
      ['what loads ahead', 'sec-purpose', /prefetch/],
      ['a phone that saves data', 'user-agent', /iPhone/],
    ];
    const url = await behind((request, response) => {
      const of = (header: string): string => String(request.headers[header]);
      if (request.url === '/' && told.some(([, header, value]) => value.test(of(header))))
        response.end('another page');
    });
    expect((await differences(url)).map((line) => line.split('): ')[0]).sort()).toEqual(
      told.map(([asker]) => `changed  / (asked by ${asker}`).sort(),
    );
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

  test('whose compressed files are of other content, or of nothing, is found: each of them', async () => {
    const sent: Readonly<Record<string, readonly [encoding: string, data: Buffer]>> = {
      '/licences.js': ['br', brotliCompressSync('alert(1)')],
      '/main-ABCDEF12.js': ['gzip', gzipSync('alert(1)')],
      '/worker-ABCDEF12.js': ['br', Buffer.from('garbage')],
      '/styles-ABCDEF12.css': ['gzip', Buffer.from('garbage')],
    };
    const url = await behind((request, response) => {
      const [encoding, data] = sent[request.url ?? ''] ?? [];
      if (encoding === undefined || !encodingsOf(request).includes(encoding)) return;
      response.setHeader('content-encoding', encoding).end(data);
    });
    expect((await differences(url)).map((line) => line.split('): ')[0]).sort()).toEqual(
      Object.entries(sent)
        .flatMap(([path, [encoding]]) =>
          [encoding, 'gzip, deflate, br, zstd'].map(
            (accept) => `changed  ${path} (Accept-Encoding: ${accept}`,
          ),
        )
        .sort(),
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
