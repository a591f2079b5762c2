/**
 * The open vault (docs/protocol.md section 9, G14): records, each sealed under the vault key and a key of its own
 * (sealed-storage.ts); the passphrase and one more such key open the header, where the vault key lies.
 *
 * Two records of the store `vault` make a vault (header.ts). A profile that has either is a vault: it is never
 * taken for an empty one and never written over.
 *
 * At rest the names of stores (fixed words) and keys (room ids, counters) are visible to a
 * thief of the profile, as are sizes; values are not.
 */
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { StorageChange, StoragePort, StorageRecord } from '../contract/ports.js';
import { KeyTable } from './key-table.js';
import { OWN_STORE } from './own-store.js';
import type { SealedStorage } from './sealed-storage.js';
import { VaultKeys, type VaultPlatform } from './vault-keys.js';
import { WriteNotes } from './write-notes.js';

/** Comes after every key: they are ids, numbers and fixed words. */
export const KEYS_END = '\uffff';

export type { VaultPlatform };

export class Vault {
  readonly #storage: StoragePort;
  readonly #keys: VaultKeys;
  readonly #notes = new Set<WriteNotes>();

  private constructor(storage: StoragePort, keys: VaultKeys) {
    this.#storage = storage;
    this.#keys = keys;
  }

  /** Whether this device has a vault. Opens nothing. */
  static state(storage: StoragePort): Promise<'absent' | 'locked'> {
    return VaultKeys.state(storage);
  }

  /**
   * Makes and opens the vault of a device that has none. Rejects with PASSPHRASE_WEAK {weakness},
   * VAULT_EXISTS, VAULT_FULL or VAULT_UNAVAILABLE. The caller holds the platform's lock.
   * `records`, in clear, are what it holds from the first: all of it is written, or nothing.
   */
  static async create(
    platform: VaultPlatform,
    passphrase: string,
    records: readonly StorageChange[] = [],
  ): Promise<Vault> {
    assertForeign(records);
    return new Vault(platform.storage, await VaultKeys.create(platform, passphrase, records));
  }

  /**
   * Opens the vault of this device. Draws anew the keys that wait for records, goes on with a renewal, and brings an erasure to its
   * end that was cut short (VAULT_ABSENT then). Where an older client made it, then its records are brought to today's version (migrations/). Rejects with VAULT_ABSENT, WRONG_PASSPHRASE,
   * VAULT_DAMAGED, VAULT_KEYS_LOST or UNSUPPORTED_VERSION (a later client's vault); while migrating also with VAULT_FULL,
   * VAULT_UNAVAILABLE. The caller holds the platform's lock.
   */
  static async unlock(platform: VaultPlatform, passphrase: string): Promise<Vault> {
    return new Vault(platform.storage, await VaultKeys.unlock(platform, passphrase));
  }

  /**
   * Destroys the keys of whatever vault there is, and then what was sealed under them. Needs no passphrase. Rejects with
   * VAULT_UNAVAILABLE, and can be asked again then. The caller holds the platform's lock.
   */
  static async erase(storage: StoragePort): Promise<void> {
    // In this order: without its header nobody would look for the keys any more.
    await KeyTable.destroy(storage.keyFile);
    await storage.erase();
  }

  /**
   * Puts another vault key behind another passphrase, in one atomic write: whenever it is cut short, exactly one of the two opens
   * the vault. The records are sealed again under that key afterwards ({@link renewed}). What opened the vault before
   * opens nothing of this device any more, but what was exported or copied before. Rejects with PASSPHRASE_WEAK {weakness},
   * WRONG_PASSPHRASE (`current` is not it), VAULT_LOCKED, VAULT_DAMAGED, VAULT_FULL or VAULT_UNAVAILABLE.
   */
  changePassphrase(current: string, next: string): Promise<void> {
    return this.#keys.changePassphrase(current, next);
  }

  /** Resolves once every record is under the vault key of today, or sealing them again has stopped until the next unlock. */
  renewed(): Promise<void> {
    return this.#keys.renewed();
  }

  /** The record's value, null where there is none. Rejects with VAULT_DAMAGED {store}, VAULT_LOCKED. */
  async get(store: string, key: string): Promise<Bytes | null> {
    return this.#read(
      (storage) => storage.read(store, key),
      (value, sealed) => (value === null ? null : sealed.open(store, { key, value }).value),
    );
  }

  /** All records of a store, ascending by key. Rejects with VAULT_DAMAGED {store}, VAULT_LOCKED. */
  async list(store: string): Promise<readonly StorageRecord[]> {
    return this.#readAll(store, (storage) => storage.list(store));
  }

  /** The records of a store whose key begins with `prefix`, ascending by key. */
  async listFrom(store: string, prefix: string): Promise<readonly StorageRecord[]> {
    return this.#readAll(store, (storage) => storage.listFrom(store, prefix));
  }

  /** The records of a store from a key on and up to another one, which is left out; the first `most` of them. */
  async listBetween(
    store: string,
    from: string,
    to: string,
    most?: number,
  ): Promise<readonly StorageRecord[]> {
    return this.#readAll(store, (storage) => storage.listBetween(store, from, to, most));
  }

  /** Keys of a store that begin with `prefix`, ascending, whatever their records are like. */
  async keysFrom(store: string, prefix: string): Promise<readonly string[]> {
    this.#keys.held();
    return (await this.#storage.listFrom(store, prefix)).map(({ key }) => key);
  }

  /** As {@link listBetween}; a value is null where the record is not what was stored under its key. */
  async listReadable(
    store: string,
    from: string,
    to: string,
    most?: number,
  ): Promise<readonly { readonly key: string; readonly value: Bytes | null }[]> {
    return this.#read(
      (storage) => storage.listBetween(store, from, to, most),
      (records, sealed) =>
        records.map((record) => sealed.openOrNull(store, record) ?? { key: record.key, value: null }),
    );
  }

  /**
   * Seals and stores all changes or none; a null value deletes. Changes take effect in the
   * order of the calls. What was there before opens to nobody once it resolves, wherever the storage keeps copies of it.
   * Rejects with VAULT_FULL, VAULT_UNAVAILABLE or VAULT_LOCKED.
   */
  async write(changes: readonly StorageChange[]): Promise<void> {
    this.#keys.held();
    assertForeign(changes);
    if (changes.length === 0) return;
    await this.#keys.writing.enqueue(async () => {
      try {
        await this.#keys.last.write(changes);
      } finally {
        // A failed write may have been carried out in part.
        for (const notes of this.#notes) notes.note(changes);
      }
    });
  }

  /** How many records a store has. Rejects with VAULT_LOCKED, VAULT_UNAVAILABLE. */
  async count(store: string): Promise<number> {
    this.#keys.held();
    return this.#storage.count(store);
  }

  /** Runs `work` with a list of every record that is written meanwhile. */
  async noting<T>(work: (notes: WriteNotes) => Promise<T>): Promise<T> {
    const notes = new WriteNotes();
    this.#notes.add(notes);
    try {
      return await work(notes);
    } finally {
      this.#notes.delete(notes);
    }
  }

  /** Runs `work` between two writes, which is to be short: what is written meanwhile waits. */
  atRest<T>(work: () => Promise<T>): Promise<T> {
    return this.#keys.writing.enqueue(work);
  }

  /**
   * Out of reach from now on: waits for what is being written, and wipes the keys. The storage stays with its platform.
   * Idempotent.
   */
  close(): Promise<void> {
    return this.#keys.close();
  }

  async #read<T, R>(
    ask: (storage: StoragePort) => Promise<T>,
    open: (found: T, sealed: SealedStorage) => R,
  ): Promise<R> {
    // Opened under the keys of then, which another passphrase may have changed since.
    return this.#keys.held().read(ask, (found) => open(found, this.#keys.held()));
  }

  #readAll(
    store: string,
    ask: (storage: StoragePort) => Promise<readonly StorageRecord[]>,
  ): Promise<readonly StorageRecord[]> {
    return this.#read(ask, (records, sealed) => records.map((record) => sealed.open(store, record)));
  }
}

/** Throws FORBIDDEN: the vault's own records are written by the vault alone. */
function assertForeign(changes: readonly StorageChange[]): void {
  if (changes.some(({ store }) => store === OWN_STORE)) throw new ClientError(ERROR_CODES.FORBIDDEN);
}
