/**
 * A vault's records as they lie in its storage (docs/protocol.md section 9): `1 ‖ number ‖ cell`, where the number of four
 * bytes, little end first, names the entry of the key table that is in the cell's key beside the vault key. Whatever is
 * written or deleted, the entry of what was there before is destroyed (key-table.ts).
 *
 * Up to version 5 a record was the cell alone, under the vault key alone.
 */
import { openRecord, recordKey, sealRecord, type ErasableKey, type VaultKey } from '@0fc/crypto/keys';
import { concat, ERROR_CODES, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { StorageChange, StoragePort, StorageRecord } from '../contract/ports.js';
import type { KeyTable } from './key-table.js';
import { LEDGER, OWN_STORE } from './own-store.js';

/** First byte of a record with a number. A cell begins with another one. */
const NUMBERED = 1;
const PREFIX_BYTES = 5;

/** The entry of the table that belongs to the header. */
export interface DeviceKey {
  readonly number: number;
  readonly key: ErasableKey;
}

/** What goes into one write beside records. */
export interface OwnWrite {
  /** Records of the vault itself, stored as they are; the key is new, and the vault's from then on. */
  readonly records: (device: DeviceKey) => Promise<readonly StorageChange[]>;
  /** the entry that was the header's before */
  readonly before: number | null;
}

/** Of all keys of one storage. */
interface State {
  /** reads that have not opened what they found */
  readonly reading: Set<Promise<unknown>>;
  /** a write has failed: which entries are in use only the storage knows */
  unsettled: boolean;
}

export class SealedStorage {
  readonly #storage: StoragePort;
  readonly #table: KeyTable;
  readonly #current: VaultKey;
  /** that records may be sealed under too: of before a change of the passphrase, or of an older version */
  #earlier: readonly VaultKey[];
  readonly #state: State;

  constructor(
    storage: StoragePort,
    table: KeyTable,
    current: VaultKey,
    earlier: readonly VaultKey[] = [],
    state: State = { reading: new Set(), unsettled: !table.settled },
  ) {
    this.#storage = storage;
    this.#table = table;
    this.#current = current;
    this.#earlier = earlier;
    this.#state = state;
  }

  /** The same records under another vault key: what is there opens, and what is written is under it alone. */
  under(next: VaultKey): SealedStorage {
    return new SealedStorage(
      this.#storage,
      this.#table,
      next,
      [this.#current, ...this.#earlier],
      this.#state,
    );
  }

  get table(): KeyTable {
    return this.#table;
  }

  get current(): VaultKey {
    return this.#current;
  }

  get earlier(): readonly VaultKey[] {
    return this.#earlier;
  }

  /** What `ask` finds, made something of by `open`: meanwhile no entry is destroyed that it may still need. */
  async read<T, R>(ask: (storage: StoragePort) => Promise<T>, open: (found: T) => R): Promise<R> {
    const reading = ask(this.#storage).then(open);
    const settled: Promise<unknown> = reading.then(
      () => this.#state.reading.delete(settled),
      () => this.#state.reading.delete(settled),
    );
    this.#state.reading.add(settled);
    return reading;
  }

  /** Throws VAULT_DAMAGED {store}: the store, never the key, of a record that does not open. */
  open(store: string, { key, value }: StorageRecord): StorageRecord {
    const number = numberOf(value);
    // A cell of version 5 or before never opens under today's key: who can write to the disk plants none.
    const keys = number === null ? this.#earlier : [this.#current, ...this.#earlier];
    let cause: unknown;
    for (const vaultKey of keys) {
      try {
        return { key, value: this.#opened(vaultKey, number, store, key, value) };
      } catch (error) {
        const { code } = ClientError.from(error);
        if (code !== ERROR_CODES.VAULT_DAMAGED) throw new ClientError(code, { store }, { cause: error });
        cause = error;
      }
    }
    throw new ClientError(ERROR_CODES.VAULT_DAMAGED, { store }, { cause });
  }

  /** Null: it is not what was stored under its key. */
  openOrNull(store: string, record: StorageRecord): StorageRecord | null {
    try {
      return this.open(store, record);
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.VAULT_DAMAGED) throw error;
      return null;
    }
  }

  /** Whether it opens under the vault key of today. */
  isCurrent(store: string, { key, value }: StorageRecord): boolean {
    const number = numberOf(value);
    if (number === null) return false;
    try {
      this.#opened(this.#current, number, store, key, value);
      return true;
    } catch (error) {
      if (ClientError.from(error).code === ERROR_CODES.VAULT_DAMAGED) return false;
      throw error;
    }
  }

  /**
   * Seals and stores all changes or none, and destroys the entries of what was there before. One at a time. Rejects with
   * VAULT_FULL or VAULT_UNAVAILABLE; nobody can say then how far it came.
   */
  async write(changes: readonly StorageChange[], own?: OwnWrite): Promise<void> {
    const last = [...new Map(changes.map((change) => [`${change.store} ${change.key}`, change])).values()];
    try {
      await this.#settle();
      const count = last.filter(({ value }) => value !== null).length;
      const needed = count + (own === undefined ? 0 : 1);
      await this.#table.reserve(needed, (ledger) => this.#storage.write([ledger]));
      const gone = await this.#numbersAt(last);
      if (own !== undefined && own.before !== null) gone.push(own.before);
      const turnover = await this.#table.turnover(needed, gone);
      const { taken, ledger } = turnover;
      const records = own === undefined ? [] : await this.#withDevice(taken[count], own);
      await this.#storage.write([...this.#seal(last, taken), ...records, ledger]);
      // Whoever has read what is gone by now has opened it.
      await Promise.all(this.#state.reading);
      await this.#table.commit(turnover);
      if (own !== undefined) await this.#table.flush();
    } catch (error) {
      this.#state.unsettled = true;
      throw error;
    }
  }

  /** No record is under an earlier key any more. */
  forgetEarlier(): void {
    for (const key of this.#earlier) key.fill(0);
    this.#earlier = [];
  }

  /** Wipes what memory holds of the keys. */
  async close(): Promise<void> {
    this.#current.fill(0);
    this.forgetEarlier();
    await this.#table.close();
  }

  async #settle(): Promise<void> {
    if (!this.#state.unsettled) return;
    await Promise.all(this.#state.reading);
    const value = await this.#storage.read(OWN_STORE, LEDGER);
    // A database may bring a write back that it has called failed, once it is opened again: not behind this one.
    await this.#storage.write([{ store: OWN_STORE, key: LEDGER, value }]);
    await this.#table.settle(value);
    this.#state.unsettled = false;
  }

  /** Of the records that are in the places of `changes` now; a damaged one may name the entry of another. */
  async #numbersAt(changes: readonly StorageChange[]): Promise<number[]> {
    const before = await this.#storage.readEach(changes);
    return changes.flatMap(({ store, key }, at) => {
      const value = before[at] ?? null;
      const number = value === null ? null : numberOf(value);
      if (value === null || number === null || this.openOrNull(store, { key, value }) === null) return [];
      return [number];
    });
  }

  async #withDevice(number: number | undefined, own: OwnWrite): Promise<readonly StorageChange[]> {
    const key = number === undefined ? null : this.#table.key(number);
    if (number === undefined || key === null) throw new ClientError(ERROR_CODES.INTERNAL);
    try {
      return await own.records({ number, key });
    } finally {
      key.fill(0);
    }
  }

  #seal(changes: readonly StorageChange[], taken: readonly number[]): readonly StorageChange[] {
    let next = 0;
    return changes.map(({ store, key, value }) => {
      if (value === null) return { store, key, value };
      const number = taken[next++] ?? 0;
      const prefix = new Uint8Array(PREFIX_BYTES);
      prefix[0] = NUMBERED;
      new DataView(prefix.buffer).setUint32(1, number, true);
      const sealed = this.#with(this.#current, number, (own) => sealRecord(own, store, key, value));
      return { store, key, value: concat(prefix, sealed) };
    });
  }

  #opened(vaultKey: VaultKey, number: number | null, store: string, key: string, sealed: Bytes): Bytes {
    if (number === null) return openRecord(vaultKey, store, key, sealed);
    return this.#with(vaultKey, number, (own) => openRecord(own, store, key, sealed.subarray(PREFIX_BYTES)));
  }

  #with<T>(vaultKey: VaultKey, number: number, work: (key: ReturnType<typeof recordKey>) => T): T {
    const erasable = this.#table.key(number);
    if (erasable === null) throw new ClientError(ERROR_CODES.VAULT_DAMAGED);
    const key = recordKey(vaultKey, erasable);
    try {
      return work(key);
    } finally {
      erasable.fill(0);
      key.fill(0);
    }
  }
}

/** Null: a record of version 5 or before. */
function numberOf(sealed: Bytes): number | null {
  if (sealed.length < PREFIX_BYTES || sealed[0] !== NUMBERED) return null;
  return new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength).getUint32(1, true);
}
