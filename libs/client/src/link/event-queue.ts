/**
 * The queue from which a connection calls out: never from inside a call that came in, and in
 * the order in which things happened on the link.
 */

/**
 * Microtask turns between two calls. A reply settles a promise, and what awaits it, through a
 * few async wrappers, must have run before the event that came after it: an `open` that goes
 * live, and then the feed.
 */
const TURNS_BETWEEN = 8;

export class Turns {
  #queue: (() => void)[] = [];
  #draining = false;

  /** Runs `call` in a later microtask, after all calls queued before it. */
  later(call: () => void): void {
    this.#queue.push(call);
    if (!this.#draining) this.#schedule();
  }

  #schedule(): void {
    this.#draining = true;
    queueMicrotask(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    try {
      for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
        call();
        for (let turn = 0; turn < TURNS_BETWEEN; turn++) await Promise.resolve();
      }
    } finally {
      // A call that throws is its owner's bug and surfaces as such; the others still run.
      if (this.#queue.length > 0) this.#schedule();
      else this.#draining = false;
    }
  }
}
