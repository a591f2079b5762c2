/**
 * Judges a link by its silence: a relay sends something at least as often as it has promised in `hello`
 * (docs/protocol.md section 3).
 */
import type { Clock } from '@0fc/crypto/keys';
import type { Timers } from '../contract/ports.js';

/** Silence that ends a link, in promised paces: one beat may be lost in a slow network, and the next be late. */
const SILENT_PACES = 2.4;
/** The same from the moment on that the page is shown again, the network is back, or this device has slept. */
const WAKING_PACES = 1.4;
/** A timer that is so late, in milliseconds, has slept with its device, and what came meanwhile is not read yet. */
const SLEPT_MS = 500;

export interface SilenceOptions {
  readonly timers: Timers;
  readonly clock: Clock;
  /** What a slow network needs: how many times as long as usual silence may last. */
  readonly patience: number;
  /** Once, and nothing after it. */
  readonly onSilent: () => void;
}

export class Silence {
  readonly #options: SilenceOptions;
  readonly #paceMs: number;
  #heardAt: number;
  /** since it is watched for as long as now */
  #heard = false;
  /** when it is judged next, by the clock */
  #due = 0;
  #cancel: () => void = () => undefined;

  /** From now on. `beatMs`: as in hello. */
  constructor(options: SilenceOptions, beatMs: number) {
    this.#options = options;
    this.#paceMs = beatMs * options.patience;
    this.#heardAt = options.clock.now();
    this.#watch(SILENT_PACES * this.#paceMs);
  }

  /** Something came from the relay itself. */
  heard(): void {
    this.#heard = true;
    this.#heardAt = this.#options.clock.now();
  }

  /** A relay that is there is heard soon. */
  wake(): void {
    const soon = WAKING_PACES * this.#paceMs;
    if (this.#due - this.#options.clock.now() > soon) this.#watch(soon);
  }

  end(): void {
    this.#cancel();
  }

  /** Ends it in so many milliseconds, where nothing is heard till then. */
  #watch(ms: number): void {
    const { timers, clock, onSilent } = this.#options;
    const due = clock.now() + ms;
    this.#due = due;
    this.#heard = false;
    this.#cancel();
    this.#cancel = timers.after(ms, () => {
      const now = clock.now();
      // The clock may have been set: no silence is longer than the time that was waited.
      const silent = Math.min(Math.max(0, now - this.#heardAt), ms);
      if (this.#heard) this.#watch(SILENT_PACES * this.#paceMs - silent);
      else if (now - due > SLEPT_MS) this.#watch(WAKING_PACES * this.#paceMs);
      else onSilent();
    });
  }
}
