export type * from './api.js';
export { Client, createClient, type ClientOptions } from './client.js';
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
