/**
 * One room in memory, as the vault holds it. It changes by {@link RoomState.write} alone: a draft is made,
 * its records are encoded and stored in one atomic write, and only then does memory follow. So memory is never
 * ahead of the disk; after a failed write, of which nobody can say how far it came, it is read from there again
 * (docs/protocol.md section 9).
 */
import { equalBytes, type RoomId } from '@0fc/protocol';
import type { Hash, Roster } from '@0fc/crypto/verify';
import type { Vault } from '../../vault.js';
import { RoomSnapshot, TRANSCRIPTS_KEPT, type RoomDraft } from './draft.js';
import { loadTables } from './load.js';
import { StoredLog } from './log-table.js';
import { encodeRecord, logRecord, type LogRecord, type RoomCore } from './records.js';
import { SerialQueue } from './serial.js';
import { applyChange, type Tables } from './tables.js';

export class RoomState extends RoomSnapshot {
  protected tables: Tables;
  /** Pieces of work on the room, one after the other; an export waits here for what is being written. */
  readonly serial = new SerialQueue();

  readonly #vault: Vault;
  readonly #hash: Hash;
  readonly #watchers = new Set<(indexes: ReadonlySet<number>) => void>();
  /** a write failed, and memory could not be read again since: the records that it may have changed all the same */
  #stale: Set<number> | null = null;

  private constructor(vault: Vault, hash: Hash, tables: Tables) {
    super();
    this.#vault = vault;
    this.#hash = hash;
    this.tables = tables;
  }

  /** Stores a room that begins, with what `work` adds to its first fields, in one atomic write. */
  static async create(
    vault: Vault,
    hash: Hash,
    begin: { readonly core: RoomCore; readonly roster: Roster },
    work: (draft: RoomDraft) => Promise<void> | void,
  ): Promise<RoomState> {
    const { core, roster } = begin;
    const state = new RoomState(vault, hash, {
      core, roster, chainAhead: [], log: new StoredLog([], core.nextIndex), chain: new Map(), heads: new Map(),
      rotations: new Map(), senders: new Map(), outbox: new Map(), invites: new Map(), transcripts: new Map(), mids: new Map(),
    }); // prettier-ignore
    await state.write(async (draft) => {
      draft.apply({ kind: 'set', fields: core });
      await work(draft);
    });
    return state;
  }

  /** Null: the vault has no such room. Rejects with VAULT_DAMAGED, MALFORMED. */
  static async load(vault: Vault, roomId: RoomId, hash: Hash): Promise<RoomState | null> {
    const tables = await loadTables(vault, roomId, hash);
    return tables === null ? null : new RoomState(vault, hash, tables);
  }

  /**
   * Runs `work` on a draft, after whatever was asked for before, and stores what it applied: all or nothing.
   * Rejects as `work` does, with nothing changed, or with VAULT_FULL, VAULT_UNAVAILABLE, VAULT_LOCKED.
   */
  write<T>(work: (draft: RoomDraft) => Promise<T> | T): Promise<T> {
    return this.serial.run(async () => {
      if (this.#stale !== null) await this.#reload(this.#stale);
      const draft = this.fork();
      const result = await work(draft);
      await this.#store(draft);
      return result;
    });
  }

  /** Calls `watcher` with the indexes of the local log that each write has added or replaced. */
  watch(watcher: (indexes: ReadonlySet<number>) => void): void {
    this.#watchers.add(watcher);
  }

  async #store(draft: RoomDraft): Promise<void> {
    const records = draft.records();
    try {
      await this.#vault.write(records);
    } catch (error) {
      await this.#reloadIfPossible(draft.touched);
      throw error;
    }
    for (const change of draft.changes) applyChange(this.tables, change, null);
    this.#boundTranscripts();
    this.#notify(draft.touched);
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
    const tables = await loadTables(this.#vault, core.roomId, this.#hash);
    this.#stale = null;
    if (tables === null) return;
    const before = this.tables.log;
    this.tables = { ...tables, chainAhead };
    this.#notify(new Set([...stale].filter((index) => !sameRecord(before.at(index), tables.log.at(index)))));
  }

  #boundTranscripts(): void {
    const { transcripts } = this.tables;
    for (const key of transcripts.keys()) {
      if (transcripts.size <= TRANSCRIPTS_KEPT) return;
      transcripts.delete(key);
    }
  }
}

function sameRecord(a: LogRecord | undefined, b: LogRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encodeRecord(logRecord, a), encodeRecord(logRecord, b));
}
