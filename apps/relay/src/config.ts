/**
 * The relay's configuration: environment variables, read once, checked, frozen. An error
 * names the variable, its value (never a secret one) and what is allowed.
 */
import * as v from 'valibot';
import { LIMITS } from '@0fc/protocol';
import type { Rate } from './rooms/room-store.js';

export interface RelayConfig {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** base64url of the key pair's private half; null: the data folder's own */
  readonly privateKey: string | null;
  readonly privateKeyFile: string | null;
  /** folder of the web client's build; null: not served */
  readonly webDir: string | null;
  readonly allowedOrigins: readonly string[];
  /** trusted proxies in front of the relay */
  readonly trustProxy: number;
  readonly logLevel: string;
  /** null: anybody may create a room */
  readonly creationToken: string | null;
  readonly maxMembers: number;
  readonly invitesOpen: number;
  readonly appendRate: Rate;
  readonly requestRate: Rate;
  readonly roomsPerAddress: Rate;
  /** entries that an address may bring back */
  readonly restoreRate: Rate;
  /** of one room's log, wraps included */
  readonly historyBytes: number;
  /** rooms that nobody uses for so long are erased; 0: never */
  readonly roomIdleDays: number;
  readonly connectionsPerAddress: number;
  readonly queueBytes: number;
  readonly handshakeMs: number;
  readonly handshakeQueue: number;
  readonly graceMs: number;
}

/** A setting that cannot be used; `message` is the whole line for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const MS_PER_DAY = 86_400_000;

const text = v.pipe(v.string(), v.minLength(1));
const whole = (least: number, most: number) =>
  v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number), v.minValue(least), v.maxValue(most));
const flag = v.pipe(
  v.picklist(['true', 'false', '1', '0']),
  v.transform((value) => value === 'true' || value === '1'),
);
const origins = v.pipe(
  v.string(),
  v.transform((value) => value.split(',').map((part) => part.trim())),
  v.array(
    v.pipe(
      v.string(),
      v.check((value) => URL.canParse(value) && new URL(value).origin === value),
    ),
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
  SERVE_WEB: setting(flag, 'true or false'),
  WEB_DIR: setting(text, 'the folder of the web build'),
  ALLOWED_ORIGINS: setting(origins, 'origins such as https://chat.example.org, separated by commas'),
  TRUST_PROXY: count(0, 10),
  LOG_LEVEL: setting(v.picklist(LOG_LEVELS), LOG_LEVELS.join(', ')),
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
  ROOMS_PER_ADDRESS_PER_DAY: count(1, 1_000_000),
  RESTORES_PER_SECOND: count(1, 100_000),
  RESTORES_BURST: count(LIMITS.restoreEntries, 1_000_000),
  HISTORY_BYTES: count(LIMITS.frameBytes, 1_099_511_627_776),
  ROOM_IDLE_DAYS: count(0, 36_500),
  MAX_CONNECTIONS_PER_ADDRESS: count(1, 1_000_000),
  QUEUE_BYTES: count(LIMITS.frameBytes, 1_073_741_824),
  HANDSHAKE_MS: count(50, 60_000),
  HANDSHAKE_QUEUE: count(1, 100_000),
  SHUTDOWN_GRACE_MS: count(0, 60_000),
} as const satisfies Record<string, Setting<unknown>>;

type Name = keyof typeof SETTINGS;
type Value<K extends Name> = (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws {@link ConfigError}. `defaults.webDir` is where the web client's build lies in this repository. */
export function readConfig(environment: Environment, defaults: { readonly webDir: string }): RelayConfig {
  const read = <K extends Name>(name: K): Value<K> | undefined => readSetting(name, environment[name]);

  const token = read('ROOM_CREATION_TOKEN') ?? null;
  const creation = read('ROOM_CREATION') ?? 'open';
  if (creation === 'token' && token === null) {
    throw new ConfigError('ROOM_CREATION is token, so ROOM_CREATION_TOKEN must be set to the token.');
  }
  const privateKey = read('RELAY_PRIVATE_KEY') ?? null;
  const privateKeyFile = read('RELAY_PRIVATE_KEY_FILE') ?? null;
  if (privateKey !== null && privateKeyFile !== null) {
    throw new ConfigError('RELAY_PRIVATE_KEY and RELAY_PRIVATE_KEY_FILE are both set; set one of them.');
  }
  const roomsPerDay = read('ROOMS_PER_ADDRESS_PER_DAY') ?? 500;

  return Object.freeze<RelayConfig>({
    port: read('PORT') ?? 5103,
    host: read('HOST') ?? '127.0.0.1',
    dataDir: read('DATA_DIR') ?? './data',
    privateKey,
    privateKeyFile,
    webDir: (read('SERVE_WEB') ?? true) ? (read('WEB_DIR') ?? defaults.webDir) : null,
    allowedOrigins: Object.freeze(read('ALLOWED_ORIGINS') ?? []),
    trustProxy: read('TRUST_PROXY') ?? 0,
    logLevel: read('LOG_LEVEL') ?? 'info',
    creationToken: creation === 'token' ? token : null,
    maxMembers: read('MAX_MEMBERS') ?? 256,
    invitesOpen: read('MAX_INVITES_OPEN') ?? LIMITS.invitesOpen,
    appendRate: { perSecond: read('APPEND_PER_SECOND') ?? 20, burst: read('APPEND_BURST') ?? 200 },
    requestRate: { perSecond: read('REQUESTS_PER_SECOND') ?? 100, burst: read('REQUESTS_BURST') ?? 500 },
    roomsPerAddress: { perSecond: (roomsPerDay * 1000) / MS_PER_DAY, burst: roomsPerDay },
    restoreRate: { perSecond: read('RESTORES_PER_SECOND') ?? 100, burst: read('RESTORES_BURST') ?? 2_000 },
    historyBytes: read('HISTORY_BYTES') ?? 67_108_864,
    roomIdleDays: read('ROOM_IDLE_DAYS') ?? 90,
    connectionsPerAddress: read('MAX_CONNECTIONS_PER_ADDRESS') ?? 256,
    queueBytes: read('QUEUE_BYTES') ?? 1_048_576,
    handshakeMs: read('HANDSHAKE_MS') ?? 10_000,
    handshakeQueue: read('HANDSHAKE_QUEUE') ?? 1_000,
    graceMs: read('SHUTDOWN_GRACE_MS') ?? 5_000,
  });
}

function readSetting<K extends Name>(name: K, raw: string | undefined): Value<K> | undefined {
  // An empty variable is how shells and compose files say "not set".
  if (raw === undefined || raw === '') return undefined;
  const one: Setting<unknown> = SETTINGS[name];
  const result = v.safeParse(one.schema, raw);
  if (result.success) return result.output as Value<K>;
  const shown = one.secret === true ? 'not usable' : JSON.stringify(raw);
  throw new ConfigError(`${name} is ${shown}; it must be ${one.allowed}.`);
}
