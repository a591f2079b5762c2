/**
 * Redis for tests, of each kind that the relay takes.
 *
 * In this order: the server at REDIS_URL (standalone, a key prefix of its own for each start); containers,
 * where TEST_REDIS=containers is set or no redis-server is on the PATH and a Docker engine answers;
 * the redis-server on the PATH. `npm test` sees to it that one of them is there.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  containersAnswer,
  quoted,
  redisServerPath,
  ServerContainer,
  ServerProcess,
  type Launched,
  type LaunchOptions,
} from './redis-launch.js';
import { freePort } from './relay-process.js';
import { until } from './wait.js';

export type RedisKind = 'standalone' | 'sentinel' | 'cluster';

export interface RedisOptions {
  readonly kind: RedisKind;
  readonly password?: string;
  /** as redis.conf writes it, such as `8mb`; with it `maxmemory-policy` is noeviction unless named */
  readonly maxmemory?: string;
  readonly maxmemoryPolicy?: string;
  /** whether a restart keeps the data (AOF, written through at each command) */
  readonly appendonly?: boolean;
  /** an RDB file that the first node begins with; not of a cluster, and not with `appendonly` */
  readonly dump?: string;
  /** of the one master behind Sentinel (default 1); other kinds have none */
  readonly replicas?: number;
}

interface RedisNode {
  readonly host: string;
  readonly port: number;
  /** null in a container, after {@link RunningRedis.kill}, or where the server is not ours */
  readonly pid: number | null;
  readonly role: 'master' | 'replica' | 'sentinel';
}

export interface RunningRedis {
  /** the relay's REDIS_* variables */
  readonly environment: Readonly<Record<string, string>>;
  /** in order: masters (by slots), replicas, Sentinels, by their roles at the start */
  readonly nodes: readonly RedisNode[];
  /** Ends a node by a signal (SIGKILL unless named) and waits until it is gone. */
  kill(node: number, signal?: NodeJS.Signals): Promise<void>;
  /**
   * Starts a node again, ending it first where it runs; ready when it answers, has loaded its data and, in
   * a cluster, takes commands again: a master that starts refuses them for some seconds.
   */
  restart(node: number): Promise<void>;
  /** A connection to one node, for a look behind the relay. The caller disconnects it. */
  connect(node?: number): Redis;
  /** Ends and removes everything. Idempotent. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const MASTER_NAME = '0fc';
const SLOTS = 16_384;
const MASTERS = 3;
const SENTINELS = 3;

/** Rejects with what is missing and the remedy. */
export async function startRedis(options: RedisOptions): Promise<RunningRedis> {
  const given = process.env.REDIS_URL ?? '';
  const { password, maxmemory, dump } = options;
  const plain = password === undefined && maxmemory === undefined && dump === undefined;
  // A server that is not ours is not restarted, and takes no settings.
  if (given !== '' && options.kind === 'standalone' && plain && options.appendonly !== true) {
    return sharedServer(given);
  }
  const servers = new Servers(options, await launcher());
  try {
    await servers.start();
  } catch (error) {
    await servers.stop();
    throw error;
  }
  return servers;
}

type Launch = (options: LaunchOptions) => Promise<Launched>;

async function launcher(): Promise<Launch> {
  const wanted = process.env.TEST_REDIS ?? '';
  if (wanted !== '' && wanted !== 'containers') {
    throw new Error(`TEST_REDIS is ${JSON.stringify(wanted)}; it must be containers, or unset.`);
  }
  const executable = redisServerPath();
  if (wanted === '' && executable !== null) return (options) => ServerProcess.launch(executable, options);
  if (await containersAnswer()) return (options) => ServerContainer.launch(options);
  throw new Error(
    wanted === 'containers'
      ? 'TEST_REDIS is containers, but no Docker engine answers: start one, or unset it.'
      : 'There is neither a redis-server on the PATH nor a Docker engine: install one (Debian: apt-get install redis-server), or set REDIS_URL.',
  );
}

function connectTo(port: number, password: string | undefined): Redis {
  const redis = new Redis({
    host: HOST,
    port,
    ...(password === undefined ? {} : { password }),
    // A look at a node outlives a cut of its connection (a promotion cuts them all), not a dead node.
    maxRetriesPerRequest: 5,
    retryStrategy: (times) => Math.min(times * 20, 200),
  });
  // What a command meets is the command's own error; without a listener ioredis prints each reconnection.
  redis.on('error', () => undefined);
  return redis;
}

interface Server {
  readonly port: number;
  readonly role: RedisNode['role'];
  readonly launched: Launched;
}

class Servers implements RunningRedis {
  readonly #options: RedisOptions;
  readonly #launch: Launch;
  readonly #servers: Server[] = [];
  #folder: string | null = null;

  constructor(options: RedisOptions, launch: Launch) {
    this.#options = options;
    this.#launch = launch;
  }

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), '0fc-redis-'));
    if (this.#options.kind === 'cluster') await this.#startCluster();
    else await this.#add('master');
    if (this.#options.kind === 'sentinel') await this.#startSentinels();
  }

  get nodes(): readonly RedisNode[] {
    return this.#servers.map(({ port, role, launched }) => ({ host: HOST, port, role, pid: launched.pid }));
  }

  get environment(): Readonly<Record<string, string>> {
    const { kind, password } = this.#options;
    const at = (role: RedisNode['role']) =>
      this.nodes.filter((node) => node.role === role).map(({ host, port }) => `${host}:${port}`);
    return {
      ...(password === undefined ? {} : { REDIS_PASSWORD: password }),
      ...(kind === 'standalone' ? { REDIS_URL: `redis://${at('master').join()}` } : {}),
      ...(kind === 'cluster' ? { REDIS_CLUSTER: at('master').join(',') } : {}),
      ...(kind === 'sentinel'
        ? { REDIS_SENTINELS: at('sentinel').join(','), REDIS_MASTER_NAME: MASTER_NAME }
        : {}),
    };
  }

  connect(node = 0): Redis {
    const { port, role } = this.#server(node);
    return connectTo(port, role === 'sentinel' ? undefined : this.#options.password);
  }

  async kill(node: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#server(node).launched.kill(signal);
  }

  async restart(node: number): Promise<void> {
    const { launched } = this.#server(node);
    await launched.kill('SIGTERM');
    await launched.start();
    await this.#ready(node);
    if (this.#options.kind === 'cluster') await this.#whole(node);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map(({ launched }) => launched.remove()));
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }

  #server(node: number): Server {
    const server = this.#servers[node];
    if (server === undefined) throw new Error(`there is no node ${node} of ${this.#servers.length}`);
    return server;
  }

  async #add(role: RedisNode['role'], extra: readonly string[] = []): Promise<number> {
    const port = await freePort();
    const node = this.#servers.length;
    const { dump } = this.#options;
    const launched = await this.#launch({
      folder: join(this.#folder ?? '', String(node)),
      dump: node === 0 ? (dump ?? null) : null,
      config: [
        `port ${port}`,
        `bind ${HOST}`,
        ...(role === 'sentinel' ? [] : this.#dataSettings()),
        ...extra,
      ],
      sentinel: role === 'sentinel',
    });
    this.#servers.push({ port, role, launched });
    await this.#ready(node);
    return node;
  }

  #dataSettings(): string[] {
    const { password, maxmemory, maxmemoryPolicy = 'noeviction', appendonly = false } = this.#options;
    return [
      'save ""',
      `maxmemory-policy ${maxmemoryPolicy}`,
      ...(appendonly ? ['appendonly yes', 'appendfsync always'] : ['appendonly no']),
      ...(maxmemory === undefined ? [] : [`maxmemory ${maxmemory}`]),
      ...(password === undefined
        ? []
        : [`requirepass ${quoted(password)}`, `masterauth ${quoted(password)}`]),
      // Replicas get a new master's data at once, not after the time that gathers many of them.
      'repl-diskless-sync-delay 0',
    ];
  }

  /** Answers, and has loaded what it had on disk. */
  async #ready(node: number): Promise<void> {
    await this.#ask(node, `Redis node ${node} to answer`, async (redis) => {
      await redis.ping(); // rejects while it loads
      return true;
    });
  }

  async #ask(node: number, what: string, probe: (redis: Redis) => Promise<boolean>): Promise<void> {
    const redis = this.connect(node);
    let last = '';
    try {
      await until(what, async () => {
        try {
          return await probe(redis);
        } catch (error) {
          last = String(error);
          return false;
        }
      });
    } catch (error) {
      const log = await this.#server(node).launched.log();
      throw new Error(`${String(error)}; ${last}\n${log}`, { cause: error });
    } finally {
      redis.disconnect();
    }
  }

  async #startCluster(): Promise<void> {
    // The bus's usual port, 10,000 above the node's, may be anybody's.
    const buses: number[] = [];
    for (let node = 0; node < MASTERS; node++) {
      const bus = await freePort();
      buses.push(bus);
      await this.#add('master', [
        'cluster-enabled yes',
        'cluster-config-file nodes.conf',
        `cluster-port ${bus}`,
        `cluster-announce-ip ${HOST}`,
        'cluster-node-timeout 2000',
      ]);
    }
    const first = this.connect(0);
    for (const [node, { port }] of this.#servers.entries()) {
      const redis = this.connect(node);
      const from = Math.floor((node * SLOTS) / MASTERS);
      const to = Math.floor(((node + 1) * SLOTS) / MASTERS) - 1;
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      redis.disconnect();
      if (node > 0) await first.call('CLUSTER', 'MEET', HOST, port, buses[node] ?? 0);
    }
    first.disconnect();
    for (let node = 0; node < MASTERS; node++) await this.#whole(node);
  }

  async #whole(node: number): Promise<void> {
    await this.#ask(node, `node ${node} to see the whole cluster`, async (asked) => {
      const info = String(await asked.call('CLUSTER', 'INFO'));
      return (
        info.includes('cluster_state:ok') &&
        info.includes(`cluster_slots_ok:${SLOTS}`) &&
        info.includes(`cluster_known_nodes:${MASTERS}`)
      );
    });
  }

  async #startSentinels(): Promise<void> {
    const { password, replicas = 1 } = this.#options;
    const { port } = this.#server(0);
    for (let index = 0; index < replicas; index++) {
      const node = await this.#add('replica', [`replicaof ${HOST} ${port}`]);
      await this.#ask(node, 'the replica to follow', async (redis) =>
        (await redis.info('replication')).includes('master_link_status:up'),
      );
    }
    for (let index = 0; index < SENTINELS; index++) {
      await this.#add('sentinel', [
        `sentinel monitor ${MASTER_NAME} ${HOST} ${port} ${Math.floor(SENTINELS / 2) + 1}`,
        `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
        `sentinel failover-timeout ${MASTER_NAME} 5000`,
        ...(password === undefined ? [] : [`sentinel auth-pass ${MASTER_NAME} ${quoted(password)}`]),
      ]);
    }
    for (const [node, { role }] of this.#servers.entries()) {
      if (role !== 'sentinel') continue;
      await this.#ask(node, 'the Sentinels to know each other', async (redis) => {
        const info = await redis.info('sentinel');
        return info.includes(`slaves=${replicas},sentinels=${SENTINELS}`) && info.includes('status=ok');
      });
    }
  }
}

/** The server that the environment names, shared with others: this run's keys have a prefix of their own. */
function sharedServer(url: string): RunningRedis {
  const prefix = `0fc-test-${randomBytes(6).toString('hex')}:`;
  const { hostname, port } = new URL(url);
  const notOurs = async (): Promise<void> => {
    throw new Error('The Redis at REDIS_URL is not this test’s own: unset REDIS_URL to end or restart one.');
  };
  const connect = (): Redis => {
    const redis = new Redis(url, { maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined);
    return redis;
  };
  return {
    environment: {
      REDIS_URL: url,
      REDIS_KEY_PREFIX: prefix,
      ...(process.env.REDIS_PASSWORD === undefined ? {} : { REDIS_PASSWORD: process.env.REDIS_PASSWORD }),
    },
    nodes: [{ host: hostname, port: Number(port === '' ? 6379 : port), pid: null, role: 'master' }],
    kill: notOurs,
    restart: notOurs,
    connect,
    stop: async () => {
      const redis = connect();
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
        const found = keys as string[];
        if (found.length > 0) await redis.unlink(found);
      }
      redis.disconnect();
    },
  };
}
