/** When views are made: soon after something has changed, and one at a time, since making one may wait for the vault. */
import type { Timers } from '../contract/ports.js';

/** Shortest interval between views, in milliseconds: a catch-up of hundreds of entries makes few of them. */
const VIEW_MS = 30;

export class ViewScheduler {
  readonly #timers: Timers;
  readonly #make: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #due: (() => void) | null = null;
  #making = false;
  #again = false;
  #stopped = false;

  constructor(timers: Timers, make: () => Promise<void>, failed: (error: unknown) => void) {
    this.#timers = timers;
    this.#make = make;
    this.#failed = failed;
  }

  /** Something that a view shows has changed. */
  changed(): void {
    if (this.#stopped) return;
    if (this.#making) this.#again = true;
    else this.#due ??= this.#timers.after(VIEW_MS, () => void this.#run());
  }

  stop(): void {
    this.#stopped = true;
    this.#due?.();
  }

  async #run(): Promise<void> {
    this.#due = null;
    this.#making = true;
    this.#again = false;
    await this.#make().catch(this.#failed);
    this.#making = false;
    this.#next();
  }

  #next(): void {
    if (this.#again) this.changed();
  }
}
