/**
 * The connections of one relay to Redis, whichever kind it is, and what is checked before the first
 * one is used: each thing that would lose messages later is one line for the operator now.
 */
import { readFile } from 'node:fs/promises';
import { Cluster, Redis, type ClusterOptions } from 'ioredis';
import { ConfigError, systemErrorCode } from '../../../config/errors.js';
import type { RedisConfig } from '../../../config/redis.js';
import type { HostPort } from '../../../config/settings.js';
import { checkServers, type ClientOptions } from './check.js';

type RedisClient = Redis | Cluster;

export interface RedisConnections {
  readonly kind: RedisConfig['target']['kind'];
  readonly commands: RedisClient;
  /**
   * A connection for subscriptions that is still to be connected: to the node named, or to the one
   * server (the master, behind sentinels) where null. It subscribes to nothing by itself, and does not queue.
   */
  subscriber(node: HostPort | null): Redis;
  /** whether commands can be sent now */
  readonly up: boolean;
  /** the masters that had too few replicas before the first command, as {@link checkServers} names them */
  readonly withoutReplicas: readonly string[];
  /** `host:port` of a cluster's masters, as far as is known; of another kind, one that is called '' */
  masters(): ReadonlySet<string>;
  /** Ends the connections that this made; commands under way reject. */
  close(): void;
}

/** What an operator should know of the connections, without an address's secrets. */
export interface ConnectionNews {
  lost(fields: { readonly client: string; readonly code: string }): void;
  found(fields: { readonly client: string }): void;
}

const CONNECT_MS = 5_000;
/** After this long a command that has no answer rejects: carried out or not, nobody knows. */
const COMMAND_MS = 10_000;
/** Nothing comes on a connection that waits for an answer: it is dead. */
const SILENCE_MS = 10_000;
const KEEP_ALIVE_MS = 10_000;
const MOST_RETRY_MS = 1_000;

const retryMs = (times: number): number => Math.min(times * 50, MOST_RETRY_MS);

/** Throws {@link ConfigError}, which names the setting and the remedy. */
export async function connectRedis(config: RedisConfig, news: ConnectionNews): Promise<RedisConnections> {
  const base = await baseOptions(config);
  const withoutReplicas = await checkServers(
    config,
    (at) => clientTo(config, { ...base, ...ONCE }, at),
    sentinelOptions(config, base),
  );
  const connections = new Connections(config, base, news, withoutReplicas);
  await connections.firstReady();
  return connections;
}

/** For a look at a server before it is used: one attempt, and the error as it is. */
const ONCE: ClientOptions = {
  lazyConnect: true,
  enableReadyCheck: false,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  maxRetriesPerRequest: 0,
};

class Connections implements RedisConnections {
  readonly kind: RedisConfig['target']['kind'];
  readonly commands: RedisClient;
  readonly withoutReplicas: readonly string[];
  readonly #config: RedisConfig;
  readonly #base: BaseOptions;
  readonly #news: ConnectionNews;
  readonly #made: RedisClient[] = [];

  constructor(
    config: RedisConfig,
    base: BaseOptions,
    news: ConnectionNews,
    withoutReplicas: readonly string[],
  ) {
    this.kind = config.target.kind;
    this.withoutReplicas = withoutReplicas;
    this.#config = config;
    this.#base = base;
    this.#news = news;
    this.commands = this.#client('commands', { commandTimeout: COMMAND_MS, socketTimeout: SILENCE_MS });
  }

  get up(): boolean {
    return this.commands.status === 'ready';
  }

  masters(): ReadonlySet<string> {
    const { commands } = this;
    if (!(commands instanceof Cluster)) return new Set(['']);
    return new Set(
      commands.nodes('master').map(({ options: { host, port } }) => `${String(host)}:${String(port)}`),
    );
  }

  /** Resolves when commands can be sent, or after a while all the same: readiness tells the rest. */
  async firstReady(): Promise<void> {
    if (this.up) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), CONNECT_MS);
    this.commands.once('ready', () => resolve(undefined));
    await promise;
    clearTimeout(timer);
  }

  subscriber(node: HostPort | null): Redis {
    return clientTo(
      this.#config,
      {
        ...this.#base,
        connectionName: `${NAME}-feed`,
        lazyConnect: true,
        autoResubscribe: false,
        autoResendUnfulfilledCommands: false,
        enableOfflineQueue: false,
        maxRetriesPerRequest: null,
        retryStrategy: retryMs,
      },
      node,
    );
  }

  close(): void {
    for (const client of this.#made) client.disconnect();
  }

  #client(name: string, more: BaseOptions, ofCluster: ClusterOptions = {}): RedisClient {
    const { target } = this.#config;
    const options = {
      ...this.#base,
      ...more,
      connectionName: `${NAME}-${name}`,
      maxRetriesPerRequest: null,
      // A master that became a replica refuses writes: the client asks anew who is the master.
      reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
    };
    const client =
      target.kind === 'cluster'
        ? new Cluster(
            target.nodes.map(({ host, port }) => ({ host, port })),
            {
              ...ofCluster,
              clusterRetryStrategy: retryMs,
              clusterNodeRetryStrategy: retryMs,
              slotsRefreshTimeout: CONNECT_MS,
              // Certificates name hosts, and names are looked up by whoever connects.
              dnsLookup: (address, callback) => callback(null, address),
              redisOptions: options,
            },
          )
        : clientTo(this.#config, { ...options, retryStrategy: retryMs }, null);
    this.#watch(client, name);
    this.#made.push(client);
    return client;
  }

  /** One line when it goes and one when it is back, however often it tries. */
  #watch(client: RedisClient, name: string): void {
    let lost = false;
    client.on('error', (error: unknown) => {
      if (lost) return;
      lost = true;
      this.#news.lost({ client: name, code: systemErrorCode(error) });
    });
    client.on('ready', () => {
      if (lost) this.#news.found({ client: name });
      lost = false;
    });
  }
}

const NAME = '0fc-relay';

/** What holds of every connection, to a node of a cluster too. */
type BaseOptions = Pick<
  ClientOptions,
  | 'connectTimeout'
  | 'keepAlive'
  | 'username'
  | 'password'
  | 'sentinelPassword'
  | 'tls'
  | 'sentinelTLS'
  | 'enableTLSForSentinelMode'
  | 'commandTimeout'
  | 'socketTimeout'
>;

function clientTo({ target }: RedisConfig, options: ClientOptions, node: HostPort | null): Redis {
  if (node !== null) return new Redis({ ...options, host: node.host, port: node.port });
  switch (target.kind) {
    case 'standalone':
      return new Redis({ ...options, host: target.at.host, port: target.at.port, db: target.database });
    case 'sentinel':
      return new Redis({
        ...options,
        sentinels: target.sentinels.map(({ host, port }) => ({ host, port })),
        name: target.master,
        // A master that was only cut off from the sentinels closes no connection.
        failoverDetector: true,
      });
    case 'cluster':
      throw new Error('a node of the cluster must be named');
  }
}

/** Throws {@link ConfigError}. */
async function baseOptions(config: RedisConfig): Promise<BaseOptions> {
  const { username, passwordFile, sentinelPassword, tls, caFile } = config;
  const password = passwordFile === null ? config.password : await passwordOf(passwordFile);
  const ca = caFile === null ? null : await textOf('REDIS_TLS_CA_FILE', caFile);
  const secure = tls ? { ...(ca === null ? {} : { ca }) } : null;
  return {
    connectTimeout: CONNECT_MS,
    keepAlive: KEEP_ALIVE_MS,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...(secure === null ? {} : { tls: secure, sentinelTLS: secure, enableTLSForSentinelMode: true }),
  };
}

/** How a sentinel itself is reached: not by the password of what it watches. */
function sentinelOptions({ sentinelPassword }: RedisConfig, base: ClientOptions): ClientOptions {
  const { username: _u, password: _p, ...rest } = base;
  return { ...rest, ...ONCE, ...(sentinelPassword === null ? {} : { password: sentinelPassword }) };
}

async function passwordOf(path: string): Promise<string> {
  const text = (await textOf('REDIS_PASSWORD_FILE', path)).replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new ConfigError(
    `REDIS_PASSWORD_FILE is ${path}, which is empty; it must hold the password of Redis.`,
  );
}

async function textOf(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${name} is ${path}, which cannot be read (${systemErrorCode(error)}).`);
  }
}
