/** Restarts what a relay or another member has stopped, with growing delays. */
import { Backoff } from '../../link/backoff.js';
import type { Platform } from '../../contract/ports.js';
import { isFinal } from './refusals.js';

/** Longest delay before a restart, in milliseconds. */
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

  /** Restarts after a delay. `code`: why it stopped; after a final one only the user restarts it. */
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

  /** Success: the next delay is a short one. */
  reset(): void {
    this.#backoff.reset();
  }
}
