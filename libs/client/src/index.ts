export type * from './contract/api.js';
export { Client, createClient } from './client.js';
export type { ClientOptions } from './contract/ports.js';
export { ratePassphrase } from './vault/passphrase.js';
export { ClientError, failureOf } from './contract/errors.js';
export type {
  Platform,
  SocketEvents,
  SocketHandle,
  SocketPort,
  StorageChange,
  StorageLock,
  StoragePort,
  StorageRecord,
  Timers,
} from './contract/ports.js';
