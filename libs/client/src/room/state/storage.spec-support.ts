/** A storage in memory that can be watched, and made to fail as a disk does. */
import type { Bytes, ErrorCode } from '@0fc/protocol';
import { ClientError } from '../../contract/errors.js';
import type { RecordPlace, StorageChange, StoragePort, StorageRecord } from '../../contract/ports.js';
import { LEDGER, OWN_STORE } from '../../vault/own-store.js';
import { memoryStorage } from '../log/log.spec-support.js';

export class WatchedStorage implements StoragePort {
  readonly #storage = memoryStorage();
  readonly keyFile = this.#storage.keyFile;
  /** what was written, sealed, a list for each write, without the ledger of its keys; a failed one is not among them */
  readonly writes: (readonly StorageChange[])[] = [];
  /** how the next writes fail; `stored`: after everything is on the disk all the same */
  fails: { readonly code: ErrorCode; readonly stored: boolean } | null = null;
  /** how the next reads fail */
  unreadable: ErrorCode | null = null;
  /** records that were read so far */
  readCount = 0;

  /** Places of the last write, ascending. */
  get lastPlaces(): readonly string[] {
    return (this.writes.at(-1) ?? []).map(({ store, key }) => `${store} ${key}`).sort();
  }

  /** Bytes of the last write, sealed. */
  get lastBytes(): number {
    return (this.writes.at(-1) ?? []).reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  }

  overwrites(): Promise<boolean> {
    return this.#storage.overwrites();
  }

  /** What a write asks for what it is about to replace is not counted. */
  readEach(places: readonly RecordPlace[]): Promise<readonly (Bytes | null)[]> {
    return this.#storage.readEach(places);
  }

  listAfter(place: RecordPlace | null, most: number): ReturnType<StoragePort['listAfter']> {
    return this.#storage.listAfter(place, most);
  }

  async read(store: string, key: string): Promise<Bytes | null> {
    this.#mayRead();
    this.readCount += 1;
    return this.#storage.read(store, key);
  }

  async list(store: string): Promise<readonly StorageRecord[]> {
    this.#mayRead();
    return this.#counted(this.#storage.list(store));
  }

  async listFrom(store: string, prefix: string): Promise<readonly StorageRecord[]> {
    this.#mayRead();
    return this.#counted(this.#storage.listFrom(store, prefix));
  }

  async listBetween(
    store: string,
    from: string,
    to: string,
    most?: number,
  ): Promise<readonly StorageRecord[]> {
    this.#mayRead();
    return this.#counted(this.#storage.listBetween(store, from, to, most));
  }

  async #counted(listed: Promise<readonly StorageRecord[]>): Promise<readonly StorageRecord[]> {
    const records = await listed;
    this.readCount += records.length;
    return records;
  }

  async count(store: string): Promise<number> {
    this.#mayRead();
    return this.#storage.count(store);
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    const { fails } = this;
    if (fails === null || fails.stored) await this.#storage.write(changes);
    if (fails !== null) throw new ClientError(fails.code);
    this.writes.push(changes.filter(({ store, key }) => store !== OWN_STORE || key !== LEDGER));
  }

  erase(): Promise<void> {
    return this.#storage.erase();
  }

  close(): Promise<void> {
    return this.#storage.close();
  }

  #mayRead(): void {
    if (this.unreadable !== null) throw new ClientError(this.unreadable);
  }
}
