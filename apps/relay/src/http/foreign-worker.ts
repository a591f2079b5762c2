/**
 * The client has no service worker. One that a browser has nevertheless, since somebody once served a page that put it
 * there, stands between every later page and this relay, and a 404 to its update would leave it there. So whatever
 * asks for the script of one, under any name, gets one that takes itself away
 * (docs/decisions/0039-one-lie-does-not-last.md).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Of the relay's own making: `npm run verify:web` takes no other one. */
export const LEAVING_WORKER = `// There is no service worker here: this one ends what another left behind.
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(leave()));
async function leave() {
  await clients.claim();
  const pages = await clients.matchAll({ type: 'window' });
  await registration.unregister();
  for (const name of await caches.keys()) await caches.delete(name);
  for (const page of pages) await page.navigate(page.url);
}
`;

/** Browsers alone send it, with requests for such scripts alone: no page can set it. */
export const asksForServiceWorker = ({ headers }: IncomingMessage): boolean =>
  headers['service-worker'] === 'script';

export function answerServiceWorker(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, {
    'Content-Type': 'text/javascript; charset=utf-8',
    'Content-Length': Buffer.byteLength(LEAVING_WORKER),
    'Content-Security-Policy': "default-src 'none'",
    'Cache-Control': 'no-store',
    // One that lay in a folder and had been let out of it is updated only if this one is let out as well.
    'Service-Worker-Allowed': '/',
  });
  response.end(request.method === 'HEAD' ? undefined : LEAVING_WORKER);
}
