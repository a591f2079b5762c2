/**
 * The open vault (docs/protocol.md section 9, G14): sealed records under a random key, which
 * the passphrase seals in the header.
 *
 * Two records of the store `vault` make a vault (header.ts). A profile that has either is a vault: it is never
 * taken for an empty one and never written over.
 *
 * At rest the names of stores (fixed words) and keys (room ids, counters) are visible to a
 * thief of the profile, as are sizes; values are not.
 */
import { equalSecrets, newVaultKey, openRecord, sealRecord, type VaultKey } from '@0fc/crypto/keys';
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import { requireStrong } from './passphrase.js';
import type { Platform, StorageChange, StoragePort, StorageRecord } from '../contract/ports.js';
import { SerialQueue } from './serial-queue.js';
import type { RecordSource } from './migrations/migration.js';
import { migrated, RECORDS_VERSION } from './migrations/run.js';
import {
  assertProof, changedHeader, decodeHeader, HEADER, openHeader, OWN_STORE, ownRecords, PROOF,
} from './header.js'; // prettier-ignore
import { WriteNotes } from './write-notes.js';

/** Comes after every key: they are ids, numbers and fixed words. */
export const KEYS_END = '\uffff';

/** What the vault needs of its platform. */
export type VaultPlatform = Pick<Platform, 'crypto' | 'passphrases' | 'storage'>;

/** Storages in which a vault is being created: the second of two concurrent calls finds it here. */
const creating = new WeakSet<StoragePort>();

export class Vault {
  readonly #platform: VaultPlatform;
  /** null once closed: the key is wiped, and with it everything is out of reach. */
  #key: VaultKey | null;
  /** Serializes changes of the passphrase. */
  readonly #changing = new SerialQueue();
  /** Serializes writes: a waiter here runs while no write does. */
  readonly #writing = new SerialQueue();
  readonly #notes = new Set<WriteNotes>();

  private constructor(platform: VaultPlatform, key: VaultKey) {
    this.#platform = platform;
    this.#key = key;
  }

  /** Whether this device has a vault. Opens nothing. */
  static async state(storage: StoragePort): Promise<'absent' | 'locked'> {
    const [header, proof] = await Promise.all([
      storage.read(OWN_STORE, HEADER),
      storage.read(OWN_STORE, PROOF),
    ]);
    return header === null && proof === null ? 'absent' : 'locked';
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
    await requireStrong(passphrase);
    const { storage, crypto } = platform;
    if (creating.has(storage)) throw new ClientError(ERROR_CODES.VAULT_EXISTS);
    creating.add(storage);
    try {
      if ((await Vault.state(storage)) !== 'absent') throw new ClientError(ERROR_CODES.VAULT_EXISTS);
      const key = newVaultKey(crypto.random);
      const own = await ownRecords(platform, key, passphrase);
      await storage.write([...own, ...sealChanges(key, records)]);
      return new Vault(platform, key);
    } finally {
      creating.delete(storage);
    }
  }

  /**
   * Opens the vault of this device. Writes nothing, unless an older client made it: then its records are brought
   * to today's version (migrations/). Rejects with VAULT_ABSENT, WRONG_PASSPHRASE, VAULT_DAMAGED or
   * UNSUPPORTED_VERSION (a later client's vault); while migrating also with VAULT_FULL, VAULT_UNAVAILABLE. The
   * caller holds the platform's lock.
   */
  static async unlock(platform: VaultPlatform, passphrase: string): Promise<Vault> {
    const { storage, crypto } = platform;
    if ((await Vault.state(storage)) === 'absent') throw new ClientError(ERROR_CODES.VAULT_ABSENT);
    const [header, proof] = await Promise.all([
      storage.read(OWN_STORE, HEADER),
      storage.read(OWN_STORE, PROOF),
    ]);
    if (header === null || proof === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
    const found = await decodeHeader(crypto.hash, header);
    const key = await openHeader(platform.passphrases, found, passphrase);
    assertProof(key, found, proof);
    const vault = new Vault(platform, key);
    if (found.version < RECORDS_VERSION) await vault.#migrate(found.version, passphrase);
    return vault;
  }

  /** In one write with header and proof: whenever it is cut short, the vault is of one version or of the other. */
  async #migrate(from: number, passphrase: string): Promise<void> {
    const changes = await migrated(from, this.#readable(), this.#platform.crypto.hash);
    const own = await ownRecords(this.#platform, this.#held(), passphrase);
    await this.#platform.storage.write([...sealChanges(this.#held(), changes), ...own]);
  }

  /** What can be read of it: one damaged record must not keep a whole vault in its old form. */
  #readable(): RecordSource {
    return {
      list: async (store) =>
        (await this.listReadable(store, '', KEYS_END)).flatMap(({ key, value }) =>
          value === null ? [] : [{ key, value }],
        ),
    };
  }

  /**
   * Puts the vault key behind another passphrase, under a new salt, in one atomic write of the header: whenever
   * it is cut short, exactly one of the two opens the vault. Rejects with PASSPHRASE_WEAK {weakness},
   * WRONG_PASSPHRASE (`current` is not it), VAULT_LOCKED, VAULT_DAMAGED, VAULT_FULL or
   * VAULT_UNAVAILABLE. What was exported or copied before still opens with its old passphrase.
   */
  changePassphrase(current: string, next: string): Promise<void> {
    return this.#changing.enqueue(async () => {
      await requireStrong(next);
      this.#held();
      const sealed = await this.#platform.storage.read(OWN_STORE, HEADER);
      if (sealed === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
      const found = await decodeHeader(this.#platform.crypto.hash, sealed);
      const { key: known, header } = await changedHeader(this.#platform, found, { current, next });
      const isOwn = equalSecrets(known, this.#held());
      known.fill(0);
      // A header that opens and holds another key belongs to other records.
      if (!isOwn) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
      await this.#platform.storage.write([{ store: OWN_STORE, key: HEADER, value: header }]);
    });
  }

  /** The record's value, null where there is none. Rejects with VAULT_DAMAGED {store}, VAULT_LOCKED. */
  async get(store: string, key: string): Promise<Bytes | null> {
    this.#held();
    const sealed = await this.#platform.storage.read(store, key);
    return sealed === null ? null : this.#open(store, { key, value: sealed }).value;
  }

  /** All records of a store, ascending by key. Rejects with VAULT_DAMAGED {store}, VAULT_LOCKED. */
  async list(store: string): Promise<readonly StorageRecord[]> {
    this.#held();
    return (await this.#platform.storage.list(store)).map((record) => this.#open(store, record));
  }

  /** The records of a store whose key begins with `prefix`, ascending by key. */
  async listFrom(store: string, prefix: string): Promise<readonly StorageRecord[]> {
    this.#held();
    return (await this.#platform.storage.listFrom(store, prefix)).map((record) => this.#open(store, record));
  }

  /** The records of a store from a key on and up to another one, which is left out; the first `most` of them. */
  async listBetween(
    store: string,
    from: string,
    to: string,
    most?: number,
  ): Promise<readonly StorageRecord[]> {
    this.#held();
    return (await this.#platform.storage.listBetween(store, from, to, most)).map((record) =>
      this.#open(store, record),
    );
  }

  /** Keys of a store that begin with `prefix`, ascending, whatever their records are like. */
  async keysFrom(store: string, prefix: string): Promise<readonly string[]> {
    this.#held();
    return (await this.#platform.storage.listFrom(store, prefix)).map(({ key }) => key);
  }

  /** As {@link listBetween}; a value is null where the record is not what was stored under its key. */
  async listReadable(
    store: string,
    from: string,
    to: string,
    most?: number,
  ): Promise<readonly { readonly key: string; readonly value: Bytes | null }[]> {
    this.#held();
    return (await this.#platform.storage.listBetween(store, from, to, most)).map((record) => {
      try {
        return this.#open(store, record);
      } catch (error) {
        if (ClientError.from(error).code !== ERROR_CODES.VAULT_DAMAGED) throw error;
        return { key: record.key, value: null };
      }
    });
  }

  /**
   * Seals and stores all changes or none; a null value deletes. Changes take effect in the
   * order of the calls. Rejects with VAULT_FULL, VAULT_UNAVAILABLE or VAULT_LOCKED.
   */
  async write(changes: readonly StorageChange[]): Promise<void> {
    const sealed = sealChanges(this.#held(), changes);
    if (sealed.length === 0) return;
    await this.#writing.enqueue(async () => {
      try {
        await this.#platform.storage.write(sealed);
      } finally {
        // A failed write may have been carried out in part.
        for (const notes of this.#notes) notes.note(changes);
      }
    });
  }

  /** How many records a store has. Rejects with VAULT_LOCKED, VAULT_UNAVAILABLE. */
  count(store: string): Promise<number> {
    this.#held();
    return this.#platform.storage.count(store);
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
    return this.#writing.enqueue(work);
  }

  /** Wipes the vault key, and waits for what is being written; the storage stays with its platform. Idempotent. */
  async close(): Promise<void> {
    this.#key?.fill(0);
    this.#key = null;
    await this.#writing.enqueue(() => undefined);
  }

  #held(): VaultKey {
    if (this.#key === null) throw new ClientError(ERROR_CODES.VAULT_LOCKED);
    return this.#key;
  }

  #open(store: string, { key, value }: StorageRecord): StorageRecord {
    const vaultKey = this.#held();
    try {
      return { key, value: openRecord(vaultKey, store, key, value) };
    } catch (error) {
      // The store, never the key, of a record that does not open.
      throw new ClientError(ClientError.from(error).code, { store }, { cause: error });
    }
  }
}

function sealChanges(vaultKey: VaultKey, changes: readonly StorageChange[]): readonly StorageChange[] {
  return changes.map(({ store, key, value }) => {
    // The vault's own records are written by the vault alone.
    if (store === OWN_STORE) throw new ClientError(ERROR_CODES.FORBIDDEN);
    return { store, key, value: value === null ? null : sealRecord(vaultKey, store, key, value) };
  });
}
