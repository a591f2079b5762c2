/**
 * The file and its one writer. Commands that come in one turn share a transaction, and so
 * one flush to the disk; each keeps its own savepoint. Nothing is answered or published
 * before the transaction is durable (docs/protocol.md G16).
 */
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../rooms/port/result.js';
import { migrate } from './schema.js';
import { Statements, Transaction, type Publication } from './transaction.js';

interface Command {
  readonly work: (transaction: Transaction) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}
type Done = { readonly command: Command } & ({ readonly result: unknown } | { readonly error: unknown });

/** Commands of one transaction, and bytes that they publish: beyond them the event loop gets its turn. */
const BATCH = 64;
const BATCH_BYTES = 524_288;

const SQLITE_FULL = 13;
const SQLITE_BUSY = 5;

/** SQLite's refusals as the port has them; anything else is a fault of ours and stays what it is. */
function storeError(error: unknown): unknown {
  // By its shape: errors of Node's own cross realms.
  const code =
    typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) & 0xff : null;
  if (code === SQLITE_FULL) return new StoreError('STORE_FULL', error);
  if (code === SQLITE_BUSY) return new StoreError('TRY_AGAIN', error);
  return error;
}

/** What is published goes to every reader of a room at once: this bounds what falls due in one turn. */
const bytesOf = (publications: readonly Publication[]): number =>
  publications.reduce(
    (sum, { event }) =>
      event.type === 'entries' ? event.entries.reduce((all, { payload }) => all + payload.length, sum) : sum,
    0,
  );

export interface EngineOptions {
  /** a file, or ':memory:' */
  readonly path: string;
  readonly boot: string;
  readonly now: () => number;
  readonly publish: (publication: Publication) => void;
}

export class Engine {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #options: EngineOptions;
  #queue: Command[] = [];
  #scheduled = false;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#database = new DatabaseSync(options.path);
    // FULL: a commit has reached the disk, also in WAL mode. One process: the lock is kept.
    this.#database.exec(
      'PRAGMA busy_timeout = 500; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL',
    );
    migrate(this.#database);
    this.#statements = new Statements(this.#database);
  }

  /** Runs a command in the next transaction. What it throws undoes it alone. */
  run<T>(work: (transaction: Transaction) => T): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('TRY_AGAIN'));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (result: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Finishes what is queued and closes the file. */
  close(): void {
    if (this.#closed) return;
    while (this.#queue.length > 0) this.#flush();
    this.#closed = true;
    this.#database.close();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#queue.slice(0, BATCH);
    const publications: Publication[] = [];
    const done: Done[] = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const command of batch) {
        done.push(this.#one(command, publications));
        if (bytesOf(publications) > BATCH_BYTES) break;
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#queue.splice(0, batch.length);
      for (const { reject } of batch) reject(storeError(error));
      if (this.#queue.length > 0) this.#schedule();
      return;
    }
    this.#queue.splice(0, done.length);
    if (this.#queue.length > 0) this.#schedule();
    for (const publication of publications) this.#options.publish(publication);
    for (const item of done) {
      if ('error' in item) item.command.reject(item.error);
      else item.command.resolve(item.result);
    }
  }

  #one(command: Command, publications: Publication[]): Done {
    this.#database.exec('SAVEPOINT command');
    try {
      const transaction = new Transaction(this.#statements, this.#options.boot, this.#options.now());
      const result = command.work(transaction);
      this.#database.exec('RELEASE command');
      publications.push(...transaction.publications);
      return { command, result };
    } catch (error) {
      // A full disk may have ended the whole transaction already.
      if (!this.#database.isTransaction) throw error;
      this.#database.exec('ROLLBACK TO command; RELEASE command');
      return { command, error: storeError(error) };
    }
  }
}
