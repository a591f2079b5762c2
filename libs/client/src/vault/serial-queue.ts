/** Runs asynchronous pieces of work one after the other, in the order they were asked for. */
export class SerialQueue {
  #tail: Promise<void> = Promise.resolve();

  /** Resolves or rejects as `work` does; a failure does not stop what comes after. */
  enqueue<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
