/**
 * Runs one piece of work at a time, and once more when it was signalled meanwhile: a signal while the work is ending
 * is not lost.
 */
export class WorkLoop {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | null = null;
  #again = false;

  /** `work` handles its own failures. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves once the work has been run for this signal and has come to its end. */
  signal(): Promise<void> {
    if (this.#running === null) this.#running = this.#run();
    else this.#again = true;
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#work();
      } while (this.#signalled());
    } finally {
      this.#running = null;
    }
  }

  #signalled(): boolean {
    return this.#again;
  }
}
