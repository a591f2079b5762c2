/**
 * Bytes on the wire of a first load of the page, and of a second one: `npm run bench -- first-load`.
 *
 * One connection for each file, counted at the socket, so headers of request and answer are in it. "As it is" is what
 * every relay sent before files were compressed.
 */
import { readFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { RelayProcess } from '../support/relay-process.ts';

const BUILD = join(import.meta.dirname, '../../apps/web/dist/browser');
const BROWSER = 'gzip, deflate, br, zstd';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** received and sent */
  readonly bytes: number;
}

function load(port: number, path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      const { socket, statusCode: status = 0, headers: got } = response;
      response.resume();
      response.on('end', () =>
        resolve({ status, headers: got, bytes: socket.bytesRead + socket.bytesWritten }),
      );
    });
    asked.on('error', reject).end();
  });
}

const { files } = JSON.parse(readFileSync(join(BUILD, 'build.json'), 'utf8')) as {
  files: Record<string, string>;
};
const paths = ['/', '/config.json', ...Object.keys(files).map((path) => `/${path}`)].filter(
  (path) => path !== '/index.html' && path !== '/csp.json',
);
const relay = await RelayProcess.start();
const sum = { plain: 0, gzip: 0, browser: 0, again: 0 };
console.log(
  `${'path'.padEnd(24)} ${['as it is', 'gzip', 'browser', 'again'].map((name) => name.padStart(10)).join('')}`,
);
try {
  for (const path of paths) {
    const plain = await load(relay.port, path, { 'accept-encoding': 'identity' });
    const gzip = await load(relay.port, path, { 'accept-encoding': 'gzip' });
    const browser = await load(relay.port, path, { 'accept-encoding': BROWSER });
    if ([plain, gzip, browser].some(({ status }) => status !== 200)) throw new Error(`${path} is not served`);
    // A browser asks with the tag of what it has kept, and it keeps nothing of what is `no-store`.
    const kept =
      browser.headers['cache-control']?.includes('no-store') === true ? undefined : browser.headers.etag;
    const again = await load(relay.port, path, {
      'accept-encoding': BROWSER,
      ...(kept === undefined ? {} : { 'if-none-match': kept }),
    });
    const row = { plain: plain.bytes, gzip: gzip.bytes, browser: browser.bytes, again: again.bytes };
    for (const key of Object.keys(row) as (keyof typeof row)[]) sum[key] += row[key];
    print(path, row);
  }
  print('all', sum);
} finally {
  await relay.remove();
}

function print(path: string, row: typeof sum): void {
  const { plain, gzip, browser, again } = row;
  const cells = [plain, gzip, browser, again].map((bytes) => String(bytes).padStart(10)).join('');
  console.log(`${path.padEnd(24)} ${cells}`);
}
