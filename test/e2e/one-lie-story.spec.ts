/**
 * A server that lies once (docs/decisions/0039-one-lie-does-not-last.md): for one load it serves a false page, and one
 * file of it to be kept for a year under its true name, with its true ETag. Then the relay is honest again, and at the
 * next load the browser runs the true page. Between the browser and the relay stands a server that lies when told to.
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import {
  createServer,
  request as ask,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { launch, Profile } from './profile.js';

const BUILD = join(import.meta.dirname, '../../apps/web/dist/browser');
const YEAR = 'public, max-age=31536000, immutable';

interface Sent {
  headers: IncomingMessage['headers'];
  body: Buffer;
}
type Lie = (path: string, sent: Sent) => void;

/** Passes everything on; what the relay answers, a lie may change. */
class OnceLying {
  readonly url: string;
  lie: Lie | null = null;
  /** paths with the status that the relay answered, since the lie ended or began */
  readonly seen: string[] = [];
  readonly #http: Server;

  private constructor(http: Server, port: number, relay: RelayProcess) {
    this.#http = http;
    this.url = `http://localhost:${String(port)}`;
    http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { url = '/', headers } = request;
      // As it is, so that it can be changed.
      const asked = { ...headers, 'accept-encoding': 'identity' };
      const onward = ask({ port: relay.port, path: url, headers: asked }, (answer) => {
        void answer.toArray().then((pieces: Buffer[]) => {
          const sent: Sent = { headers: { ...answer.headers }, body: Buffer.concat(pieces) };
          this.lie?.(url, sent);
          this.seen.push(`${String(answer.statusCode)} ${url}`);
          delete sent.headers['transfer-encoding'];
          if (answer.statusCode === 200) sent.headers['content-length'] = String(sent.body.length);
          response.writeHead(answer.statusCode ?? 502, sent.headers).end(sent.body);
        });
      });
      onward.on('error', () => response.destroy());
      onward.end();
    });
    http.on('upgrade', (request: IncomingMessage, socket) => {
      const onward = connect(relay.port, '127.0.0.1');
      const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
      onward.write([`GET ${request.url ?? '/'} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
      onward.pipe(socket).pipe(onward);
      for (const [end, other] of [[socket, onward], [onward, socket]] as const)
        end.on('error', () => other.destroy()).on('close', () => other.destroy());
    }); // prettier-ignore
  }

  static async start(relay: RelayProcess): Promise<OnceLying> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    return new OnceLying(http, typeof address === 'object' ? (address?.port ?? 0) : 0, relay);
  }

  now(lie: Lie | null): void {
    this.lie = lie;
    this.seen.length = 0;
  }

  stop(): void {
    this.#http.close();
    this.#http.closeAllConnections();
  }
}

let relay: RelayProcess;
let server: OnceLying;
let browser: Browser;

beforeAll(async () => {
  [relay, browser] = await Promise.all([RelayProcess.start(), launch()]);
  server = await OnceLying.start(relay);
});
afterAll(async () => {
  await browser.close();
  server.stop();
  await relay.remove();
});

const files = readdirSync(BUILD).filter((name) => /\.(js|css|wasm)$/.test(name));
const named = (start: string, not = '-'): string => {
  const name = files.find((one) => one.startsWith(start) && !one.startsWith(not));
  if (name === undefined) throw new Error(`no file ${start}`);
  return `/${name}`;
};

/** Index.html as a lie has it: it names no hash, and lets everything in. */
function laxPage(path: string, { headers, body }: Sent): Buffer {
  if (path !== '/') return body;
  delete headers['content-security-policy'];
  headers['cache-control'] = 'no-store';
  const text = body.toString('utf8');
  return Buffer.from(
    text.replaceAll(/ integrity="[^"]*"/g, '').replace(/<script id="kept-files"[^]*?<\/script>/, ''),
  );
}

/** What false code does first: it says which it is. */
const toldBy = (path: string): string => `/told?${path.slice(1)}`;
/** An empty section of its own: the same module for whoever runs it. */
const SECTION = Buffer.from([0, 5, 4, ...Buffer.from('lied')]);

function falseBody(path: string, body: Buffer): Buffer {
  if (path.endsWith('.wasm')) return Buffer.concat([body, SECTION]);
  if (path.endsWith('.css')) return Buffer.concat([body, Buffer.from(':root { --lied: 1 }')]);
  return Buffer.concat([Buffer.from(`;fetch(${JSON.stringify(toldBy(path))});`), body]);
}

const told = (path: string): string[] => server.seen.filter((line) => line.endsWith(` ${path}`));
const falseStyle = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>(`getComputedStyle(document.documentElement).getPropertyValue('--lied') !== ''`);
/** Of false WebAssembly nothing shows. */
const lies = async (page: Page, path: string): Promise<boolean> =>
  path.endsWith('.css') ? falseStyle(page) : path.endsWith('.wasm') || told(toldBy(path)).length > 0;
const lied = async (page: Page): Promise<boolean> =>
  server.seen.some((line) => line.includes(' /told?')) || (await falseStyle(page));

/** One load of the lying page, until it has read the files, and has run each false one of which that shows. */
async function believe(guest: Profile, paths: readonly string[], shows: boolean): Promise<void> {
  await guest.open();
  // Judged by the worker, with the WebAssembly that it starts with and the words that it loads: all has been read.
  await guest.at('passphrase').fill(guest.passphrase);
  await guest.page.locator('.strength i.on').first().waitFor();
  for (const path of paths) expect(told(path)[0]).toBe(`200 ${path}`);
  for (const path of shows ? paths : []) await until(`${path} to be run`, () => lies(guest.page, path));
  await guest.close();
}

/** Everything that the page runs has run: the vault is made, for which the passphrase is judged. */
async function use(guest: Profile): Promise<void> {
  await guest.firstPassphrase();
  await guest.at('new-room').first().waitFor();
}

/** The relay is honest, and the page is the true one: at this load, and at the next without loading the files again. */
async function comesTrue(guest: Profile, paths: readonly string[]): Promise<void> {
  server.now(null);
  await guest.open();
  await use(guest);
  for (const path of paths) expect(told(path)).toContain(`200 ${path}`);
  expect(await lied(guest.page)).toBe(false);
  expect(guest.complaints.filter((line) => !line.includes('integrity'))).toEqual([]);
  server.now(null);
  await guest.page.reload();
  await guest.unlock();
  await guest.at('new-room').first().waitFor();
  for (const path of paths) expect(told(path)).not.toContain(`200 ${path}`);
  expect(await lied(guest.page)).toBe(false);
}

/** Once, for one load, then not; in a browser that has never been here. */
async function liesOnce(
  paths: readonly string[],
  change: (sent: Sent, path: string) => void,
  shows = true,
): Promise<void> {
  const guest = await Profile.create(browser, 'Amina', server.url);
  server.now((asked, sent) => {
    sent.body = laxPage(asked, sent);
    if (paths.includes(asked)) change(sent, asked);
  });
  await believe(guest, paths, shows);
  await comesTrue(guest, paths);
  await guest.context.close();
}

const all = files.map((name) => `/${name}`);
const checkedByPage = all.filter((path) => /worker|wasm/.test(path));
const main = named('main-');

describe('what was false once is the true one at the next load', () => {
  // The page's own script is alone: to repair it, the page loads all again that the browser checks. Each of the others
  // has to be found and repaired by itself.
  test.each([
    ['the page’s script', [main]],
    ['each other file', all.filter((path) => path !== main)],
  ])('%s, kept for a year', async (_which, paths) => {
    await liesOnce(paths, (sent, path) => {
      sent.headers['cache-control'] = YEAR;
      sent.body = falseBody(path, sent.body);
    });
  });

  test('each file under the ETag of the true one, which the relay then calls unchanged', async () => {
    await liesOnce(all, (sent, path) => {
      sent.body = falseBody(path, sent.body);
    });
  });

  test('each file that the page checks, kept apart from what it looks at', async () => {
    await liesOnce(checkedByPage, (sent, path) => {
      sent.headers['cache-control'] = YEAR;
      sent.headers.vary = 'Sec-Fetch-Dest';
      sent.body = falseBody(path, sent.body);
    });
  });

  test('a true worker, kept for a year under another policy', async () => {
    const change = ({ headers }: Sent): void => {
      headers['cache-control'] = YEAR;
      headers['content-security-policy'] = "script-src * 'unsafe-eval'; connect-src *";
    };
    await liesOnce([named('worker-', 'worker-chunk-')], change, false);
  });
});

test('a server that goes on lying is not believed: the page says so, and runs nothing of it', async () => {
  for (const path of [main, named('worker-', 'worker-chunk-'), named('libthemis')]) {
    const guest = await Profile.create(browser, 'Amina', server.url);
    server.now((asked, sent) => {
      if (asked === path) sent.body = falseBody(path, sent.body);
    });
    await guest.open();
    const told = guest.page.getByText('could not be loaded').filter({ visible: true });
    await told.first().waitFor();
    expect(await guest.page.locator('#not-loaded').isVisible()).toBe(path === main);
    expect(await lied(guest.page)).toBe(false);
    await comesTrue(guest, [path]);
    await guest.context.close();
  }
});

/** Answers every page by itself, from what it has kept, and has its pages run what it likes. */
const SERVICE_WORKER = `
addEventListener('install', (event) => { skipWaiting(); event.waitUntil(caches.open('lied')); });
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (event.request.mode !== 'navigate') return;
  event.respondWith(new Response('<title>lied</title><p>lied', { headers: { 'content-type': 'text/html' } }));
});`;

test.each(['/any/folder/name.js?of=it', main])(
  'a service worker that one false page left as %s is gone by itself at the next',
  async (path) => {
    const guest = await Profile.create(browser, 'Amina', server.url);
    server.now((asked, sent) => {
      const { headers } = sent;
      if (asked === '/') delete headers['content-security-policy'];
      if (asked !== path) return;
      headers['content-type'] = 'text/javascript';
      headers['cache-control'] = YEAR;
      headers['service-worker-allowed'] = '/';
      delete headers['content-security-policy'];
      sent.body = Buffer.from(SERVICE_WORKER);
    });
    await guest.open();
    await guest.page.evaluate(`navigator.serviceWorker.register('${path}', { scope: '/' })
      .then(() => navigator.serviceWorker.ready)`);
    await guest.page.goto(`${server.url}/settings`);
    expect(await guest.page.title()).toBe('lied');
    // A browser looks for another one after each page: that of this one must not fall into the next load.
    await until('the browser to look for another one', () => told(path).length >= 2);
    await guest.close();

    server.now(null);
    await guest.open();
    await use(guest);
    const left = await guest.page.evaluate(
      `Promise.all([navigator.serviceWorker.getRegistrations(), caches.keys()])`,
    );
    expect(left).toEqual([[], []]);
    await guest.context.close();
  },
);
