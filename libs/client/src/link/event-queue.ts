/**
 * The queue from which a connection calls out: replies and events in the order in which they came over the link, and
 * never from inside a call that came in.
 */
export class EventQueue {
  #calls: (() => void)[] = [];
  #scheduled = false;

  /**
   * Runs `call` in a microtask of its own, after all calls queued before it: whoever awaits a reply goes on before the
   * event that came behind it.
   */
  enqueue(call: () => void): void {
    this.#calls.push(call);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      const call = this.#calls.shift();
      try {
        call?.();
      } finally {
        // A call that throws is its owner's bug and surfaces as such; the others still run.
        this.#scheduled = false;
        if (this.#calls.length > 0) this.#schedule();
      }
    });
  }
}
