/** What libs/client needs of its platform: no timer, socket or store of its own. */
import type { Bytes } from '@0fc/protocol';
import type { Passphrases, Ports as CryptoPorts } from '@0fc/crypto/keys';
import type { Sharing } from './api.js';

export interface Timers {
  /** Calls `run` once after `ms` milliseconds, never synchronously. The result cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface SocketHandle {
  send(data: Bytes): void;
  close(): void;
}

export interface SocketEvents {
  open(): void;
  frame(data: unknown): void;
  /** Exactly once, also when connecting fails. */
  closed(reason: string): void;
}

export interface SocketPort {
  connect(url: string, events: SocketEvents): SocketHandle;
}

export interface StorageChange {
  readonly store: string;
  readonly key: string;
  /** null deletes */
  readonly value: Bytes | null;
}

export interface StorageRecord {
  readonly key: string;
  readonly value: Bytes;
}

/** Where a record lies. */
export type RecordPlace = Pick<StorageChange, 'store' | 'key'>;

/** A small file whose bytes are overwritten where they lie, so that nothing of what stood there is left in it. */
export interface KeyFile {
  /**
   * All of its bytes; none where it is not there, and is made. The caller holds the platform's lock. Rejects with
   * VAULT_UNAVAILABLE, VAULT_FULL.
   *
   * @param purpose `make`: for a new vault, in the best place that there is; `use`: where this vault's lies
   */
  open(purpose: 'make' | 'use'): Promise<Bytes>;
  /** Rejects with VAULT_FULL or VAULT_UNAVAILABLE; it may be written in part then. */
  write(at: number, bytes: Bytes): Promise<void>;
  /** What was written is on the disk. Rejects as write. */
  flush(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** The store that a key file lies in where it has no place of its own: not sealed, and no vault's. */
export const KEY_PAGES = 'key-pages';

/** Raw storage of sealed bytes. Keys ascend in plain string order. */
export interface StoragePort {
  readonly keyFile: KeyFile;
  /**
   * Whether the key file is overwritten in place. false: this browser offers no such file here and now, or this vault's keys
   * lie in its database, and what is destroyed may be left there for a time.
   */
  overwrites(): Promise<boolean>;
  read(store: string, key: string): Promise<Bytes | null>;
  /** The record in each place, in their order; null where there is none. */
  readEach(places: readonly RecordPlace[]): Promise<readonly (Bytes | null)[]>;
  list(store: string): Promise<readonly StorageRecord[]>;
  listFrom(store: string, prefix: string): Promise<readonly StorageRecord[]>;
  /** The records from key `from` up to `to`, exclusive; at most the first `most`. */
  listBetween(store: string, from: string, to: string, most?: number): Promise<readonly StorageRecord[]>;
  /** The first `most` records of all stores behind a place (null: from the first one on), in an order that stays. */
  listAfter(place: RecordPlace | null, most: number): Promise<readonly (RecordPlace & StorageRecord)[]>;
  /** How many records a store has. */
  count(store: string): Promise<number>;
  /** All or nothing. Rejects with VAULT_FULL or VAULT_UNAVAILABLE. */
  write(changes: readonly StorageChange[]): Promise<void>;
  erase(): Promise<void>;
  close(): Promise<void>;
}

/** One live client per vault (section 9). */
export interface StorageLock {
  /** false: another tab or process holds it. */
  acquire(): Promise<boolean>;
  release(): Promise<void>;
}

export interface Platform {
  readonly crypto: CryptoPorts;
  readonly passphrases: Passphrases;
  readonly timers: Timers;
  readonly socket: SocketPort;
  readonly storage: StoragePort;
  readonly lock: StorageLock;
}

/** Where a client's relay is, and what is known of its key. */
export interface ClientOptions {
  /** origin of the relay, e.g. https://chat.example */
  readonly relayUrl: string;
  /** compiled in, or null (section 3) */
  readonly relayPublicKey: Bytes | null;
  /** Fetches the key that the deployment serves, at first use. Rejects with RELAY_UNREACHABLE. */
  fetchRelayKey(): Promise<Bytes>;
  /** Fetches the statements of the relay's succession that the deployment serves. Rejects with RELAY_UNREACHABLE, MALFORMED. */
  fetchSuccession(): Promise<readonly string[]>;
  /** Fetches the time of the relay from its HTTP replies, Unix ms. Rejects with RELAY_UNREACHABLE. */
  fetchRelayTime(): Promise<number>;
}

export interface AccountOptions extends ClientOptions {
  /** what was chosen before the vault was open, which stores it */
  readonly chosen: () => Partial<Sharing>;
}
