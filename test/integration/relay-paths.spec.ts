/**
 * Fault 14: a link that a mail program had changed was answered with 500, and the token in it was logged (G15).
 * Whatever the path: no fault, and nothing of it in the log; `/join…` in any spelling is the page.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';

/** As long as an invite link's fragment is, and nowhere else in a log. */
const TOKEN = 'Xq7vTokenThatIsNobodysBusiness'.repeat(10);
const MARK = 'vTokenThatIsNobodys';
let folder: string;
let relay: RelayProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), '0fc-paths-'));
  const web = join(folder, 'web');
  await mkdir(web);
  await writeFile(join(web, 'index.html'), '<!doctype html><title>the page</title>');
  await writeFile(join(web, 'csp.json'), JSON.stringify({ document: "default-src 'none'", worker: '' }));
  relay = await RelayProcess.start({ WEB_DIR: web, LOG_LEVEL: 'trace' });
});
afterAll(async () => {
  await relay.remove();
  await rm(folder, { recursive: true });
});

/** As it is: fetch would put the path in order first. */
function ask(path: string, method = 'GET'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: relay.port, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject).end();
  });
}

const SPELLINGS = [
  '/join', '/join/', '/join#', '/JOIN', '/Join', '/join%23', '/join%2523', '/%6Aoin', '/%6a%4f%69n%23', '/join?x=1',
  '/join%3F', '/join%00', '/join%', '/join%ff', '/join%20', '/join.', '/join.html', '/join)', '/join/../../x',
  '/join\\', '//join', '/join%E2%80%8B', '/join&#35;',
]; // prettier-ignore

describe('a path', () => {
  test.each(SPELLINGS)('%s with a token behind it is the page', async (path) => {
    for (const whole of [path, path + TOKEN]) {
      const { status, text } = await ask(whole);
      expect([whole.slice(0, 20), status, text.includes('the page')]).toEqual([
        whole.slice(0, 20),
        200,
        true,
      ]);
    }
    expect(relay.log).not.toContain(MARK);
  });

  test.each(['/', '/room/', '/x', '/x.js', '/health/', '/config.json', '/a%2Fb', '/csp.json'])(
    '%s with a long tail is not found, and not logged',
    async (path) => {
      expect((await ask(path + TOKEN)).status).toBe(404);
      expect(relay.log).not.toContain(MARK);
    },
  );

  const letters = fc.constantFrom(
    ...'/%#?.\\:;&=+@ ~-_*'.split(''), '%00', '%2e', '%2f', '%23', '%ff', '%', 'join', 'JOIN', 'room', '..', '.js', '.html',
    'health', 'socket.io', 'config.json', 'csp.json', 'index.html/', MARK, 'a'.repeat(300),
  ); // prettier-ignore
  const anyPath = fc
    .array(fc.oneof(letters, fc.string({ unit: 'grapheme', maxLength: 5 })), { maxLength: 12 })
    .map((parts) =>
      `/${parts.join('')}`.replace(/[^!-~]/gu, (one) => encodeURIComponent(one.toWellFormed())),
    );

  test('of any kind is never a fault, and never logged', async () => {
    await fc.assert(
      fc.asyncProperty(anyPath, fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'), async (path, method) => {
        const { status, text } = await ask(path, method);
        expect(status).toBeLessThan(500);
        expect(text).not.toContain(MARK);
      }),
      { numRuns: 400 },
    );
    expect(relay.log).not.toContain(MARK);
    await until('the log to be there', () => relay.log.includes('relay'));
  });
});
