/**
 * The relay's configuration: environment variables, read once, checked, frozen. An error
 * names the variable, its value (never a secret one) and what is allowed.
 */
import { LIMITS } from '@0fc/protocol';
import { readRedis, type RedisConfig } from './redis.js';
import type { Rate } from '../rooms/port/room-store.js';
import { ConfigError } from './errors.js';
import { settingsOf, type Environment } from './settings.js';

export type { Environment } from './settings.js';

export interface RelayConfig {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** base64url of the key pair's private half; null: the data folder's own */
  readonly privateKey: string | null;
  readonly privateKeyFile: string | null;
  /** statements of the key's succession; both null: the data folder's, where the key is the data folder's own */
  readonly succession: string | null;
  readonly successionFile: string | null;
  /** folder of the web client's build; null: not served */
  readonly webDir: string | null;
  /** names under which it answers, as config/host-names.ts writes them; none: see gateway/hosts.ts */
  readonly publicHosts: readonly string[];
  /** whole origins, beside those of its own hosts */
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
  /** bytes of one connection, and so many more for each value in them */
  readonly byteRate: Rate;
  /** settings entries in the life of a room, and how fast they may come */
  readonly settingsEntries: number;
  readonly settingsRate: Rate;
  readonly roomsPerAddress: Rate;
  /** entries that an address may bring back */
  readonly restoreRate: Rate;
  /** of one room's log, wraps included */
  readonly historyBytes: number;
  /** rooms that nobody uses for so long are erased; 0: never */
  readonly roomIdleDays: number;
  /** at most: limits/connections.ts says how many an address may have */
  readonly connectionsPerAddress: number;
  /** of all addresses together */
  readonly connections: number;
  /** that are no websocket, or not yet */
  readonly httpConnections: number;
  readonly queueBytes: number;
  readonly handshakeMs: number;
  readonly handshakeQueue: number;
  /** most milliseconds between two frames to an open connection */
  readonly heartbeatMs: number;
  readonly graceMs: number;
  /** null: no metrics are served; 0: any free port */
  readonly metricsPort: number | null;
  readonly metricsHost: string;
  /** null: the embedded store, and so one process */
  readonly redis: RedisConfig | null;
}

const MS_PER_DAY = 86_400_000;
const SECONDS_PER_HOUR = 3_600;

/** Throws {@link ConfigError}. `defaults.webDir` is where the web client's build lies in this repository. */
export function readConfig(environment: Environment, defaults: { readonly webDir: string }): RelayConfig {
  const read = settingsOf(environment);

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
  const succession = read('RELAY_SUCCESSION') ?? null;
  const successionFile = read('RELAY_SUCCESSION_FILE') ?? null;
  if (succession !== null && successionFile !== null) {
    throw new ConfigError('RELAY_SUCCESSION and RELAY_SUCCESSION_FILE are both set; set one of them.');
  }
  const redis = readRedis(read);
  if (redis !== null && privateKey === null && privateKeyFile === null) {
    throw new ConfigError(
      'RELAY_PRIVATE_KEY or RELAY_PRIVATE_KEY_FILE must be set with Redis: clients pin one key, so all replicas need the same; `keygen` prints one.',
    );
  }
  const roomsPerDay = read('ROOMS_PER_ADDRESS_PER_DAY') ?? 500;
  const settingsPerHour = read('SETTINGS_PER_HOUR') ?? 60;
  const connections = read('MAX_CONNECTIONS') ?? 10_000;

  return Object.freeze<RelayConfig>({
    port: read('PORT') ?? 5103,
    host: read('HOST') ?? '127.0.0.1',
    dataDir: read('DATA_DIR') ?? './data',
    privateKey,
    privateKeyFile,
    succession,
    successionFile,
    webDir: (read('SERVE_WEB') ?? true) ? (read('WEB_DIR') ?? defaults.webDir) : null,
    publicHosts: Object.freeze(read('PUBLIC_HOST') ?? []),
    allowedOrigins: Object.freeze(read('ALLOWED_ORIGINS') ?? []),
    trustProxy: read('TRUST_PROXY') ?? 0,
    logLevel: read('LOG_LEVEL') ?? 'info',
    creationToken: creation === 'token' ? token : null,
    maxMembers: read('MAX_MEMBERS') ?? 256,
    invitesOpen: read('MAX_INVITES_OPEN') ?? LIMITS.invitesOpen,
    appendRate: { perSecond: read('APPEND_PER_SECOND') ?? 20, burst: read('APPEND_BURST') ?? 200 },
    requestRate: { perSecond: read('REQUESTS_PER_SECOND') ?? 100, burst: read('REQUESTS_BURST') ?? 500 },
    byteRate: { perSecond: read('BYTES_PER_SECOND') ?? 1_048_576, burst: read('BYTES_BURST') ?? 4_194_304 },
    settingsEntries: read('SETTINGS_ENTRIES') ?? LIMITS.settingsEntries,
    settingsRate: { perSecond: settingsPerHour / SECONDS_PER_HOUR, burst: settingsPerHour },
    roomsPerAddress: { perSecond: (roomsPerDay * 1000) / MS_PER_DAY, burst: roomsPerDay },
    restoreRate: { perSecond: read('RESTORES_PER_SECOND') ?? 100, burst: read('RESTORES_BURST') ?? 2_000 },
    historyBytes: read('HISTORY_BYTES') ?? 67_108_864,
    roomIdleDays: read('ROOM_IDLE_DAYS') ?? 90,
    connectionsPerAddress: read('MAX_CONNECTIONS_PER_ADDRESS') ?? connections,
    connections,
    httpConnections: read('MAX_HTTP_CONNECTIONS') ?? 1_000,
    queueBytes: read('QUEUE_BYTES') ?? 1_048_576,
    handshakeMs: read('HANDSHAKE_MS') ?? 10_000,
    handshakeQueue: read('HANDSHAKE_QUEUE') ?? 1_000,
    heartbeatMs: read('HEARTBEAT_MS') ?? 2_000,
    graceMs: read('SHUTDOWN_GRACE_MS') ?? 5_000,
    metricsPort: read('METRICS_PORT') ?? null,
    metricsHost: read('METRICS_HOST') ?? '127.0.0.1',
    redis,
  });
}
