/**
 * One room in memory, as the vault holds it. It changes by {@link RoomState.write} alone: a draft is made,
 * its records are encoded and stored in one atomic write, and only then does memory follow. So memory is never
 * ahead of the disk; after a failed write, of which nobody can say how far it came, it is read from there again
 * (docs/protocol.md section 9).
 *
 * Memory holds the end of the log and what else is short; whatever a piece of work reads beyond that is loaded, and
 * the work begun again (not-loaded.ts). So work has no effect but what it applies to its draft, or sets once it is done.
 */
import { equalBytes, type Target } from '@0fc/protocol';
import type { Hash, Roster } from '@0fc/crypto/verify';
import type { Vault } from '../../vault/vault.js';
import { targetKey } from '../../vault/content.js';
import { RoomSnapshot, type RoomDraft } from './draft.js';
import { IndexKeys } from '../../vault/index-keys.js';
import { findEffects, findMessage, findPlace, loadRecords, loadRotations, loadTables } from './load.js';
import { LOG_STEP, LogWindow } from './log-table.js';
import { NotLoaded, withLoaded, type Wanted } from './not-loaded.js';
import { encodeRecord, logRecord, membershipOf, type LogRecord, type RoomCore } from '../../vault/records.js';
import { SerialQueue } from '../../vault/serial-queue.js';
import { applyChange, forgetRecord, indexRecord, positionKey, type Tables } from './tables.js';

/** So many times what the window begins with, and memory lets go of the older records, where nobody looks at them. */
const WINDOW_MOST = 8;
/** Lookups, and transcripts of positions without a record, that are remembered. */
const SOUGHT_KEPT = 4_096;
/** Counters after one that was looked up, which are looked up with it. */
const NEXT_SOUGHT = 31;

interface StateTables extends Tables {
  readonly log: LogWindow;
}

/** A message that is looked for by name, wherever in the log it stands. */
export interface FoundMessage {
  readonly record: LogRecord;
  /** the records that change it, oldest first */
  readonly effects: readonly LogRecord[];
}

export class RoomState extends RoomSnapshot {
  protected tables: StateTables;
  /** Pieces of work on the room, one after the other. */
  readonly serial = new SerialQueue();

  readonly #vault: Vault;
  readonly #hash: Hash;
  readonly #watchers = new Set<(indexes: ReadonlySet<number>) => void>();
  /** a write failed, and memory could not be read again since: the records that it may have changed all the same */
  #stale: Set<number> | null = null;
  readonly #keys: IndexKeys;
  /** the oldest record of the log that is shown somewhere, and stays in memory */
  #held = Infinity;

  /** records that the window begins with */
  readonly #window: number;

  private constructor(vault: Vault, hash: Hash, keys: IndexKeys, tables: StateTables, window: number) {
    super();
    this.#window = window;
    this.#vault = vault;
    this.#hash = hash;
    this.#keys = keys;
    this.tables = tables;
  }

  /** Stores a room that begins, with what `work` adds to its first fields, in one atomic write. */
  static async create(
    vault: Vault,
    hash: Hash,
    initial: { readonly core: RoomCore; readonly roster: Roster },
    work: (draft: RoomDraft) => Promise<void> | void,
    window = LOG_STEP,
  ): Promise<RoomState> {
    const { core, roster } = initial;
    const state = new RoomState(vault, hash, await IndexKeys.of(hash, core), {
      core, roster, chainAhead: [], log: new LogWindow([], { first: core.nextIndex, next: core.nextIndex }), chain: new Map(),
      heads: new Map(), rotations: new Map(), rotationsFrom: 1, senders: new Map(), outbox: new Map(), invites: new Map(),
      transcripts: new Map(), extras: new Map(), messages: new Map(), sought: { messages: new Map(), places: new Map() },
    }, window); // prettier-ignore
    await state.write(async (draft) => {
      draft.apply({ kind: 'set', fields: core });
      await work(draft);
    });
    return state;
  }

  /**
   * Null: the vault has no such room. `window`: records of the log that memory begins with. Rejects with
   * VAULT_DAMAGED, MALFORMED.
   */
  static async load(
    vault: Vault,
    membership: string,
    hash: Hash,
    window = LOG_STEP,
  ): Promise<RoomState | null> {
    const tables = await loadTables(vault, membership, hash, { window });
    if (tables === null) return null;
    return new RoomState(vault, hash, await IndexKeys.of(hash, tables.core), tables, window);
  }

  /**
   * Runs `work` on a draft, after whatever was asked for before, and stores what it applied: all or nothing. It is
   * run again, on a new draft, where it has read what was not in memory.
   * Rejects as `work` does, with nothing changed, or with VAULT_FULL, VAULT_UNAVAILABLE, VAULT_LOCKED.
   */
  write<T>(work: (draft: RoomDraft) => Promise<T> | T): Promise<T> {
    return this.serial.enqueue(async () => {
      if (this.#stale !== null) await this.#reload(this.#stale);
      const { draft, result } = await this.#whole(async () => {
        const fork = this.fork();
        return { draft: fork, result: await work(fork) };
      });
      await this.#store(draft);
      return result;
    });
  }

  /** Runs `work`, which only reads, with what it needs; again where it has read what was not in memory. */
  async read<T>(work: () => Promise<T> | T): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error;
      return this.inTurn(work);
    }
  }

  /** As {@link read}, after whatever was asked for before, and with nothing written meanwhile. */
  inTurn<T>(work: () => Promise<T> | T): Promise<T> {
    return this.serial.enqueue(async () => {
      if (this.#stale !== null) await this.#reload(this.#stale);
      return this.#whole(work);
    });
  }

  /** Brings older records of the log into memory; false: there are none. */
  async loadEarlier(): Promise<boolean> {
    return this.serial.enqueue(async () => {
      const { first, loaded, end } = this.tables.log;
      if (loaded === first) return false;
      await this.#load({
        kind: 'tail',
        from: Math.max(first, loaded - Math.max(this.#window, end - loaded)),
      });
      return true;
    });
  }

  /** The log stays in memory from an index on; Infinity: nobody looks at it. */
  hold(from: number): void {
    this.#held = from;
  }

  /** A message and what changes it, wherever in the log; null: there is none. */
  findMessage(target: Target): Promise<FoundMessage | null> {
    return this.serial.enqueue(async () => {
      const at =
        this.tables.messages.get(targetKey(target)) ?? (await findMessage(this.#vault, this.#keys, target));
      if (at === null) return null;
      return { record: await this.#record(at.index), effects: await this.#effectsOn(target) };
    });
  }

  /** The records that change a message, which may have come before it. */
  findEffects(target: Target): Promise<readonly LogRecord[]> {
    return this.serial.enqueue(() => this.#effectsOn(target));
  }

  /** Records from an index up to, and without, another; they do not stay in memory. */
  records(from: number, to: number): Promise<readonly LogRecord[]> {
    return this.serial.enqueue(() => loadRecords(this.#vault, membershipOf(this.core), from, to));
  }

  async #effectsOn(target: Target): Promise<readonly LogRecord[]> {
    const found: LogRecord[] = [];
    for (const index of await findEffects(this.#vault, this.#keys, target))
      found.push(await this.#record(index));
    return found;
  }

  async #record(index: number): Promise<LogRecord> {
    const { log, core } = this.tables;
    const known = index >= log.loaded ? log.at(index) : undefined;
    if (known !== undefined) return known;
    const [record] = await loadRecords(this.#vault, membershipOf(core), index, index + 1);
    if (record === undefined) throw new Error('an empty range');
    return record;
  }

  #whole<T>(work: () => Promise<T> | T): Promise<T> {
    return withLoaded(work, (wanted) => this.#load(wanted));
  }

  /** Only ever in turn: what a write changes meanwhile would be loaded as it was. */
  async #load(wanted: Wanted): Promise<void> {
    const { tables } = this;
    const { log, sought, core } = tables;
    switch (wanted.kind) {
      case 'tail': {
        if (wanted.from >= log.loaded) return;
        const records = await loadRecords(this.#vault, membershipOf(core), wanted.from, log.loaded);
        log.extend(records);
        for (const record of records) indexRecord(tables, record);
        return;
      }
      case 'record': {
        const record = await this.#record(wanted.index);
        log.keep(record);
        indexRecord(tables, record);
        return;
      }
      case 'message':
        sought.messages.set(targetKey(wanted), await findMessage(this.#vault, this.#keys, wanted));
        await this.#seekNext(wanted);
        return;
      case 'position': {
        const { first, loaded: before } = log;
        const place = await findPlace(this.#vault, core, wanted.position, { first, before });
        sought.places.set(positionKey(wanted.position), place);
        return;
      }
      case 'rotations': {
        const from = Math.max(1, Math.min(wanted.from, tables.rotationsFrom - this.#window));
        const found = await loadRotations(this.#vault, membershipOf(core), from, tables.rotationsFrom);
        for (const [epoch, rotation] of found) tables.rotations.set(epoch, rotation);
        this.tables = { ...tables, rotationsFrom: from };
        return;
      }
    }
  }

  /** What a relay sends again after a loss comes in the order of its counters: the next are wanted too. */
  async #seekNext({ sender, instance, n }: Target): Promise<void> {
    const { sought } = this.tables;
    const { counter, retired } = this.sender(sender);
    const known = [...(counter === null ? [] : [counter]), ...retired].some((one) =>
      equalBytes(one.instance, instance),
    );
    // Of an instance that nobody has heard of there is no next one.
    const last = known ? Math.min(n + NEXT_SOUGHT, Number.MAX_SAFE_INTEGER) : n;
    const next = Array.from({ length: last - n }, (_, at) => ({ sender, instance, n: n + 1 + at }));
    await Promise.all(
      next.map(async (target) => {
        const key = targetKey(target);
        if (!sought.messages.has(key))
          sought.messages.set(key, await findMessage(this.#vault, this.#keys, target));
      }),
    );
  }

  /** Calls `watcher` with the indexes of the local log that each write has added or replaced. */
  watch(watcher: (indexes: ReadonlySet<number>) => void): void {
    this.#watchers.add(watcher);
  }

  async #store(draft: RoomDraft): Promise<void> {
    const records = [...draft.records(), ...(await draft.indexRecords(this.#keys))];
    try {
      await this.#vault.write(records);
    } catch (error) {
      await this.#reloadIfPossible(draft.changedIndexes);
      throw error;
    }
    for (const change of draft.changes) applyChange(this.tables, change, null);
    this.#bound();
    this.#notify(draft.changedIndexes);
  }

  #notify(indexes: ReadonlySet<number>): void {
    if (indexes.size > 0) for (const watcher of this.#watchers) watcher(indexes);
  }

  /** The failure that is under way is what its caller hears of; this one is met by the next write. */
  async #reloadIfPossible(touched: ReadonlySet<number>): Promise<void> {
    const stale = new Set([...(this.#stale ?? []), ...touched]);
    this.#stale = stale;
    try {
      await this.#reload(stale);
    } catch {
      this.#stale = stale;
    }
  }

  async #reload(stale: ReadonlySet<number>): Promise<void> {
    const { chainAhead, core } = this.tables;
    const { log: before } = this.tables;
    const range = { window: this.#window, from: before.loaded };
    const tables = await loadTables(this.#vault, membershipOf(core), this.#hash, range);
    this.#stale = null;
    if (tables === null) return;
    this.tables = { ...tables, chainAhead };
    const { log } = tables;
    const shown = [...stale].filter((index) => index >= log.loaded);
    this.#notify(new Set(shown.filter((index) => !sameRecord(before.at(index), log.at(index)))));
  }

  #bound(): void {
    const { log, sought, extras } = this.tables;
    const from = Math.min(this.#held, log.end - this.#window);
    const full = log.end - log.loaded > WINDOW_MOST * this.#window && from > log.loaded;
    // What was not there when it was looked for may have come since, and leaves memory now.
    for (const map of [sought.messages, sought.places]) if (full || map.size > SOUGHT_KEPT) map.clear();
    for (const key of extras.keys()) {
      if (extras.size <= SOUGHT_KEPT) break;
      extras.delete(key);
    }
    if (!full) return;
    for (const record of log.trim(from)) forgetRecord(this.tables, record);
  }
}

function sameRecord(a: LogRecord | undefined, b: LogRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encodeRecord(logRecord, a), encodeRecord(logRecord, b));
}
