/** A vault's storage that is full, or slow, when a test says so; what it has stored lies in the real one. */
import { ERROR_CODES } from '@0fc/protocol';
import { ClientError, type Platform, type StoragePort } from '@0fc/client';
import { storageOver } from '../../libs/client/src/vault/storage-over.spec-support.js';

/** One disk over the restarts of its client: pass {@link over} to openOver. */
export class FailingDisk {
  /** writes that were asked for, failed ones included */
  writes = 0;
  /** writes that have failed since the last of the calls below that begin with fail */
  failed = 0;
  /** writes that wait for {@link pass} now */
  waiting = 0;
  #fails: (write: number) => boolean = () => false;
  #held = false;
  #let: (() => void)[] = [];

  /** The n-th write from now on fails, and no other. */
  failAt(n: number): void {
    this.failWhen((write) => write === n);
  }

  /** The n-th write from now on fails, and every one after it. */
  failFrom(n: number): void {
    this.failWhen((write) => write >= n);
  }

  failAlways(): void {
    this.failFrom(1);
  }

  /** Every write fails for which this holds: the first one from now on is 1. */
  failWhen(fails: (write: number) => boolean): void {
    const before = this.writes;
    this.failed = 0;
    this.#fails = (write) => fails(write - before);
  }

  /** There is room again. */
  heal(): void {
    this.#fails = () => false;
  }

  /** Writes wait from now on, each for its turn to be let through. */
  hold(): void {
    this.#held = true;
  }

  /** Lets the oldest write through that waits. */
  passOne(): void {
    this.#let.shift()?.();
  }

  /** Nothing waits any more. */
  pass(): void {
    this.#held = false;
    for (const go of this.#let.splice(0)) go();
  }

  readonly over = (platform: Platform): Platform => ({
    ...platform,
    storage: this.#around(platform.storage),
  });

  #around(storage: StoragePort): StoragePort {
    return storageOver(storage, {
      write: async (changes) => {
        const write = ++this.writes;
        if (this.#held) {
          this.waiting += 1;
          await new Promise<void>((resolve) => this.#let.push(resolve));
          this.waiting -= 1;
        }
        if (this.#fails(write)) {
          this.failed += 1;
          throw new ClientError(ERROR_CODES.VAULT_FULL);
        }
        await storage.write(changes);
      },
    });
  }
}
