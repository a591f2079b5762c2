/**
 * The vault's storage on Node (docs/protocol.md section 9): one SQLite file with one table.
 * A write is one transaction, durable once it returns, all or nothing under a kill or a loss
 * of power.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { ERROR_CODES, type ErrorCode } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { KeyFile, RecordPlace, StorageChange, StoragePort, StorageRecord } from '../contract/ports.js';
import { DiskKeyFile, MemoryKeyFile } from './key-file.js';

/** A folder name for storage that ends with the process: tests and throw-away members. */
export const IN_MEMORY = ':memory:';

/** Version of the table below, kept in the file's user_version. */
const SCHEMA_VERSION = 1;
/** Milliseconds to wait for another process that opens the same file. */
const BUSY_MS = 5_000;

/** SQLite's primary result codes that mean something of their own here. */
const SQLITE_CODES: Readonly<Record<number, ErrorCode>> = {
  11: ERROR_CODES.VAULT_DAMAGED, // SQLITE_CORRUPT
  13: ERROR_CODES.VAULT_FULL, // SQLITE_FULL
  26: ERROR_CODES.VAULT_DAMAGED, // SQLITE_NOTADB
};

/** SQLite's primary result code of an error, null for an error of another origin. */
export function sqliteCode(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null;
  if (!('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    const code = SQLITE_CODES[sqliteCode(cause) ?? 0] ?? ERROR_CODES.VAULT_UNAVAILABLE;
    throw new ClientError(code, {}, { cause });
  }
}

/** Makes the folder (readable by its owner alone) and the path of a file in it. */
export function fileIn(folder: string, name: string): string {
  if (folder === IN_MEMORY) return IN_MEMORY;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, name);
}

const byKey = (a: StorageRecord, b: StorageRecord): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

export class FileStorage implements StoragePort {
  readonly keyFile: KeyFile;
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync, keyFile: KeyFile) {
    this.#db = db;
    this.keyFile = keyFile;
  }

  /** Throws VAULT_DAMAGED, VAULT_UNAVAILABLE, or UNSUPPORTED_VERSION for a later client's file. */
  static open(folder: string): FileStorage {
    return attempt(() => {
      const path = fileIn(folder, 'vault.db');
      const db = new DatabaseSync(path, { timeout: BUSY_MS });
      try {
        if (path !== IN_MEMORY) chmodSync(path, 0o600);
        prepare(db);
        return new FileStorage(
          db,
          path === IN_MEMORY ? new MemoryKeyFile() : new DiskKeyFile(fileIn(folder, 'vault.keys')),
        );
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  async read(store: string, key: string): Promise<Uint8Array | null> {
    const rows = this.#rows('SELECT key, value FROM records WHERE store = ? AND key = ?', store, key);
    return rows[0]?.value ?? null;
  }

  async overwrites(): Promise<boolean> {
    return true;
  }

  async readEach(places: readonly RecordPlace[]): Promise<readonly (Uint8Array | null)[]> {
    return attempt(() => {
      const one = this.#db.prepare('SELECT value FROM records WHERE store = ? AND key = ?');
      return places.map(({ store, key }) => (one.get(store, key)?.value ?? null) as Uint8Array | null);
    });
  }

  async listAfter(
    place: RecordPlace | null,
    most: number,
  ): Promise<readonly (RecordPlace & StorageRecord)[]> {
    const sql =
      'SELECT store, key, value FROM records WHERE (store, key) > (?, ?) ORDER BY store, key LIMIT ?';
    // No store has an empty name.
    const rows = attempt(() => this.#db.prepare(sql).all(place?.store ?? '', place?.key ?? '', most));
    return rows.map(({ store, key, value }) => ({
      store: store as string,
      key: key as string,
      value: value as Uint8Array,
    }));
  }

  async list(store: string): Promise<readonly StorageRecord[]> {
    return this.#rows('SELECT key, value FROM records WHERE store = ?', store);
  }

  async listFrom(store: string, prefix: string): Promise<readonly StorageRecord[]> {
    // Keys with the prefix are the first ones at or after it, in any order of text.
    return this.#rows(
      'SELECT key, value FROM records WHERE store = ? AND key >= ? AND substr(key, 1, length(?)) = ?',
      store,
      prefix,
      prefix,
      prefix,
    );
  }

  async listBetween(
    store: string,
    from: string,
    to: string,
    most?: number,
  ): Promise<readonly StorageRecord[]> {
    const sql =
      'SELECT key, value FROM records WHERE store = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?';
    // SQLite's "no limit" is a negative one.
    return this.#rows(sql, store, from, to, most ?? -1);
  }

  async count(store: string): Promise<number> {
    const sql = 'SELECT count(*) AS count FROM records WHERE store = ?';
    return attempt(() => Number(this.#db.prepare(sql).get(store)?.count));
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    this.#transaction(() => {
      const put = this.#db.prepare('INSERT OR REPLACE INTO records (store, key, value) VALUES (?, ?, ?)');
      const remove = this.#db.prepare('DELETE FROM records WHERE store = ? AND key = ?');
      for (const { store, key, value } of changes) {
        if (value === null) remove.run(store, key);
        else put.run(store, key, value);
      }
    });
  }

  async erase(): Promise<void> {
    this.#transaction(() => this.#db.exec('DELETE FROM records'));
    // The deleted pages leave the files too.
    attempt(() => this.#db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  async close(): Promise<void> {
    await this.keyFile.close();
    if (this.#db.isOpen) attempt(() => this.#db.close());
  }

  #rows(sql: string, ...values: readonly SQLInputValue[]): readonly StorageRecord[] {
    const rows = attempt(() => this.#db.prepare(sql).all(...values));
    // Plain string order is that of UTF-16, SQLite's that of UTF-8.
    return rows.map(({ key, value }) => ({ key: key as string, value: value as Uint8Array })).sort(byKey);
  }

  #transaction(run: () => void): void {
    attempt(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        run();
        this.#db.exec('COMMIT');
      } catch (error) {
        // SQLite has rolled some failures back already.
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }
}

function prepare(db: DatabaseSync): void {
  // FULL: a commit is on the disk when it returns. secure_delete: a deleted key is overwritten (G8).
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
  const version = db.prepare('PRAGMA user_version').get()?.user_version;
  if (version !== 0 && version !== SCHEMA_VERSION) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION);
  db.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS records (
      store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = ${SCHEMA_VERSION};
    COMMIT`);
}
