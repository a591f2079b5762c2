/**
 * The queue of the callbacks of a connection: replies and events in the order of the link, never synchronously from
 * inside a call to the connection.
 */
export class EventQueue {
  #calls: (() => void)[] = [];
  #scheduled = false;

  /**
   * Runs `call` in a microtask of its own, after all calls queued before it: a caller that awaits the promise of
   * a request directly continues before the event that followed the reply; through another async function it may
   * continue after that event.
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
