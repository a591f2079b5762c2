/** The local log: records by index, without a hole. */
import type { LogRecord } from './records.js';

export interface LogView {
  /** index of the oldest record that is here */
  readonly first: number;
  /** one past the index of the newest */
  readonly end: number;
  at(index: number): LogRecord | undefined;
  newestFirst(): Iterable<LogRecord>;
  /** from an index on, or from the oldest */
  oldestFirst(from?: number): Iterable<LogRecord>;
}

abstract class Walkable implements LogView {
  abstract readonly first: number;
  abstract readonly end: number;
  abstract at(index: number): LogRecord | undefined;

  *newestFirst(): Iterable<LogRecord> {
    for (let index = this.end - 1; index >= this.first; index--) {
      const record = this.at(index);
      if (record !== undefined) yield record;
    }
  }

  *oldestFirst(from = this.first): Iterable<LogRecord> {
    for (let index = Math.max(from, this.first); index < this.end; index++) {
      const record = this.at(index);
      if (record !== undefined) yield record;
    }
  }
}

export interface Log extends LogView {
  /** Adds the record at `end`, or replaces the one with its index. */
  put(record: LogRecord): void;
}

/** All records of a room, as the vault holds them. */
export class StoredLog extends Walkable implements Log {
  readonly #records: LogRecord[];
  readonly first: number;

  /** `records` ascend by index without a hole; `next`: the index of the first one to come where there is none. */
  constructor(records: readonly LogRecord[], next: number) {
    super();
    this.#records = [...records];
    this.first = records[0]?.index ?? next;
  }

  get end(): number {
    return this.first + this.#records.length;
  }

  at(index: number): LogRecord | undefined {
    return this.#records[index - this.first];
  }

  put(record: LogRecord): void {
    this.#records[record.index - this.first] = record;
  }
}

/** What a draft has added to a log and replaced in it. */
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

  at(index: number): LogRecord | undefined {
    return this.#changed.get(index) ?? this.#base.at(index);
  }

  put(record: LogRecord): void {
    this.#changed.set(record.index, record);
    this.end = Math.max(this.end, record.index + 1);
  }
}
