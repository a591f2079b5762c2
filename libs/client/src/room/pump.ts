/**
 * Runs one piece of work at a time, and once more when it was asked for in the meantime:
 * a wake-up that comes while the work is ending is not lost.
 */
export class Pump {
  readonly #work: () => Promise<void>;
  #running = false;
  #again = false;

  /** `work` handles its own failures. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  wake(): void {
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
      } while (this.#woken());
    } finally {
      this.#running = false;
    }
  }

  #woken(): boolean {
    return this.#again;
  }
}
