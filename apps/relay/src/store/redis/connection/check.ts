/** What must hold of every server before the relay uses it. */
import { Redis, type RedisOptions } from 'ioredis';
import { ConfigError, systemErrorCode, UNKNOWN_ERROR } from '../../../config/errors.js';
import type { RedisConfig } from '../../../config/redis.js';
import type { HostPort } from '../../../config/settings.js';

/** Sharded publications came with it. */
const LEAST_VERSION = 7;
const POLICY = 'noeviction';
/** Seconds: what `min-replicas-max-lag` is unless it is set. */
const MOST_LAG_S = 10;

/** Its type knows no option that is given as undefined. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

type Target = RedisConfig['target'];

const place = ({ host, port }: HostPort): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

const SETTING = {
  standalone: 'REDIS_URL',
  sentinel: 'REDIS_SENTINELS',
  cluster: 'REDIS_CLUSTER',
} as const satisfies Record<Target['kind'], string>;

/**
 * `clientTo` makes a client that tries once; null is the server itself, or the master that the
 * sentinels name. Throws {@link ConfigError} with one line. Returns the masters that have fewer replicas than are to be
 * waited for, which may come: `host:port` of each of a cluster, '' for the one master of another kind.
 */
export async function checkServers(
  config: RedisConfig,
  clientTo: (at: HostPort | null) => Redis,
  sentinel: ClientOptions,
): Promise<readonly string[]> {
  const { target, waitReplicas } = config;
  switch (target.kind) {
    case 'standalone': {
      const replicas = await withClient(clientTo(null), target, place(target.at), (client, where) =>
        checkServer(client, target, where),
      );
      return replicas < waitReplicas ? [''] : [];
    }
    case 'sentinel': {
      await checkMasterName(target, sentinel);
      const where = `the master ${target.master}`;
      const replicas = await withClient(clientTo(null), target, where, (client) =>
        checkServer(client, target, where),
      );
      return replicas < waitReplicas ? [''] : [];
    }
    case 'cluster': {
      const masters = await checkCluster(target, clientTo);
      return [...masters].flatMap(([master, replicas]) => (replicas < waitReplicas ? [master] : []));
    }
  }
}

async function withClient<T>(
  client: Redis,
  target: Target,
  where: string,
  use: (client: Redis, where: string) => Promise<T>,
): Promise<T> {
  // The one that matters is what connecting rejects with, or the last one before it.
  let last: unknown = null;
  client.on('error', (error: unknown) => {
    last = error;
  });
  try {
    await client.connect();
    return await use(client, where);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw lineFor(last ?? error, target, where);
  } finally {
    client.disconnect();
  }
}

/** Resolves with how many replicas follow it. */
async function checkServer(client: Redis, target: Target, where: string): Promise<number> {
  const facts = factsOf(await client.info());
  const setting = SETTING[target.kind];
  const version = facts.get('redis_version') ?? '';
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new ConfigError(
      `${setting}: the Redis at ${where} is version ${version}; it must be ${LEAST_VERSION} or later, for sharded publications.`,
    );
  }
  if (facts.get('loading') === '1') {
    throw new ConfigError(
      `${setting}: the Redis at ${where} is still loading its data; start the relay again once it has.`,
    );
  }
  const cluster = facts.get('redis_mode') === 'cluster';
  if (cluster && target.kind !== 'cluster') {
    throw new ConfigError(
      `${setting}: the Redis at ${where} is a node of a cluster; set REDIS_CLUSTER instead.`,
    );
  }
  if (!cluster && target.kind === 'cluster') {
    throw new ConfigError(
      `REDIS_CLUSTER: the Redis at ${where} is no node of a cluster; set REDIS_URL instead, or REDIS_SENTINELS.`,
    );
  }
  const policy = facts.get('maxmemory_policy');
  if (policy !== POLICY) {
    throw new ConfigError(
      `${setting}: the Redis at ${where} has maxmemory-policy ${policy ?? 'unknown'}, which would throw rooms away; set it to ${POLICY}.`,
    );
  }
  if (target.kind === 'standalone') await checkDatabase(client, target, where);
  return replicasIn(facts);
}

/** Replicas that have told within some seconds how far they are: as many as Redis itself counts for `min-replicas-to-write`. */
function replicasIn(facts: ReadonlyMap<string, string>): number {
  return [...facts].filter(([name, value]) => {
    if (!/^slave\d+$/.test(name)) return false;
    const parts = new Map(value.split(',').map((part) => part.split('=') as [string, string | undefined]));
    return parts.get('state') === 'online' && Number(parts.get('lag')) <= MOST_LAG_S;
  }).length;
}

/** The client library goes on in database 0 where there is no such one. */
async function checkDatabase(
  client: Redis,
  { database }: Extract<Target, { kind: 'standalone' }>,
  where: string,
): Promise<void> {
  try {
    await client.select(database);
  } catch (error) {
    if (!/^ERR .*\b(DB index|invalid DB)/i.test((error as Error).message)) throw error;
    throw new ConfigError(
      `REDIS_URL names database ${String(database)}, which the Redis at ${where} does not have; name one that it has, or raise \`databases\` in its configuration.`,
    );
  }
}

/**
 * At least one node must answer; what answers must be right, and so must every master that it knows. Resolves with how many
 * replicas each master has, by `host:port`.
 */
async function checkCluster(
  target: Extract<Target, { kind: 'cluster' }>,
  clientTo: (at: HostPort) => Redis,
): Promise<ReadonlyMap<string, number>> {
  let unreachable: ConfigError | null = null;
  for (const node of target.nodes) {
    let masters: readonly HostPort[];
    try {
      masters = await withClient(clientTo(node), target, place(node), async (client, where) => {
        await checkServer(client, target, where);
        return await mastersOf(client, node);
      });
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      unreachable ??= error;
      continue;
    }
    const replicas = new Map<string, number>();
    for (const master of masters) {
      const count = await withClient(clientTo(master), target, place(master), (client, where) =>
        checkServer(client, target, where),
      );
      replicas.set(`${master.host}:${String(master.port)}`, count);
    }
    return replicas;
  }
  throw unreachable ?? new ConfigError('REDIS_CLUSTER must name a node.');
}

/** Throws {@link ConfigError} unless every slot has its master. */
async function mastersOf(client: Redis, asked: HostPort): Promise<readonly HostPort[]> {
  const facts = factsOf(String(await client.call('CLUSTER', 'INFO')));
  if (facts.get('cluster_state') !== 'ok') {
    throw new ConfigError(
      `REDIS_CLUSTER: the cluster that ${place(asked)} belongs to is not whole (cluster_state is ${facts.get('cluster_state') ?? 'unknown'}); mend it with redis-cli --cluster fix.`,
    );
  }
  const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string | null, number]][];
  const masters = new Map<string, HostPort>();
  for (const [, , [host, port]] of ranges) {
    // A node that does not know its own name is the one that was asked.
    const at = { host: host === null || host === '' ? asked.host : host, port };
    masters.set(place(at), at);
  }
  return [...masters.values()];
}

async function checkMasterName(
  target: Extract<Target, { kind: 'sentinel' }>,
  options: ClientOptions,
): Promise<void> {
  let unreachable: ConfigError | null = null;
  for (const at of target.sentinels) {
    const client = new Redis({ ...options, host: at.host, port: at.port });
    try {
      const address = await withClient(client, target, `the sentinel ${place(at)}`, (asked) =>
        asked.call('SENTINEL', 'get-master-addr-by-name', target.master),
      );
      if (address !== null) return;
      throw new ConfigError(
        `REDIS_MASTER_NAME is ${target.master}, which the sentinel ${place(at)} does not watch; set it to the name in its \`sentinel monitor\`.`,
      );
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      unreachable ??= error;
    }
  }
  throw unreachable ?? new ConfigError('REDIS_SENTINELS must name a sentinel.');
}

/** Another node may answer. */
class Unreachable extends ConfigError {}

function lineFor(error: unknown, target: Target, where: string): ConfigError {
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
  const setting = SETTING[target.kind];
  const sentinel = where.startsWith('the sentinel ');
  if (/^(WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password)/.test(message)) {
    const names = sentinel ? 'REDIS_SENTINEL_PASSWORD' : 'REDIS_USERNAME and REDIS_PASSWORD (or _FILE)';
    return new ConfigError(
      `${setting}: ${where} does not take the password; set ${names} to what it wants, or unset it if it wants none.`,
    );
  }
  if (message.startsWith('NOPERM')) {
    return new ConfigError(
      `${setting}: the user of Redis may not do what the relay needs (${message}); grant it in its ACL.`,
    );
  }
  if (message.startsWith('LOADING')) {
    return new ConfigError(
      `${setting}: ${where} is still loading its data; start the relay again once it has.`,
    );
  }
  const code = systemErrorCode(error);
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return new ConfigError(
      `${setting}: the certificate of ${where} is not trusted (${code}); set REDIS_TLS_CA_FILE to the authority that signed it, and name the host as the certificate does.`,
    );
  }
  return new Unreachable(
    `${setting}: ${where} cannot be reached (${code === UNKNOWN_ERROR ? message : code}); start it, or set ${setting} to where it is${target.kind === 'sentinel' ? '' : '. With TLS, set REDIS_TLS=true'}.`,
  );
}

/** Lines of `name:value`. */
function factsOf(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
}
