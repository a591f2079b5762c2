/** The two servers that are held against each other, on the same Redis, and what their processes cost. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import type { RelayAddress } from '../../integration/relay-peer.js';
import { writeKey } from '../../../apps/relay/src/config/key-pair.js';
import { startRedis } from '../../support/redis.js';
import { freePort, RelayProcess } from '../../support/relay-process.js';

/** Cores: the server has one for itself; Redis and the generator, which is this process, share the other. */
const SERVER_CORE = 0;
const OTHER_CORE = 1;
/** What strangers are held to says nothing about speed. */
const LIMITS = {
  APPEND_PER_SECOND: '100000', APPEND_BURST: '100000', REQUESTS_PER_SECOND: '100000', REQUESTS_BURST: '100000',
  MAX_CONNECTIONS: '20000', MAX_CONNECTIONS_PER_ADDRESS: '20000', ROOMS_PER_ADDRESS_PER_DAY: '100000', MAX_MEMBERS: '500',
  BYTES_PER_SECOND: '1000000000', BYTES_BURST: '1000000000', LOG_LEVEL: 'error',
}; // prettier-ignore

/** Puts all threads of a process on one core; nothing where there is but one. */
function pin(pid: number, core: number): void {
  if (availableParallelism() > 1 || pinned) execFileSync('taskset', ['-acp', String(core), String(pid)]);
  pinned = true;
}
let pinned = false;

/** Microseconds of CPU that all threads of a process have used. */
export function cpuMicros(pid: number): number {
  const folder = `/proc/${String(pid)}/task`;
  let sum = 0;
  for (const thread of readdirSync(folder))
    sum += Number(readFileSync(join(folder, thread, 'schedstat'), 'utf8').split(' ')[0]);
  return sum / 1_000;
}

export function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]);
}

export const SETTLE_MS = 3_000;
/** KiB, after what is under way has ended. */
export async function settled(pid: number): Promise<number> {
  await pause(SETTLE_MS);
  return residentKib(pid);
}

export interface Server {
  readonly name: 'plain' | 'relay';
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Relay extends Server {
  readonly address: RelayAddress;
  readonly metricsPort: number;
}

export interface BenchRedis {
  readonly pid: number | null;
  /** microseconds of CPU of all its nodes */
  readonly cpu: () => number;
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startBenchRedis(kind: 'standalone' | 'cluster' = 'standalone'): Promise<BenchRedis> {
  pin(process.pid, OTHER_CORE);
  const redis = await startRedis({ kind });
  const pids = redis.nodes.flatMap(({ pid }) => pid ?? []);
  for (const pid of pids) pin(pid, OTHER_CORE);
  const { environment } = redis;
  return {
    pid: pids[0] ?? null,
    cpu: () => pids.reduce((sum, pid) => sum + cpuMicros(pid), 0),
    url: environment.REDIS_URL ?? '',
    environment,
    stop: () => redis.stop(),
  };
}

await loadThemis();
const key = generateKeyPair();

/** @param environment beside the limits, which are out of the way */
export async function startBenchRelay(
  redis: BenchRedis | null,
  environment: Readonly<Record<string, string>> = {},
): Promise<Relay> {
  const metricsPort = await freePort();
  const relay = await RelayProcess.start({
    ...LIMITS,
    METRICS_PORT: String(metricsPort),
    ...redis?.environment,
    RELAY_PRIVATE_KEY: writeKey(key),
    ...environment,
  });
  pin(relay.pid, SERVER_CORE);
  return {
    name: 'relay',
    url: relay.url,
    pid: relay.pid,
    metricsPort,
    address: { url: relay.url, publicKey: key.publicKey },
    // In order, so that a profile that was asked for by NODE_OPTIONS is written.
    stop: async () => {
      await relay.stop();
      await relay.remove();
    },
  };
}

export async function startPlainServer(redis: BenchRedis): Promise<Server> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'baseline-server.mjs')], {
    env: { ...process.env, REDIS_URL: redis.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { pid } = child;
  if (pid === undefined) throw new Error('the plain server does not run');
  pin(pid, SERVER_CORE);
  return {
    name: 'plain',
    url: `http://127.0.0.1:${port}`,
    pid,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}
