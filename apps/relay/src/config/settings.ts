/** The variables that the relay reads: what each may be, and how one is read. */
import * as v from 'valibot';
import { LIMITS } from '@0fc/protocol';
import { ConfigError } from './errors.js';
import { hostNameOf } from './host-names.js';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const text = v.pipe(v.string(), v.minLength(1));
const whole = (least: number, most: number) =>
  v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number), v.minValue(least), v.maxValue(most));
const flag = v.pipe(
  v.picklist(['true', 'false', '1', '0']),
  v.transform((value) => value === 'true' || value === '1'),
);
const parts = v.pipe(
  v.string(),
  v.transform((value) => value.split(',').map((part) => part.trim())),
);
const origins = v.pipe(
  parts,
  v.array(
    v.pipe(
      v.string(),
      v.check((value) => URL.canParse(value) && new URL(value).origin === value),
    ),
  ),
);
/** Without a port: a name leads to all of them. */
const hostNames = v.pipe(
  parts,
  v.array(
    v.pipe(
      v.string(),
      v.check((value) => !/:\d+$/.test(value.replace(/\[.*\]/, ''))),
      v.transform((value) => hostNameOf(value) ?? ''),
      v.minLength(1),
    ),
  ),
);
/** host:port, [IPv6]:port */
const hosts = v.pipe(
  parts,
  v.array(
    v.pipe(
      v.string(),
      v.regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/@[\]]+):\d{1,5}$/),
      v.transform((value): HostPort => {
        const at = value.lastIndexOf(':');
        return { host: value.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(value.slice(at + 1)) };
      }),
      v.check(({ port }) => port >= 1 && port <= 65_535),
    ),
  ),
);
const redisUrl = v.pipe(
  text,
  v.check((value) => URL.canParse(value)),
  v.transform((value) => new URL(value)),
  v.check(
    ({ protocol, hostname, pathname, search }) =>
      (protocol === 'redis:' || protocol === 'rediss:') &&
      hostname !== '' &&
      /^(\/\d{0,2})?$/.test(pathname) &&
      search === '',
  ),
);

interface Setting<T> {
  readonly schema: v.GenericSchema<string, T>;
  readonly allowed: string;
  readonly secret?: true;
}
const setting = <T>(schema: v.GenericSchema<string, T>, allowed: string): Setting<T> => ({ schema, allowed });
const count = (least: number, most: number): Setting<number> =>
  setting(whole(least, most), `a whole number from ${least} to ${most}`);

/** Every variable that the relay reads. docs/operations.md explains them. */
export const SETTINGS = {
  PORT: count(0, 65_535),
  HOST: setting(text, 'an address to listen on, such as 127.0.0.1, or 0.0.0.0 for all'),
  DATA_DIR: setting(text, 'a folder that the relay may write to'),
  RELAY_PRIVATE_KEY: { ...setting(text, 'a private key as `keygen` prints it'), secret: true },
  RELAY_PRIVATE_KEY_FILE: setting(text, 'a file that holds a private key as `keygen` prints it'),
  RELAY_SUCCESSION: setting(text, 'statements as `succeed` prints them'),
  RELAY_SUCCESSION_FILE: setting(text, 'a file that holds statements as `succeed` prints them'),
  SERVE_WEB: setting(flag, 'true or false'),
  WEB_DIR: setting(text, 'the folder of the web build'),
  PUBLIC_HOST: setting(hostNames, 'hosts such as chat.example.org, without a port, separated by commas'),
  ALLOWED_ORIGINS: setting(origins, 'origins such as https://chat.example.org, separated by commas'),
  TRUST_PROXY: count(0, 10),
  LOG_LEVEL: setting(v.picklist(LOG_LEVELS), LOG_LEVELS.join(', ')),
  METRICS_PORT: count(0, 65_535),
  METRICS_HOST: setting(text, 'an address to listen on, such as 127.0.0.1, or 0.0.0.0 for all'),
  ROOM_CREATION: setting(v.picklist(['open', 'token']), 'open or token'),
  ROOM_CREATION_TOKEN: {
    ...setting(v.pipe(text, v.minLength(16), v.maxLength(128)), '16 to 128 characters'),
    secret: true,
  },
  MAX_MEMBERS: count(2, LIMITS.maxMembers),
  MAX_INVITES_OPEN: count(1, LIMITS.invitesOpen),
  APPEND_PER_SECOND: count(1, 100_000),
  APPEND_BURST: count(LIMITS.appendMessages, 1_000_000),
  REQUESTS_PER_SECOND: count(1, 100_000),
  REQUESTS_BURST: count(1, 1_000_000),
  // So that the largest frame is made up for before a client's silence is taken for its end.
  BYTES_PER_SECOND: count(131_072, 1_073_741_824),
  BYTES_BURST: count(LIMITS.frameBytes, 1_073_741_824),
  SETTINGS_ENTRIES: count(1, LIMITS.settingsEntries),
  SETTINGS_PER_HOUR: count(1, 100_000),
  ROOMS_PER_ADDRESS_PER_DAY: count(1, 1_000_000),
  RESTORES_PER_SECOND: count(1, 100_000),
  RESTORES_BURST: count(LIMITS.restoreEntries, 1_000_000),
  HISTORY_BYTES: count(LIMITS.frameBytes, 1_099_511_627_776),
  ROOM_IDLE_DAYS: count(0, 36_500),
  MAX_CONNECTIONS_PER_ADDRESS: count(1, 1_000_000),
  MAX_CONNECTIONS: count(1, 1_000_000),
  MAX_HTTP_CONNECTIONS: count(1, 1_000_000),
  QUEUE_BYTES: count(LIMITS.frameBytes, 1_073_741_824),
  HANDSHAKE_MS: count(50, 60_000),
  HANDSHAKE_QUEUE: count(1, 100_000),
  HEARTBEAT_MS: count(LIMITS.leastHeartbeatMs, LIMITS.mostHeartbeatMs),
  SHUTDOWN_GRACE_MS: count(0, 60_000),
  REDIS_URL: {
    ...setting(
      redisUrl,
      'redis://host:6379 or rediss://host:6379, with user:password@ and /database or without',
    ),
    secret: true,
  },
  REDIS_SENTINELS: setting(hosts, 'host:port of each sentinel, separated by commas'),
  REDIS_MASTER_NAME: setting(text, 'the name under which the sentinels watch the master'),
  REDIS_CLUSTER: setting(hosts, 'host:port of some nodes of the cluster, separated by commas'),
  REDIS_USERNAME: setting(text, 'a user of Redis'),
  REDIS_PASSWORD: { ...setting(text, 'the password of Redis'), secret: true },
  REDIS_PASSWORD_FILE: setting(text, 'a file that holds the password of Redis'),
  REDIS_SENTINEL_PASSWORD: { ...setting(text, 'the password of the sentinels'), secret: true },
  REDIS_TLS: setting(flag, 'true or false'),
  REDIS_TLS_CA_FILE: setting(text, 'a file with the certificates to trust, in PEM'),
  // Braces would move the hash tag: the keys of a room share a slot by its id alone.
  REDIS_KEY_PREFIX: setting(
    v.pipe(v.string(), v.regex(/^[\w:.-]{1,32}$/)),
    '1 to 32 letters, digits or one of : . _ -',
  ),
  REDIS_WAIT_REPLICAS: count(0, 16),
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;
type SettingValue<K extends SettingName> = (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
export type Environment = Readonly<Record<string, string | undefined>>;
/** Undefined: not set. Throws {@link ConfigError}. */
export type ReadSetting = <K extends SettingName>(name: K) => SettingValue<K> | undefined;

export function settingsOf(environment: Environment): ReadSetting {
  return (name) => readSetting(name, environment[name]);
}

function readSetting<K extends SettingName>(name: K, raw: string | undefined): SettingValue<K> | undefined {
  // An empty variable is how shells and compose files say "not set".
  if (raw === undefined || raw === '') return undefined;
  const one: Setting<unknown> = SETTINGS[name];
  const result = v.safeParse(one.schema, raw);
  if (result.success) return result.output as SettingValue<K>;
  const shown = one.secret === true ? 'not usable' : JSON.stringify(raw);
  throw new ConfigError(`${name} is ${shown}; it must be ${one.allowed}.`);
}
