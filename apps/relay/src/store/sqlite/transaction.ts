/** What a command of the embedded store works with: statements, the clock, and the feed. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { RoomId } from '@0fc/protocol';
import type { RoomEvent } from '../../rooms/port/room-store.js';

export interface Publication {
  readonly roomId: RoomId;
  readonly event: RoomEvent;
}

/** Prepared statements by their text: SQLite compiles each once. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  of(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

/** One command's share of a transaction. */
export class Transaction {
  readonly #statements: Statements;
  /** names this start of the store: a room of an earlier one gets a new generation (section 6) */
  readonly boot: string;
  /** Unix ms */
  readonly now: number;
  readonly publications: Publication[] = [];

  constructor(statements: Statements, boot: string, now: number) {
    this.#statements = statements;
    this.boot = boot;
    this.now = now;
  }

  /** The rows, as `Row` says they are. */
  all<Row extends object>(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#statements.of(sql).all(...values) as Row[];
  }

  /** How many rows changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#statements.of(sql).run(...values).changes);
  }

  /** Goes out in this order, once the transaction has become durable. */
  publish(roomId: RoomId, event: RoomEvent): void {
    this.publications.push({ roomId, event });
  }
}
