/** Which Redis the relay uses, if any, and how it speaks to it. */
import { ConfigError } from './errors.js';
import type { HostPort, ReadSetting, SettingName } from './settings.js';

type RedisTarget =
  | { readonly kind: 'standalone'; readonly at: HostPort; readonly database: number }
  | { readonly kind: 'sentinel'; readonly sentinels: readonly HostPort[]; readonly master: string }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostPort[] };

export interface RedisConfig {
  readonly target: RedisTarget;
  readonly username: string | null;
  readonly password: string | null;
  readonly passwordFile: string | null;
  readonly sentinelPassword: string | null;
  readonly tls: boolean;
  /** null: the system's certificates */
  readonly caFile: string | null;
  /** of every key and channel */
  readonly prefix: string;
  /** a write is acknowledged once so many replicas have it */
  readonly waitReplicas: number;
}

const KINDS = ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_CLUSTER'] as const satisfies readonly SettingName[];
/** What means nothing unless one of the kinds is set. */
const DETAILS = [
  'REDIS_MASTER_NAME',
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_PASSWORD_FILE',
  'REDIS_SENTINEL_PASSWORD',
  'REDIS_TLS',
  'REDIS_TLS_CA_FILE',
  'REDIS_KEY_PREFIX',
  'REDIS_WAIT_REPLICAS',
] as const satisfies readonly SettingName[];

/** Null: none of it is set, and the embedded store is used. Throws {@link ConfigError}. */
export function readRedis(read: ReadSetting): RedisConfig | null {
  const set = KINDS.filter((name) => read(name) !== undefined);
  if (set.length > 1) {
    throw new ConfigError(`${set.join(' and ')} are set; set the one that names the Redis to use.`);
  }
  if (set.length === 0) {
    const idle = DETAILS.find((name) => read(name) !== undefined);
    if (idle === undefined) return null;
    throw new ConfigError(`${idle} is set, but none of ${KINDS.join(', ')}; set one, or unset ${idle}.`);
  }
  const url = read('REDIS_URL');
  const file = read('REDIS_PASSWORD_FILE') ?? null;
  const named = read('REDIS_PASSWORD') ?? null;
  const inUrl = partOf(url, 'password');
  if ([file, named, inUrl].filter((one) => one !== null).length > 1) {
    throw new ConfigError(
      'The password of Redis is given twice; set one of REDIS_PASSWORD, REDIS_PASSWORD_FILE, or the one in REDIS_URL.',
    );
  }
  const secure = url?.protocol === 'rediss:';
  if (secure && read('REDIS_TLS') === false) {
    throw new ConfigError('REDIS_TLS is false, but REDIS_URL begins with rediss://; unset one of them.');
  }
  const userInUrl = partOf(url, 'username');
  return Object.freeze<RedisConfig>({
    target: targetOf(read, url),
    username: read('REDIS_USERNAME') ?? userInUrl,
    password: named ?? inUrl,
    passwordFile: file,
    sentinelPassword: read('REDIS_SENTINEL_PASSWORD') ?? null,
    tls: secure || (read('REDIS_TLS') ?? false),
    caFile: read('REDIS_TLS_CA_FILE') ?? null,
    prefix: read('REDIS_KEY_PREFIX') ?? '0fc:',
    waitReplicas: read('REDIS_WAIT_REPLICAS') ?? 0,
  });
}

/** Null where the address has none. Throws {@link ConfigError}, without the part itself. */
function partOf(url: URL | undefined, part: 'username' | 'password'): string | null {
  const text = url?.[part] ?? '';
  try {
    return text === '' ? null : decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new ConfigError(
      `The ${part} in REDIS_URL has a % that begins no escape; write %25 for it, or set REDIS_${part.toUpperCase()} instead.`,
    );
  }
}

function targetOf(read: ReadSetting, url: URL | undefined): RedisTarget {
  const master = read('REDIS_MASTER_NAME');
  const sentinels = read('REDIS_SENTINELS');
  if (sentinels !== undefined) {
    if (master !== undefined) return { kind: 'sentinel', sentinels, master };
    throw new ConfigError('REDIS_SENTINELS is set, so REDIS_MASTER_NAME must name the master they watch.');
  }
  if (master !== undefined) {
    throw new ConfigError(
      'REDIS_MASTER_NAME is set, but only sentinels know it; set REDIS_SENTINELS, or unset it.',
    );
  }
  const nodes = read('REDIS_CLUSTER');
  if (nodes !== undefined) return { kind: 'cluster', nodes };
  if (url === undefined) throw new ConfigError('REDIS_URL must name the Redis to use.');
  return {
    kind: 'standalone',
    at: { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 6379 : Number(url.port) },
    database: Number(url.pathname.slice(1)),
  };
}
