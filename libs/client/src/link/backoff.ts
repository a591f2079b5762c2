/** When to connect again: exponential backoff with full jitter, so that clients spread out. */
import type { Random } from '@0fc/crypto/keys';

/** Ceiling of the first delay, and of all, in milliseconds. */
export const BACKOFF_FIRST_MS = 250;
const BACKOFF_MOST_MS = 15_000;

/** A random integer from 0 to `most`, in milliseconds. */
export function randomUpTo(random: Random, most: number): number {
  const raw = random.bytes(4);
  const value = new DataView(raw.buffer, raw.byteOffset, raw.byteLength).getUint32(0);
  return Math.floor((value / 2 ** 32) * (most + 1));
}

export class Backoff {
  readonly #random: Random;
  readonly #most: number;
  readonly #growth: number;
  #failures = 0;

  /** `most`: ceiling of all delays, in milliseconds. `growth`: of each ceiling to the one before. */
  constructor(random: Random, { most = BACKOFF_MOST_MS, growth = 2 } = {}) {
    this.#random = random;
    this.#most = most;
    this.#growth = growth;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const ceiling = Math.min(this.#most, BACKOFF_FIRST_MS * this.#growth ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return randomUpTo(this.#random, ceiling);
  }

  reset(): void {
    this.#failures = 0;
  }
}
