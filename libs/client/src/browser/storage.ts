/**
 * The vault's storage in a browser (docs/protocol.md section 9): IndexedDB, one object store
 * under the compound key [store, key], so that any batch is one transaction.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { ERROR_CODES } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { RecordPlace, StorageChange, StoragePort, StorageRecord } from '../contract/ports.js';
import { BrowserKeyFile } from './key-file.js';

const DATABASE = '0fc';
const SCHEMA_VERSION = 1;
const RECORDS = 'records';

interface Schema extends DBSchema {
  [RECORDS]: { key: [store: string, key: string]; value: Uint8Array };
}

type Database = IDBPDatabase<Schema>;

const unavailable = (cause?: unknown): ClientError =>
  new ClientError(ERROR_CODES.VAULT_UNAVAILABLE, {}, { cause });

/** IndexedDB's failures as ours. Private windows and blocked site data are UNAVAILABLE. */
function failed(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  const name = typeof cause === 'object' && cause !== null && 'name' in cause ? cause.name : null;
  if (name === 'QuotaExceededError') return new ClientError(ERROR_CODES.VAULT_FULL, {}, { cause });
  if (name === 'VersionError') return new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, {}, { cause });
  return unavailable(cause);
}

/** Every key of a store, or those from a prefix on: an array sorts after every text. */
const range = (store: string, from = ''): IDBKeyRange => IDBKeyRange.bound([store, from], [store, []]);

export class IndexedDbStorage implements StoragePort {
  readonly keyFile: BrowserKeyFile = new BrowserKeyFile(this);
  #database: Promise<Database> | null = null;
  /** Closed by this client or by the browser (site data cleared): it is never reopened by itself. */
  #closed = false;

  async read(store: string, key: string): Promise<Uint8Array | null> {
    return this.#with(async (database) => (await database.get(RECORDS, [store, key])) ?? null);
  }

  overwrites(): Promise<boolean> {
    return this.keyFile.inPlace();
  }

  async readEach(places: readonly RecordPlace[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#with((database) => {
      const { store: records } = database.transaction(RECORDS);
      return Promise.all(places.map(async ({ store, key }) => (await records.get([store, key])) ?? null));
    });
  }

  async listAfter(
    place: RecordPlace | null,
    most: number,
  ): Promise<readonly (RecordPlace & StorageRecord)[]> {
    const behind = place === null ? undefined : IDBKeyRange.lowerBound([place.store, place.key], true);
    return this.#found(behind, most);
  }

  async list(store: string): Promise<readonly StorageRecord[]> {
    return this.#records(range(store));
  }

  async listFrom(store: string, prefix: string): Promise<readonly StorageRecord[]> {
    // Keys with the prefix come first in the range; the bound below ends it for all but odd ones.
    const upTo = IDBKeyRange.bound([store, prefix], [store, `${prefix}\uffff`]);
    return (await this.#records(upTo)).filter(({ key }) => key.startsWith(prefix));
  }

  async listBetween(
    store: string,
    from: string,
    to: string,
    most?: number,
  ): Promise<readonly StorageRecord[]> {
    if (from >= to || most === 0) return [];
    return this.#records(IDBKeyRange.bound([store, from], [store, to], false, true), most);
  }

  async count(store: string): Promise<number> {
    return this.#with((database) => database.count(RECORDS, range(store)));
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    await this.#with(async (database) => {
      // The outbox must be on the disk before anything is sent (G16).
      const transaction = database.transaction(RECORDS, 'readwrite', { durability: 'strict' });
      const steps: Promise<unknown>[] = [transaction.done];
      try {
        for (const { store, key, value } of changes) {
          const id: [string, string] = [store, key];
          // A copy: a view would take the whole buffer it looks into along.
          steps.push(
            value === null ? transaction.store.delete(id) : transaction.store.put(Uint8Array.from(value), id),
          );
        }
      } catch (error) {
        transaction.abort();
        await Promise.allSettled(steps);
        throw error;
      }
      await settleAll(steps);
    });
  }

  async erase(): Promise<void> {
    await this.#with((database) => database.clear(RECORDS));
  }

  async close(): Promise<void> {
    await this.keyFile.close();
    this.#closed = true;
    const database = this.#database;
    this.#database = null;
    if (database === null) return;
    // A database that never opened needs no closing, and its callers have received the failure.
    const [opened] = await Promise.allSettled([database]);
    if (opened.status === 'fulfilled') opened.value.close();
  }

  async #records(keys: IDBKeyRange, most?: number): Promise<readonly StorageRecord[]> {
    return (await this.#found(keys, most)).map(({ key, value }) => ({ key, value }));
  }

  async #found(
    keys: IDBKeyRange | undefined,
    most?: number,
  ): Promise<readonly (RecordPlace & StorageRecord)[]> {
    return this.#with(async (database) => {
      const { store: records } = database.transaction(RECORDS);
      const [ids, values] = await Promise.all([records.getAllKeys(keys, most), records.getAll(keys, most)]);
      return ids.flatMap(([store, key], at) => {
        const value = values[at];
        return value === undefined ? [] : [{ store, key, value }];
      });
    });
  }

  async #with<T>(run: (database: Database) => Promise<T>): Promise<T> {
    if (this.#closed) throw unavailable();
    try {
      this.#database ??= this.#open();
      return await run(await this.#database);
    } catch (error) {
      throw failed(error);
    }
  }

  async #open(): Promise<Database> {
    const lost = (): void => {
      this.#closed = true;
    };
    return new Promise((resolve, reject) => {
      openDB<Schema>(DATABASE, SCHEMA_VERSION, {
        upgrade: (database) => void database.createObjectStore(RECORDS),
        blocked: () => reject(unavailable()),
        // A later version of the page wants to upgrade: this one lets go.
        blocking: () => void this.close(),
        terminated: lost,
      }).then(resolve, reject);
    });
  }
}

/** Waits for all, so that no failure is left unobserved, and throws the first. */
async function settleAll(steps: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(steps);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
