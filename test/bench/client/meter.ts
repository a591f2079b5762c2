/** Counts what a client writes to its vault, sealed as it is stored, and notes when the passphrase's key was there. */
import { performance } from 'node:perf_hooks';
import type { Platform, StorageChange, StoragePort } from '@0fc/client';
import type { KeyFile } from '../../../libs/client/src/contract/ports.js';
import { storageOver } from '../../../libs/client/src/vault/storage-over.spec-support.js';

/** Milliseconds of the clock, and of CPU that this process has used: the latter hardly minds a busy machine. */
export interface Moment {
  readonly clock: number;
  readonly cpu: number;
}

export function moment(): Moment {
  const { user, system } = process.cpuUsage();
  return { clock: performance.now(), cpu: (user + system) / 1_000 };
}

export interface Written {
  /** atomic writes */
  readonly writes: number;
  /** records in them, deleted ones included */
  readonly records: number;
  /** of the records' sealed values */
  readonly bytes: number;
  /** what the same writes come to where a room's core is one record that is written each time, as in 0.1 */
  readonly wholeBytes: number;
  /** of the key file, in place, and how often it was flushed */
  readonly keyBytes: number;
  readonly flushes: number;
  /** milliseconds that the database and the key file took, to read and to write */
  readonly storageMs: number;
}

const NOTHING: Written = {
  writes: 0, records: 0, bytes: 0, wholeBytes: 0, keyBytes: 0, flushes: 0, storageMs: 0,
}; // prettier-ignore

/** The stores that 0.1 kept in the one record of a room's core. */
const CORE: ReadonlySet<string> = new Set(['rooms', 'slices', 'senders']);
/** Read before the passphrase's key is derived, and not again after it. */
const OWN_STORE = 'vault';

/** For a vault of one room. Pass {@link over} to openOver. */
export class Meter {
  written = NOTHING;
  /** the first use of a record that only the vault's key opens; null: none yet */
  derived: Moment | null = null;
  /** bytes of each record of the room's core, by store and key */
  readonly #core = new Map<string, number>();

  /** Bytes of each part of the room's core as it is stored now, senders together; biggest first. */
  get parts(): readonly (readonly [part: string, bytes: number])[] {
    const parts = new Map<string, number>();
    for (const [place, bytes] of this.#core) {
      const [store, key = ''] = place.split(' ');
      const part =
        store === 'slices' ? (key.split('/').at(-1) ?? key) : store === 'rooms' ? 'head' : 'senders';
      parts.set(part, (parts.get(part) ?? 0) + bytes);
    }
    return [...parts].sort(([, a], [, b]) => b - a);
  }

  readonly over = (platform: Platform): Platform => ({
    ...platform,
    storage: this.#around(platform.storage),
  });

  static difference(a: Written, b: Written): Written {
    return combined(a, b, (more, less) => more - less);
  }

  /** What `work` makes the client write. */
  async during(work: () => Promise<void>): Promise<Written> {
    const before = this.written;
    await work();
    return Meter.difference(this.written, before);
  }

  #around(storage: StoragePort): StoragePort {
    return storageOver(storage, {
      keyFile: this.#aroundKeys(storage.keyFile),
      read: async (store, key) => {
        this.#used(store);
        const value = await this.#timed(() => storage.read(store, key));
        if (value !== null) this.#know(store, key, value.length);
        return value;
      },
      readEach: (places) => this.#timed(() => storage.readEach(places)),
      list: (store) => this.#listed(store, () => storage.list(store)),
      listFrom: (store, prefix) => this.#listed(store, () => storage.listFrom(store, prefix)),
      listBetween: (store, ...range) => this.#listed(store, () => storage.listBetween(store, ...range)),
      write: async (changes) => {
        await this.#timed(() => storage.write(changes));
        this.#count(changes);
      },
    });
  }

  #aroundKeys(keyFile: KeyFile): KeyFile {
    return {
      open: (purpose) => this.#timed(() => keyFile.open(purpose)),
      write: async (at, bytes) => {
        await this.#timed(() => keyFile.write(at, bytes));
        this.#add({ keyBytes: bytes.length });
      },
      flush: async () => {
        await this.#timed(() => keyFile.flush());
        this.#add({ flushes: 1 });
      },
      close: () => keyFile.close(),
    };
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#add({ storageMs: performance.now() - began });
    }
  }

  #add(more: Partial<Written>): void {
    this.written = combined(this.written, { ...NOTHING, ...more }, (a, b) => a + b);
  }

  async #listed(
    store: string,
    list: () => ReturnType<StoragePort['list']>,
  ): Promise<Awaited<ReturnType<StoragePort['list']>>> {
    this.#used(store);
    const found = await this.#timed(list);
    for (const { key, value } of found) this.#know(store, key, value.length);
    return found;
  }

  #used(store: string): void {
    if (store !== OWN_STORE) this.derived ??= moment();
  }

  #know(store: string, key: string, length: number): void {
    if (CORE.has(store)) this.#core.set(`${store} ${key}`, length);
  }

  #count(changes: readonly StorageChange[]): void {
    for (const { store, key, value } of changes) this.#know(store, key, value?.length ?? 0);
    const bytes = total(changes.map(({ value }) => value?.length ?? 0));
    const beside = total(changes.map(({ store, value }) => (CORE.has(store) ? 0 : (value?.length ?? 0))));
    const wholeBytes = beside + total([...this.#core.values()]);
    this.#add({ writes: 1, records: changes.length, bytes, wholeBytes });
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function combined(a: Written, b: Written, of: (a: number, b: number) => number): Written {
  return {
    writes: of(a.writes, b.writes),
    records: of(a.records, b.records),
    bytes: of(a.bytes, b.bytes),
    wholeBytes: of(a.wholeBytes, b.wholeBytes),
    keyBytes: of(a.keyBytes, b.keyBytes),
    flushes: of(a.flushes, b.flushes),
    storageMs: of(a.storageMs, b.storageMs),
  };
}
