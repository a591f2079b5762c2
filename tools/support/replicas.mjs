/** Several relays on one Redis, for development: what `npm run relay:dev -- --replicas 3` runs. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { cacheFolder, root } from './node.mjs';
import { onPath } from './path.mjs';
import { Remedy, say } from './report.mjs';
import { projectEnvironment } from './workspace.mjs';

const main = join(root, 'apps', 'relay', 'dist', 'main.js');
const folder = join(cacheFolder, 'relay-dev');
const firstPort = 5103;

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * The Redis of the environment, or one of our own whose rooms are kept from one time to the next.
 *
 * @returns {Promise<{ environment: Record<string, string>, server: import('node:child_process').ChildProcess | null }>}
 */
async function redis() {
  const named = ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_CLUSTER'].find((name) => process.env[name]);
  if (named !== undefined) {
    say(`Redis: as ${named} says`);
    return { environment: {}, server: null };
  }
  const executable = onPath('redis-server');
  if (executable === undefined) {
    throw new Remedy(
      'Replicas need Redis 7.',
      'Install its server (Debian: apt-get install redis-server), or set REDIS_URL to one that runs.',
    );
  }
  const port = await freePort();
  const data = join(folder, 'redis');
  mkdirSync(data, { recursive: true });
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: data,
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // In a group of its own: Ctrl-C is for the relays first, which still have something to write.
  const server = spawn(executable, args, { stdio: 'ignore', detached: true });
  say(`Redis: our own at redis://127.0.0.1:${port}, its data in ${data}`);
  return { environment: { REDIS_URL: `redis://127.0.0.1:${port}` }, server };
}

/** The key that all replicas share; made once. @param {string} node @returns {Record<string, string>} */
function key(node) {
  if (process.env.RELAY_PRIVATE_KEY || process.env.RELAY_PRIVATE_KEY_FILE) return {};
  const file = join(folder, 'relay.key');
  if (!existsSync(file)) {
    const printed = execFileSync(node, [main, 'keygen'], { encoding: 'utf8' });
    const made = /^RELAY_PRIVATE_KEY=(.+)$/m.exec(printed)?.[1];
    if (made === undefined) throw new Error('keygen printed no key');
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, `${made}\n`, { mode: 0o600, flag: 'wx' });
  }
  say(`the relays' key: ${file}`);
  return { RELAY_PRIVATE_KEY_FILE: file };
}

/** Resolves when it answers. @param {number} port @param {import('node:child_process').ChildProcess} server */
async function answers(port, server) {
  const { connect } = await import('node:net');
  while (server.exitCode === null) {
    const ready = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString().startsWith('+PONG'));
      });
      socket.once('error', () => resolve(false));
    });
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Remedy('redis-server ended.', `Start it by hand to see why: its data lies in ${folder}.`);
}

/**
 * Runs until a signal ends it; then the relays are drained, and Redis ends last.
 *
 * @param {string} node
 * @param {number} count
 * @returns {Promise<number>} the exit code
 */
export async function runReplicas(node, count) {
  const { environment, server } = await redis();
  try {
    if (server !== null) await answers(Number(new URL(environment.REDIS_URL).port), server);
    const shared = { ...environment, ...key(node) };
    const first = Number(process.env.PORT || firstPort);
    const relays = Array.from({ length: count }, (_, index) => {
      const port = String(first + index);
      const env = projectEnvironment(node, { ...shared, PORT: port, DATA_DIR: join(folder, port) });
      const child = spawn(node, ['--watch', '--enable-source-maps', main], {
        cwd: root,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => process.stdout.write(`[${port}] ${line}\n`));
      }
      return child;
    });
    say(`${count} relays at http://127.0.0.1:${first} to ${first + count - 1}; Ctrl-C drains and ends them`);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => relays.forEach((child) => child.kill('SIGTERM')));
    }
    await Promise.all(relays.map((child) => new Promise((resolve) => child.on('close', resolve))));
    return 0;
  } finally {
    server?.kill('SIGTERM');
  }
}
