/**
 * One live client per folder (docs/protocol.md section 9): an exclusive transaction on a
 * database of its own. The system gives it up with the process, however that ends.
 */
import { DatabaseSync } from 'node:sqlite';
import { ERROR_CODES } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { StorageLock } from '../contract/ports.js';
import { fileIn, sqliteCode } from './storage.js';

const SQLITE_BUSY = 5;

export class FolderLock implements StorageLock {
  readonly #folder: string;
  #held: DatabaseSync | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async acquire(): Promise<boolean> {
    if (this.#held !== null) return true;
    let db: DatabaseSync | null = null;
    try {
      db = new DatabaseSync(fileIn(this.#folder, 'lock.db'), { timeout: 0 });
      db.exec('BEGIN EXCLUSIVE');
      this.#held = db;
      return true;
    } catch (cause) {
      db?.close();
      if (sqliteCode(cause) === SQLITE_BUSY) return false;
      throw new ClientError(ERROR_CODES.VAULT_UNAVAILABLE, {}, { cause });
    }
  }

  async release(): Promise<void> {
    this.#held?.close();
    this.#held = null;
  }
}
