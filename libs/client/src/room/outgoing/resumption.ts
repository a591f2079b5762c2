/** Nothing that a relay or another member does stops anything for good: it is tried again, less and less often. */
import { Backoff } from '../../link/backoff.js';
import type { Platform } from '../../contract/ports.js';
import { isFinal } from './refusals.js';

/** The longest that what has stopped waits before it is tried again, in milliseconds. */
const MOST_MS = 120_000;

export class Resumption {
  readonly #timers: Platform['timers'];
  readonly #start: () => void;
  readonly #backoff: Backoff;
  #cancel: (() => void) | null = null;

  constructor({ crypto, timers }: Pick<Platform, 'crypto' | 'timers'>, start: () => void) {
    this.#timers = timers;
    this.#start = start;
    this.#backoff = new Backoff(crypto.random, MOST_MS);
  }

  /** `code`: why it has stopped; after some of them only the user goes on. */
  later(code: string): void {
    if (isFinal(code) || this.#cancel !== null) return;
    this.#cancel = this.#timers.after(this.#backoff.next(), () => {
      this.#cancel = null;
      this.#start();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** It goes well: the next delay is a short one. */
  reset(): void {
    this.#backoff.reset();
  }
}
