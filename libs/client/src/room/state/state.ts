/**
 * One room in memory, as the vault holds it. It changes by {@link RoomState.write} alone: the changes of a draft are
 * encoded and stored in one atomic write, and only then applied to memory. So memory is never ahead of the disk. A
 * failed write may have been carried out in part: memory is loaded again after it (docs/protocol.md section 9).
 *
 * Memory holds the end of the log and all short parts. What a piece of work reads beyond that is loaded, and the work
 * starts over (not-loaded.ts). So work has no effects except the changes that it applies to its draft.
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
import { forgetRecord, indexRecord, positionKey } from './record-index.js';
import { applyChange, type Tables } from './tables.js';

/** Factor of the initial window at which memory drops older records that no view shows. */
const WINDOW_MOST = 8;
/** Number of lookups, and of transcripts without a record, that are kept. */
const SOUGHT_KEPT = 4_096;
/** Number of single records before the window that are kept, where no piece of work needs more at once. */
const APART_KEPT = 1_024;
/** Number of following counters that are looked up together. */
const NEXT_SOUGHT = 31;

interface StateTables extends Tables {
  readonly log: LogWindow;
}

/** A message that was looked up, and the records that change it. */
export interface FoundMessage {
  readonly record: LogRecord;
  /** the records that change it, oldest first */
  readonly effects: readonly LogRecord[];
}

export class RoomState extends RoomSnapshot {
  protected tables: StateTables;
  /** Serializes work on the room. */
  readonly serial = new SerialQueue();

  readonly #vault: Vault;
  readonly #hash: Hash;
  readonly #watchers = new Set<(indexes: ReadonlySet<number>) => void>();
  /** indexes that a failed write may have changed, while memory could not be loaded again; null: none */
  #stale: Set<number> | null = null;
  readonly #keys: IndexKeys;
  /** index of the oldest record that a view shows: it stays in memory */
  #held = Infinity;

  /** most records before the window that stay: twice what one piece of work needs, which the next one may need again */
  #apartMost = APART_KEPT;

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

  /** Stores a new room, with the changes of `work`, in one atomic write. */
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
      transcripts: new Map(), extras: new Map(), messages: new Map(), effects: new Map(), sought: { messages: new Map(), places: new Map(), effects: new Map() },
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
   * Runs `work` on a draft, serialized, and stores its changes: all or none. It is run again, on a new draft, where
   * it has read what was not in memory. Rejects as `work` does, without a change, or with VAULT_FULL,
   * VAULT_UNAVAILABLE, VAULT_LOCKED.
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

  /** Runs read-only `work`; again where it has read what was not in memory. */
  async read<T>(work: () => Promise<T> | T): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error;
      return this.inTurn(work);
    }
  }

  /** As {@link read}, serialized with writes. */
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

  /** Keeps the log in memory from an index on; Infinity: no view shows it. */
  hold(from: number): void {
    this.#held = from;
  }

  /** A message and the records that change it, anywhere in the log; null: there is none. */
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
    const { apart } = this.tables.log;
    return withLoaded(work, async (wanted) => {
      await this.#load(wanted);
      this.#apartMost = Math.max(this.#apartMost, 2 * (this.tables.log.apart - apart));
    });
  }

  /** Serialized: a concurrent write would make the loaded parts outdated. */
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
      case 'effects': {
        const indexes = await findEffects(this.#vault, this.#keys, wanted);
        sought.effects.set(targetKey(wanted), indexes);
        // All of them are read next: asked for one by one, each would begin the work anew.
        for (const index of indexes) {
          const record = await this.#record(index);
          log.keep(record);
          indexRecord(tables, record);
        }
        return;
      }
      case 'several':
        for (const one of wanted.wanted) await this.#load(one);
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

  /** Messages that are resent after a loss arrive in the order of counters: the next ones are loaded too. */
  async #seekNext({ sender, instance, n }: Target): Promise<void> {
    const { sought } = this.tables;
    const { counter, retired } = this.sender(sender);
    const known = [...(counter === null ? [] : [counter]), ...retired].some((one) =>
      equalBytes(one.instance, instance),
    );
    // An unknown instance has no next counter.
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

  /** The caller receives the first failure; the next write meets this one. */
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
    // A lookup without a result may be outdated by now, and is dropped.
    for (const map of [sought.messages, sought.places, sought.effects])
      if (full || map.size > SOUGHT_KEPT) map.clear();
    for (const key of extras.keys()) {
      if (extras.size <= SOUGHT_KEPT) break;
      extras.delete(key);
    }
    if (full) this.#apartMost = APART_KEPT;
    else if (log.apart <= this.#apartMost) return;
    // Else the effects that were looked up would be asked for one by one.
    sought.effects.clear();
    for (const record of full ? log.trim(from) : log.dropApart()) forgetRecord(this.tables, record);
  }
}

function sameRecord(a: LogRecord | undefined, b: LogRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encodeRecord(logRecord, a), encodeRecord(logRecord, b));
}
