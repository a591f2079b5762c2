/**
 * Keys that can be destroyed (docs/protocol.md section 9, docs/decisions/0041). Databases keep what is deleted or
 * overwritten, for a time that nobody can name. So each record of a vault is sealed under the vault key and an entry of this
 * table beside it, 32 random bytes in a file that is overwritten in place: once the entry is zeros the record opens to
 * nobody, wherever copies of it lie.
 *
 * An entry is filled and on the disk before the database holds a record under it, and is destroyed after the database
 * holds none. What a crash between leaves is named by the ledger, a record of the database that is written with each
 * change: `spare` are filled, and under no record yet; `gone` are under no record any more. Both are destroyed when the
 * table is opened. So a kill at any moment loses no record and leaves no key of a record that is gone.
 *
 * The first 32 bytes are a head: mark, format, state and id, which the vault's header names. The table holds no secret by
 * itself: whoever has it still needs the vault key.
 */
import { asErasableKey, type ErasableKey } from '@0fc/crypto/keys';
import type { Hash } from '@0fc/crypto/verify';
import {
  concat,
  decodeCbor,
  encodeCbor,
  equalBytes,
  ERROR_CODES,
  ProtocolError,
  utf8,
  type Bytes,
} from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { KeyFile, Platform, StorageChange } from '../contract/ports.js';
import { LEDGER, OWN_STORE } from './own-store.js';

const ENTRY_BYTES = 32;
const MARK = utf8('0fc-keys');
const FORMAT = 1;
const STATE = { inUse: 1, erased: 2 } as const;
export const TABLE_ID_BYTES = 16;
const CHECK_BYTES = 8;
/** Filled at once, so that most writes find one that is on the disk already. */
const SPARE = 64;
/** Named as gone by the ledger, at most, before the file is flushed and the list starts over. */
const MOST_GONE = 256;

type Tables = Pick<Platform, 'crypto'> & { readonly keyFile: KeyFile };

/** What one write does to the table. */
export interface Turnover {
  /** numbers that come into use */
  readonly taken: readonly number[];
  /** numbers that no record uses any more */
  readonly gone: readonly number[];
  /** numbers that are filled for what comes next */
  readonly made: readonly number[];
  readonly ledger: StorageChange;
}

export class KeyTable {
  readonly id: Bytes;
  readonly #file: KeyFile;
  readonly #crypto: Platform['crypto'];
  /** as in the file; longer than it, so that it can grow */
  #bytes: Uint8Array;
  /** entries in the file, the head counted as the one with the number 0 */
  #count: number;
  /** zeros, the lowest number last */
  #free: number[] = [];
  /** filled and on the disk, under no record */
  #spare: number[] = [];
  /** destroyed since the file was last flushed */
  #gone: number[] = [];
  #settled = true;

  private constructor({ crypto, keyFile }: Tables, id: Bytes, bytes: Uint8Array) {
    this.id = id;
    this.#crypto = crypto;
    this.#file = keyFile;
    this.#bytes = bytes;
    this.#count = Math.max(1, Math.floor(bytes.length / ENTRY_BYTES));
    this.#findFree();
  }

  /**
   * One in the place of whatever is there, with so many spare entries. No ledger names them: until a header names the table, the
   * next one takes its place. Rejects with VAULT_FULL, VAULT_UNAVAILABLE.
   */
  static async create(tables: Tables, spare: number): Promise<KeyTable> {
    const { keyFile, crypto } = tables;
    const old = await keyFile.open('make');
    try {
      const id = crypto.random.bytes(TABLE_ID_BYTES);
      const bytes = new Uint8Array(Math.max(ENTRY_BYTES, old.length));
      bytes.set(headOf(STATE.inUse, id));
      await keyFile.write(0, bytes);
      const table = new KeyTable(tables, id, bytes);
      await table.#fill(table.#numbers(spare + SPARE));
      return table;
    } catch (error) {
      await keyFile.close();
      throw error;
    }
  }

  /**
   * The one that a header names. Rejects with VAULT_KEYS_LOST where it is not there or is another one, VAULT_ABSENT where its
   * vault was erased, UNSUPPORTED_VERSION, VAULT_UNAVAILABLE. What the ledger names is destroyed at once.
   */
  static async open(tables: Tables, id: Bytes, ledger: Bytes | null): Promise<KeyTable> {
    const bytes = await tables.keyFile.open('use');
    try {
      assertHead(bytes, id);
      const table = new KeyTable(tables, id, bytes);
      await table.#settleAtOpening(ledger);
      return table;
    } catch (error) {
      await tables.keyFile.close();
      throw error;
    }
  }

  /** Destroys every entry, and says so in the head: whatever is left of the vault opens to nobody. */
  static async destroy(keyFile: KeyFile): Promise<void> {
    const bytes = await keyFile.open('use');
    try {
      const zeros = new Uint8Array(Math.max(ENTRY_BYTES, bytes.length));
      zeros.set(headOf(STATE.erased, new Uint8Array(TABLE_ID_BYTES)));
      await keyFile.write(0, zeros);
      await keyFile.flush();
    } finally {
      await keyFile.close();
    }
  }

  /** Null: no such entry, or a destroyed one. The caller wipes it. */
  key(number: number): ErasableKey | null {
    if (number < 1 || number >= this.#count) return null;
    const key = this.#bytes.slice(number * ENTRY_BYTES, (number + 1) * ENTRY_BYTES);
    return key.every((byte) => byte === 0) ? null : asErasableKey(key);
  }

  /**
   * Makes sure of so many spare entries. `write` stores the ledger before any of them is filled. Rejects as `write`, and with
   * VAULT_FULL or VAULT_UNAVAILABLE; {@link settle} is due then.
   */
  async reserve(count: number, write: (ledger: StorageChange) => Promise<void>): Promise<void> {
    if (this.#spare.length >= count) return;
    const made = this.#numbers(count - this.#spare.length);
    await write(await this.#ledger([...this.#spare, ...made], this.#gone));
    await this.#fill(made);
  }

  /** What a write takes, lets go of, and stores beside its records. At most so many are taken as are spare. */
  async turnover(count: number, given: readonly number[]): Promise<Turnover> {
    const gone = [...new Set(given)].filter((number) => number >= 1 && number < this.#count);
    const left = this.#spare.slice(0, this.#spare.length - count);
    // Filled once the write is done: the next ones find them.
    const made = left.length < SPARE / 2 ? this.#numbers(SPARE - left.length) : [];
    return {
      taken: this.#spare.slice(left.length),
      gone,
      made,
      ledger: await this.#ledger([...left, ...made], [...this.#gone, ...gone]),
    };
  }

  /**
   * The write is done: destroys what is gone. That is on the disk once {@link flush} has been called, or the system has
   * written what it holds. Rejects with VAULT_FULL or VAULT_UNAVAILABLE; {@link settle} is due then.
   */
  async commit({ taken, gone, made }: Turnover): Promise<void> {
    this.#spare.length -= taken.length;
    await this.#destroy(gone);
    // One by one: as arguments of a call there may be too many.
    for (const number of gone) {
      this.#gone.push(number);
      this.#free.push(number);
    }
    if (made.length > 0) await this.#fill(made);
    else if (this.#gone.length > MOST_GONE) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#file.flush();
    this.#gone = [];
  }

  /**
   * Destroys what a ledger names: after a crash, or after a write of which nobody knows how it ended. What was spare is drawn
   * anew: something may have been sealed under it that was never stored.
   */
  async settle(ledger: Bytes | null): Promise<void> {
    const { spare, gone } = await this.#named(ledger);
    for (const number of spare) this.#count = Math.max(this.#count, number + 1);
    this.#grow();
    await this.#destroy(gone);
    this.#spare = [];
    await this.#fill(spare);
    this.#findFree();
    this.#settled = true;
  }

  /** On a full disk what is there can be read all the same: {@link settled} is false, and the next write has to settle first. */
  async #settleAtOpening(ledger: Bytes | null): Promise<void> {
    try {
      await this.settle(ledger);
    } catch (error) {
      if (ClientError.from(error).code !== ERROR_CODES.VAULT_FULL) throw error;
      this.#settled = false;
    }
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Wipes what memory holds of it, and gives the file up. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.#bytes.fill(0);
      this.#count = 1;
      await this.#file.close();
    }
  }

  #findFree(): void {
    this.#free = [];
    const words = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    for (let number = this.#count - 1; number >= 1; number--) {
      const at = number * ENTRY_BYTES;
      if (words.getUint32(at) === 0 && this.key(number) === null) this.#free.push(number);
    }
  }

  #numbers(count: number): readonly number[] {
    const numbers = this.#free.splice(Math.max(0, this.#free.length - count));
    while (numbers.length < count) numbers.push(this.#count++);
    this.#grow();
    return numbers.sort((a, b) => a - b);
  }

  #grow(): void {
    const needed = this.#count * ENTRY_BYTES;
    if (needed > this.#bytes.length) {
      const longer = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      longer.set(this.#bytes);
      this.#bytes.fill(0);
      this.#bytes = longer;
    }
  }

  async #fill(numbers: readonly number[]): Promise<void> {
    for (const { from, to } of runsOf(numbers)) {
      const drawn = this.#crypto.random.bytes((to - from) * ENTRY_BYTES);
      await this.#put(from, drawn);
      drawn.fill(0);
    }
    await this.flush();
    for (const number of numbers) this.#spare.push(number);
  }

  async #destroy(numbers: readonly number[]): Promise<void> {
    // A ledger may name what the file was too short for: it was never filled.
    const there = numbers.filter((number) => number >= 1 && number < this.#count).sort((a, b) => a - b);
    for (const { from, to } of runsOf(there))
      await this.#put(from, new Uint8Array((to - from) * ENTRY_BYTES));
  }

  async #put(number: number, bytes: Bytes): Promise<void> {
    this.#bytes.set(bytes, number * ENTRY_BYTES);
    await this.#file.write(number * ENTRY_BYTES, bytes);
  }

  async #ledger(spare: readonly number[], gone: readonly number[]): Promise<StorageChange> {
    const body = [bytesOf(spare), bytesOf(gone)];
    return {
      store: OWN_STORE,
      key: LEDGER,
      value: encodeCbor([...body, await checkOf(this.#crypto.hash, body)]),
    };
  }

  /** A damaged ledger names nothing: which keys it was about to destroy nobody knows, and the vault opens all the same. */
  async #named(
    ledger: Bytes | null,
  ): Promise<{ readonly spare: readonly number[]; readonly gone: readonly number[] }> {
    const nothing = { spare: [], gone: [] };
    if (ledger === null) return nothing;
    const value = decodedOrNull(ledger);
    if (!Array.isArray(value) || !value.every((part) => part instanceof Uint8Array)) return nothing;
    const [spare, gone, check] = value as readonly Bytes[];
    if (spare === undefined || gone === undefined || check === undefined) return nothing;
    if (!equalBytes(check, await checkOf(this.#crypto.hash, [spare, gone]))) return nothing;
    // New ones lie behind the last: whatever is further no client has written.
    const most = this.#count + spare.length / 4;
    const within = (number: number): boolean => number >= 1 && number < most;
    return { spare: numbersOf(spare).filter(within), gone: numbersOf(gone).filter(within) };
  }
}

const headOf = (state: number, id: Bytes): Bytes => {
  const words = new Uint8Array(8);
  const view = new DataView(words.buffer);
  view.setUint32(0, FORMAT, true);
  view.setUint32(4, state, true);
  return concat(MARK, words, id);
};

function assertHead(bytes: Bytes, id: Bytes): void {
  const lost = new ClientError(ERROR_CODES.VAULT_KEYS_LOST);
  if (bytes.length < ENTRY_BYTES || !equalBytes(bytes.subarray(0, MARK.length), MARK)) throw lost;
  const words = new DataView(bytes.buffer, bytes.byteOffset + MARK.length, 8);
  const [format, state] = [words.getUint32(0, true), words.getUint32(4, true)];
  if (format > FORMAT) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version: format });
  if (state === STATE.erased) throw new ClientError(ERROR_CODES.VAULT_ABSENT);
  if (!equalBytes(bytes.subarray(ENTRY_BYTES - TABLE_ID_BYTES, ENTRY_BYTES), id)) throw lost;
}

/** Ascending numbers as runs that lie one behind the other, the end left out. */
function runsOf(numbers: readonly number[]): readonly { readonly from: number; readonly to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.to === number) last.to = number + 1;
    else runs.push({ from: number, to: number + 1 });
  }
  return runs;
}

function bytesOf(numbers: readonly number[]): Bytes {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, index) => view.setUint32(4 * index, number, true));
  return bytes;
}

function numbersOf(bytes: Bytes): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getUint32(4 * index, true));
}

const checkOf = async (hash: Hash, body: readonly Bytes[]): Promise<Bytes> =>
  (await hash.sha256(encodeCbor(['0fc-keys', ...body]))).slice(0, CHECK_BYTES);

function decodedOrNull(bytes: Bytes): unknown {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
