/** One live tab per vault (docs/protocol.md section 9): a Web Lock, which ends with its worker. */
import { ERROR_CODES } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { StorageLock } from '../contract/ports.js';

const LOCK_NAME = '0fc-vault';

export class WebLock implements StorageLock {
  readonly #locks: LockManager;
  #release: (() => void) | null = null;

  constructor(locks: LockManager) {
    this.#locks = locks;
  }

  async acquire(): Promise<boolean> {
    if (this.#release !== null) return true;
    return new Promise((resolve, reject) => {
      this.#locks
        .request(LOCK_NAME, { ifAvailable: true }, (lock) => {
          if (lock === null) {
            resolve(false);
            return undefined;
          }
          // The lock is held until the promise that this returns is settled.
          return new Promise<void>((release) => {
            this.#release = release;
            resolve(true);
          });
        })
        .catch((cause: unknown) => reject(new ClientError(ERROR_CODES.VAULT_UNAVAILABLE, {}, { cause })));
    });
  }

  async release(): Promise<void> {
    this.#release?.();
    this.#release = null;
  }
}
