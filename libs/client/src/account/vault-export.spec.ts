/** An export while the rooms go on (docs/protocol.md section 9): whole, as of one moment, in pieces, or not at all. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { toHex, utf8, type Bytes } from '@0fc/protocol';
import type { ExportProgress, TakePiece } from '../contract/api.js';
import { FileStorage, IN_MEMORY } from '../node/storage.js';
import type { StorageChange, StoragePort } from '../contract/ports.js';
import { memoryStorage } from '../room/log/log.spec-support.js';
import { extendChain, putOutbox, set } from '../room/state/draft.js';
import { loadCore } from '../room/state/load.js';
import { keyOf, STORES } from '../vault/records.js';
import { RoomState } from '../room/state/state.js';
import { exportVault } from './vault-export.js';
import { importVault } from './vault-import.js';
import {
  codeOf, device, everything, exportFile, FILE, fillWith, NEW, OLD, random, roomOf, waitingIn,
} from './vault-transfer.spec-support.js'; // prettier-ignore
import { Vault, type VaultPlatform } from '../vault/vault.js';

const MIB = 1_048_576;

beforeAll(() => loadThemis());

/** A storage that counts what is read at once, and says when somebody is about to read. */
class WatchedReads implements StoragePort {
  /** most records that one call has brought */
  most = 0;
  /** calls that read */
  reads = 0;
  reading: () => void = () => undefined;
  readonly #storage: StoragePort;
  #asked = 0;

  constructor(storage: StoragePort) {
    this.#storage = storage;
  }

  get keyFile() {
    return this.#storage.keyFile;
  }

  overwrites(): Promise<boolean> {
    return this.#storage.overwrites();
  }

  readEach(...asked: Parameters<StoragePort['readEach']>) {
    return this.#storage.readEach(...asked);
  }

  listAfter(...asked: Parameters<StoragePort['listAfter']>) {
    return this.#storage.listAfter(...asked);
  }

  async read(store: string, key: string) {
    await this.#before();
    return this.#storage.read(store, key);
  }

  async list(store: string) {
    return this.#counted(await this.#storage.list(store));
  }

  async listFrom(store: string, prefix: string) {
    return this.#counted(await this.#storage.listFrom(store, prefix));
  }

  async listBetween(...asked: Parameters<StoragePort['listBetween']>) {
    await this.#before();
    return this.#counted(await this.#storage.listBetween(...asked));
  }

  count(store: string): Promise<number> {
    return this.#storage.count(store);
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    await this.#before(false);
    await this.#storage.write(changes);
    await this.#before(false);
  }

  erase(): Promise<void> {
    return this.#storage.erase();
  }

  close(): Promise<void> {
    return this.#storage.close();
  }

  /** A disk takes its time, now more and now less: others get their turn. */
  async #before(tells = true): Promise<void> {
    if (tells) {
      this.reads += 1;
      this.reading();
    }
    for (let turns = 1 + (this.#asked++ % 4); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
  }

  #counted<T extends readonly unknown[]>(records: T): T {
    this.most = Math.max(this.most, records.length);
    return records;
  }
}

const record = (store: string, at: number, value: Bytes): StorageChange => ({
  store,
  key: keyOf('room', at),
  value,
});

/** Takes every piece, and checks that no two are on their way at once and that the progress goes on. */
class Taker {
  readonly pieces: Bytes[] = [];
  largest = 0;
  last: ExportProgress | null = null;
  readonly #keeps: boolean;
  #taking = 0;

  constructor(keeps = true) {
    this.#keeps = keeps;
  }

  readonly take: TakePiece = async (piece, progress) => {
    expect(this.#taking++).toBe(0);
    this.largest = Math.max(this.largest, piece.length);
    if (this.#keeps) this.pieces.push(piece);
    const { last } = this;
    expect(progress.total).toBeGreaterThanOrEqual(progress.done);
    expect(progress.done).toBeGreaterThanOrEqual(last?.done ?? 0);
    if (last !== null && last.total > 0)
      expect(progress.done / progress.total).toBeGreaterThanOrEqual(last.done / last.total);
    this.last = progress;
    await new Promise((resolve) => setImmediate(resolve));
    this.#taking -= 1;
    return true;
  };
}

describe('an export of 100,000 lines', () => {
  const LINES = 100_000;
  const BATCH = 5_000;
  let storage: WatchedReads;
  let vault: Vault;

  it('holds a block of them at a time, and lets the rooms write', async () => {
    storage = new WatchedReads(FileStorage.open(IN_MEMORY));
    vault = await Vault.create(device(storage), OLD);
    const value = random(150);
    for (let at = 0; at < LINES; at += BATCH)
      await vault.write(Array.from({ length: BATCH }, (_, line) => record(STORES.log, at + line, value)));

    // A line more with each page that is read, and how many reads it has waited for.
    let lines = LINES;
    let waited = 0;
    const writes: Promise<void>[] = [];
    storage.reading = () => {
      if (storage.reads % 5 !== 0) return;
      const began = storage.reads;
      const written = vault.write([record(STORES.log, lines++, value)]).then(() => {
        waited = Math.max(waited, storage.reads - began);
      });
      writes.push(written);
    };
    const taker = new Taker(false);
    const before = lines;
    await exportVault(vault, device(storage), FILE, taker.take);
    storage.reading = () => undefined;
    await Promise.all(writes);

    expect(lines - before).toBeGreaterThan(50);
    expect(storage.most).toBeLessThanOrEqual(256);
    expect(taker.largest).toBeLessThan(1.2 * MIB);
    expect(waited).toBeLessThan(120);
    expect(taker.last?.done).toBe(taker.last?.total);
    expect(taker.last?.done).toBeGreaterThanOrEqual(LINES);
    await storage.close();
  });
});

describe('what is written meanwhile', () => {
  const stores = [STORES.log, STORES.chain, STORES.rotations] as const;
  const STORED = 700;

  /** As the vault has it, and as a value that can be compared. */
  const contentOf = async (vault: Vault): Promise<string> =>
    JSON.stringify(
      await Promise.all(
        stores.map(async (store) =>
          (await vault.list(store)).map(({ key, value }) => [key, Buffer.from(value).toString()]),
        ),
      ),
    );

  it('is in it whole up to one moment, and not at all after it', async () => {
    // Some records change again and again.
    const number = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: STORED + 50 }));
    const change = fc.tuple(fc.constantFrom(...stores), number, fc.boolean());
    const batch = fc.array(change, { minLength: 1, maxLength: 40 });
    const batches = fc.array(batch, { minLength: 20, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 1, max: 3 }), async (given, every) => {
        const memory = memoryStorage();
        const storage = new WatchedReads(memory);
        const old = device(storage);
        const begin = stores.flatMap((store) =>
          Array.from({ length: STORED }, (_, at) => record(store, at, utf8('at first'))),
        );
        const vault = await Vault.create(old, OLD, begin);
        const moments = [await contentOf(vault)];
        const changes = given.map((list, n) =>
          list.map(([store, at, kept]) => ({
            ...record(store, at, utf8(`changed by ${String(n)}`)),
            ...(kept ? {} : { value: null }),
          })),
        );
        const writes: Promise<void>[] = [];
        let calls = 0;
        storage.reading = () => {
          const next = changes[writes.length];
          if (calls++ % every === 0 && next !== undefined) writes.push(vault.write(next));
        };
        const file = await exportFile(vault, old, FILE);
        storage.reading = () => undefined;
        await Promise.all(writes);
        const imported = await importVault(device(), file, FILE, NEW);

        // The same writes once more, one after the other: what the vault was at each moment.
        const again = await Vault.create(device(), OLD, begin);
        for (const list of changes.slice(0, writes.length)) {
          await again.write(list);
          moments.push(await contentOf(again));
        }
        expect(moments.at(-1)).toBe(await contentOf(vault));
        expect(moments).toContain(await contentOf(imported));
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it('of a room is in it, though its records were read before', async () => {
    const room = await roomOf();
    const old = device();
    const vault = await Vault.create(old, OLD);
    const state = await RoomState.create(vault, nodeHash, room, (draft) => {
      draft.apply(extendChain(random(300), room.roster.head, room.roster), putOutbox(waitingIn(room, 1)));
    });
    await vault.write(Array.from({ length: 12 }, (_, at) => record(STORES.log, at, random(400_000))));
    const { roomId } = room.core;
    const taker = new Taker();
    let written = 1;
    await exportVault(vault, old, FILE, async (piece, progress) => {
      const more = await taker.take(piece, progress);
      // Every piece but the last two is made before the moment that the file shows.
      if (progress.done < progress.total) {
        written += 1;
        await state.write((draft) => {
          draft.apply(
            set({ lastTime: 100 + written, nextN: written + 1 }),
            putOutbox(waitingIn(room, written)),
          );
        });
      }
      return more;
    });
    expect(written).toBeGreaterThan(4);
    const imported = await importVault(device(), Buffer.concat(taker.pieces), FILE, NEW);
    const found = await loadCore(imported, roomId);
    expect(found?.core).toMatchObject({ lastTime: 100 + written, nextN: written + 1, imported: true });
    expect(await imported.list(STORES.outbox)).toHaveLength(written);
    const lines = await Promise.all([imported, vault].map((one) => one.list(STORES.log)));
    // Bytes as text: Jest takes seconds to compare so many of them.
    const [there, here] = lines.map((list) => list.map(({ key, value }) => [key, toHex(value)]));
    expect(there).toEqual(here);
  });
});

describe('an export that is ended', () => {
  let old: VaultPlatform;
  let vault: Vault;

  beforeEach(async () => {
    old = device();
    vault = await Vault.create(old, OLD);
    const room = await roomOf();
    await fillWith(vault, room, [waitingIn(room, 1)], []);
    await vault.write(Array.from({ length: 6 }, (_, at) => record(STORES.log, at, random(600_000))));
  });

  it('by whoever takes its pieces, at any of them, changes nothing', async () => {
    const before = await everything(old.storage);
    const whole = new Taker();
    await exportVault(vault, old, FILE, whole.take);
    expect(whole.pieces.length).toBeGreaterThan(4);
    for (let end = 0; end < whole.pieces.length; end++) {
      let taken = 0;
      const answers: readonly TakePiece[] = [
        () => Promise.resolve(taken++ !== end),
        () => (taken++ === end ? Promise.reject(new Error('no more room')) : Promise.resolve(true)),
      ];
      for (const [at, take] of answers.entries()) {
        taken = 0;
        const code = await codeOf(exportVault(vault, old, FILE, take));
        expect(code).toBe(at === 0 ? 'EXPORT_CANCELLED' : undefined);
        expect(taken).toBe(end + 1);
      }
    }
    expect(await everything(old.storage)).toEqual(before);
    await vault.write([record(STORES.log, 99, utf8('it goes on'))]);
    expect(await vault.get(STORES.log, keyOf('room', 99))).toEqual(utf8('it goes on'));
  });

  it('by the vault being locked says so', async () => {
    const code = await codeOf(
      exportVault(vault, old, FILE, async () => {
        await vault.close();
        return true;
      }),
    );
    expect(code).toBe('VAULT_LOCKED');
  });
});
