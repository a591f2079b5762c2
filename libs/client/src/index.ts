export type * from './api.js';
export { Client, createClient } from './client.js';
export type { ClientOptions } from './options.js';
export { ClientError, failureOf } from './errors.js';
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
} from './ports.js';
