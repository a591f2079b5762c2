/**
 * The relay from the command line (main.ts looks at Node.js first).
 *
 *   node dist/main.js [--port N]    runs it; all else by environment variables (config/environment.ts)
 *   node dist/main.js keygen        prints a key pair
 *   node dist/main.js succeed --origin URL   makes the key that follows the relay's own (operators/succeed.ts)
 *   node dist/main.js rooms …       tells of rooms or erases one (operators/cli.ts); --json
 */
import { parseArgs } from 'node:util';
import { toBase64Url } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/link';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { fingerprintOf } from '@0fc/crypto/verify';
import { ConfigError } from './config/errors.js';
import { writeKey } from './config/key-pair.js';
import { rooms, ROOMS_USAGE } from './operators/cli.js';
import { succeed, SUCCEED_USAGE } from './operators/succeed.js';
import { startRelay } from './start.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function keygen(): Promise<void> {
  await loadThemis();
  const pair = generateKeyPair();
  say(`RELAY_PRIVATE_KEY=${writeKey(pair)}`);
  say(`RELAY_PUBLIC_KEY=${toBase64Url(pair.publicKey)}`);
  say(`fingerprint ${await fingerprintOf(nodeHash, pair.publicKey)}`);
}

async function run(port: string | undefined): Promise<void> {
  const relay = await startRelay({
    environment: port === undefined ? process.env : { ...process.env, PORT: port },
  });
  const end = (): void => {
    relay.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`stopping failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  say(`0FC relay at ${relay.url}`);
  say(`relay fingerprint ${relay.fingerprint}`);
  if (relay.successor !== null) say(`which gives way to ${relay.successor}: announced, not served yet`);
  const { redis, dataDir } = relay.config;
  if (redis === null) say(`embedded store in ${dataDir}: one process; replicas need Redis`);
  else say(`rooms in Redis (${redis.target.kind}), keys ${redis.prefix}…: any number of replicas`);
  if (relay.metricsPort !== null) {
    say(`metrics at http://${relay.config.metricsHost}:${relay.metricsPort}/metrics`);
  }
  if (relay.unnamed) {
    say('PUBLIC_HOST is not set: it answers as localhost and by address alone, 421 to any other name');
  }
  if (relay.web === false) say('the web client has not been built: npm run build');
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string' },
        json: { type: 'boolean' },
        yes: { type: 'boolean' },
        origin: { type: 'string', multiple: true },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : 'unknown option');
  }
}

/** Runs what the arguments of the process ask for. What an operator can set right ends in one line and code 1. */
export async function commandLine(): Promise<void> {
  try {
    const { values, positionals } = readArguments();
    const [command, ...words] = positionals;
    if (command === undefined) await run(values.port);
    else if (command === 'keygen' && words.length === 0) await keygen();
    else if (command === 'succeed' && words.length === 0) {
      say(await succeed({ environment: process.env, origins: values.origin ?? [] }));
    } else if (command === 'rooms') {
      const { json = false, yes = false } = values;
      const { text, ok } = await rooms({ environment: process.env, words, json, yes });
      say(text);
      if (!ok) process.exitCode = 1;
    } else {
      throw new ConfigError(
        `the commands are keygen, ${SUCCEED_USAGE} and ${ROOMS_USAGE}; without one the relay runs.`,
      );
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
    // Whatever a half-made start has opened must not keep the process.
    process.exit();
  }
}
