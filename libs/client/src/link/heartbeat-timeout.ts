/**
 * Judges a link by its silence: a relay sends something at least as often as it has promised in `hello`
 * (docs/protocol.md section 3).
 */
import type { Clock } from '@0fc/crypto/keys';
import type { Timers } from '../contract/ports.js';

/** Silence that ends a link, in heartbeat intervals: one may be lost in a slow network, and the next be late. */
const SILENT_INTERVALS = 2.4;
/** The same from the moment on that this device is awake again. */
const WAKING_INTERVALS = 1.4;
/** A timer that is so late, in milliseconds, has slept with its device, and what came meanwhile may not be read yet. */
const SLEPT_MS = 500;

/** The longest silence that a link survives, in milliseconds. `heartbeatMs`: as in hello. */
export const longestSilenceMs = (heartbeatMs: number, timeoutFactor: number): number =>
  SILENT_INTERVALS * heartbeatMs * timeoutFactor;

export interface HeartbeatTimeoutOptions {
  readonly timers: Timers;
  readonly clock: Clock;
  /** as in hello */
  readonly heartbeatMs: number;
  /** What a slow network needs: how many times as long as usual silence may last. */
  readonly timeoutFactor: number;
  /** Once, and nothing after it. */
  readonly onTimeout: () => void;
}

export class HeartbeatTimeout {
  readonly #options: HeartbeatTimeoutOptions;
  #timeoutFactor: number;
  #heardAt: number;
  /** since the current wait began */
  #heard = false;
  /** when that ends, by the clock */
  #due = 0;
  /** the wait before this one had slept */
  #slept = false;
  #cancel: () => void = () => undefined;

  /** From now on. */
  constructor(options: HeartbeatTimeoutOptions) {
    this.#options = options;
    this.#timeoutFactor = options.timeoutFactor;
    this.#heardAt = options.clock.now();
    this.#wait(this.#longest);
  }

  /** For the next wait, and those after it. */
  set timeoutFactor(factor: number) {
    this.#timeoutFactor = factor;
  }

  get #longest(): number {
    return longestSilenceMs(this.#options.heartbeatMs, this.#timeoutFactor);
  }

  /** Something came from the relay itself. */
  heard(): void {
    this.#heard = true;
    this.#heardAt = this.#options.clock.now();
  }

  /**
   * The device may have slept, its timers with it: then a relay that is there is heard soon. Where it has not, nothing is
   * judged sooner: a relay could tell from that who looks at a page.
   */
  wake(): void {
    if (this.#options.clock.now() > this.#due) this.#afterSleep();
  }

  end(): void {
    this.#cancel();
  }

  #afterSleep(): void {
    this.#slept = true;
    this.#wait(WAKING_INTERVALS * this.#options.heartbeatMs * this.#timeoutFactor);
  }

  /** Ends it in so many milliseconds, where nothing is heard till then. */
  #wait(ms: number): void {
    const { timers, clock, onTimeout } = this.#options;
    this.#due = clock.now() + ms;
    this.#heard = false;
    this.#cancel();
    this.#cancel = timers.after(ms, () => {
      const now = clock.now();
      // Once in a row: timers that are always late would never judge.
      if (now - this.#due > SLEPT_MS && !this.#slept) {
        this.#afterSleep();
        return;
      }
      this.#slept = false;
      // The clock may have been set: no silence is longer than the time that was waited.
      const silent = Math.min(Math.max(0, now - this.#heardAt), ms);
      if (this.#heard) this.#wait(Math.max(1, this.#longest - silent));
      else onTimeout();
    });
  }
}
