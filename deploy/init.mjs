/**
 * Makes what no two deployments may share, at the first start only: the relay's private key and the
 * password of its Redis, each into a volume of its own. Prints where, never what.
 *
 *   node deploy/init.mjs [KEYS_DIR]      /keys unless named; writes relay/ and redis/ below it
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const keys = process.argv[2] ?? '/keys';
const main = join(import.meta.dirname, '..', 'apps', 'relay', 'dist', 'main.js');

/** @param {string} path @param {number} mode @param {() => string} content */
function once(path, mode, content) {
  if (existsSync(path)) return void process.stdout.write(`${path} is there\n`);
  mkdirSync(dirname(path), { recursive: true });
  const half = `${path}.${process.pid}`;
  writeFileSync(half, content(), { mode, flag: 'wx', flush: true });
  try {
    // Linked and not renamed: never half-written, never over a file that is there.
    linkSync(half, path);
  } finally {
    rmSync(half);
  }
  process.stdout.write(`${path} made\n`);
}

function relayKey() {
  const text = execFileSync(process.execPath, [main, 'keygen'], { encoding: 'utf8' });
  const key = /^RELAY_PRIVATE_KEY=(\S+)$/m.exec(text)?.[1];
  if (key === undefined) throw new Error('keygen printed no key');
  return `${key}\n`;
}

once(join(keys, 'relay', 'relay.key'), 0o400, relayKey);

// Readable by all, because Redis runs as another user: only the two services mount the volume.
const password = join(keys, 'redis', 'password');
once(password, 0o444, () => `${randomBytes(32).toString('base64url')}\n`);
// As Redis reads it: on its command line, any process list would show it.
once(join(keys, 'redis', 'redis.conf'), 0o444, () => {
  const secret = readFileSync(password, 'utf8').trim();
  // The second is what a replica says to its master.
  return `requirepass ${secret}\nmasterauth ${secret}\n`;
});
