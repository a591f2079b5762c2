/** A static server with the headers of csp.json, for looking at a build without a relay. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** A build without a relay is not hashed: what the settings show of one that is. */
const BUILD = JSON.stringify({ hash: 'c5'.repeat(32) });

/** Another key than the one that the fake worker has pinned. */
const CONFIG = JSON.stringify({ relayPublicKey: 'VUVDMgAAAC0' });
/** What a relay would serve and no build holds. */
const SERVED = { '/build.json': BUILD, '/config.json': CONFIG };

/** Serves `folder` on a free port of 127.0.0.1; unknown paths get index.html. */
export async function serve(folder) {
  const csp = JSON.parse(readFileSync(join(folder, 'csp.json'), 'utf8'));
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const name = extname(path) in TYPES ? path : '/index.html';
    const body = SERVED[name] ?? (await readFile(join(folder, name)).catch(() => null));
    response.writeHead(body === null ? 404 : 200, {
      'content-type': TYPES[extname(name)],
      'content-security-policy': name.startsWith('/worker-') ? csp.worker : csp.document,
      'x-content-type-options': 'nosniff',
    });
    response.end(body ?? '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
