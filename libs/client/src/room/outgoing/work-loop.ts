/**
 * Runs one piece of work at a time, and once more when it was asked for in the meantime:
 * a signal that comes while the work is ending is not lost.
 */
export class WorkLoop {
  readonly #work: () => Promise<void>;
  #running = false;
  #again = false;

  /** `work` handles its own failures. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  signal(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#work();
      } while (this.#signalled());
    } finally {
      this.#running = false;
    }
  }

  #signalled(): boolean {
    return this.#again;
  }
}
