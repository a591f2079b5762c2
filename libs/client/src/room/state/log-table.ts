/**
 * The local log: records by index, without a gap. Memory holds its end, a window that is extended backwards when
 * older records are read (not-loaded.ts), and single records before it.
 */
import { NotLoaded } from './not-loaded.js';
import type { LogRecord } from '../../vault/records.js';

export interface LogView {
  /** index of the oldest record that the vault holds */
  readonly first: number;
  /** index of the oldest record from which on all are in memory */
  readonly loaded: number;
  /** one past the index of the newest */
  readonly end: number;
  /** Throws NotLoaded. */
  at(index: number): LogRecord | undefined;
  /** Throws NotLoaded at the first record that is not in memory. */
  newestFirst(): Iterable<LogRecord>;
  /** From an index on. Throws NotLoaded. */
  oldestFirst(from: number): Iterable<LogRecord>;
}

abstract class Walkable implements LogView {
  abstract readonly first: number;
  abstract readonly loaded: number;
  abstract readonly end: number;
  abstract at(index: number): LogRecord | undefined;

  *newestFirst(): Iterable<LogRecord> {
    for (let index = this.end - 1; index >= this.first; index--) {
      if (index < this.loaded) throw new NotLoaded({ kind: 'tail', from: this.#further() });
      const record = this.at(index);
      if (record !== undefined) yield record;
    }
  }

  *oldestFirst(from: number): Iterable<LogRecord> {
    const begin = Math.max(from, this.first);
    if (begin < this.loaded) throw new NotLoaded({ kind: 'tail', from: begin });
    for (let index = begin; index < this.end; index++) {
      const record = this.at(index);
      if (record !== undefined) yield record;
    }
  }

  /** Doubles the window: reading far back takes few steps. */
  #further(): number {
    return Math.max(this.first, this.loaded - Math.max(1, this.end - this.loaded));
  }
}

/** Records that are read at once, at least. */
export const LOG_STEP = 512;

export interface Log extends LogView {
  /** Adds the record at `end`, or replaces the one with its index. */
  put(record: LogRecord): void;
}

/** The end of a room's log, as the vault holds it. */
export class LogWindow extends Walkable implements Log {
  readonly first: number;
  #loaded: number;
  /** from `loaded` on */
  #records: LogRecord[];
  readonly #apart = new Map<number, LogRecord>();

  /** `records` ascend by index without a hole; `next`: the index of the first one to come where there is none. */
  constructor(
    records: readonly LogRecord[],
    { first, next }: { readonly first: number; readonly next: number },
  ) {
    super();
    this.#records = [...records];
    this.#loaded = records[0]?.index ?? next;
    this.first = Math.min(first, this.#loaded);
  }

  get loaded(): number {
    return this.#loaded;
  }

  get end(): number {
    return this.#loaded + this.#records.length;
  }

  at(index: number): LogRecord | undefined {
    if (index >= this.#loaded || index < this.first) return this.#records[index - this.#loaded];
    const record = this.#apart.get(index);
    if (record === undefined) throw new NotLoaded({ kind: 'record', index });
    return record;
  }

  put(record: LogRecord): void {
    if (record.index >= this.#loaded) this.#records[record.index - this.#loaded] = record;
    else this.#apart.set(record.index, record);
  }

  /** Records that end where the window begins: it begins with them from now on. */
  extend(records: readonly LogRecord[]): void {
    const [oldest] = records;
    if (oldest === undefined) return;
    this.#records = [...records, ...this.#records];
    this.#loaded = oldest.index;
    for (const { index } of records) this.#apart.delete(index);
  }

  /** A record before the window. */
  keep(record: LogRecord): void {
    if (record.index < this.#loaded) this.#apart.set(record.index, record);
  }

  /** Number of records before the window. */
  get apart(): number {
    return this.#apart.size;
  }

  /** Drops the records before the window from memory, and returns them. */
  dropApart(): readonly LogRecord[] {
    const gone = [...this.#apart.values()];
    this.#apart.clear();
    return gone;
  }

  /** Drops records before an index from memory, and returns them. */
  trim(from: number): readonly LogRecord[] {
    const gone = [...this.dropApart(), ...this.#records.slice(0, Math.max(0, from - this.#loaded))];
    this.#records = this.#records.slice(Math.max(0, from - this.#loaded));
    this.#loaded = Math.max(this.#loaded, from);
    return gone;
  }
}

/** A log with the records that a draft has added and replaced. */
export class LayeredLog extends Walkable implements Log {
  readonly #base: LogView;
  readonly #changed = new Map<number, LogRecord>();
  end: number;

  constructor(base: LogView) {
    super();
    this.#base = base;
    this.end = base.end;
  }

  get first(): number {
    return this.#base.first;
  }

  get loaded(): number {
    return this.#base.loaded;
  }

  at(index: number): LogRecord | undefined {
    return this.#changed.get(index) ?? this.#base.at(index);
  }

  put(record: LogRecord): void {
    this.#changed.set(record.index, record);
    this.end = Math.max(this.end, record.index + 1);
  }
}
