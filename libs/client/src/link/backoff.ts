/** When to connect again: exponential backoff with full jitter, so that clients spread out. */
import type { Random } from '@0fc/crypto/keys';

/** Ceiling of the first delay, and of all, in milliseconds. */
export const BACKOFF_FIRST_MS = 250;
const BACKOFF_MOST_MS = 15_000;
/**
 * Of each ceiling to the one before: the next attempt after an outage comes, in the worst case, about as long after its
 * end as it had lasted.
 */
const BACKOFF_GROWTH = 1.5;

/** A random integer from 0 to `most`, in milliseconds. */
export function randomUpTo(random: Random, most: number): number {
  const raw = random.bytes(4);
  const value = new DataView(raw.buffer, raw.byteOffset, raw.byteLength).getUint32(0);
  return Math.floor((value / 2 ** 32) * (most + 1));
}

export class Backoff {
  readonly #random: Random;
  readonly #most: number;
  #failures = 0;

  /** `most`: ceiling of all delays, in milliseconds. */
  constructor(random: Random, most = BACKOFF_MOST_MS) {
    this.#random = random;
    this.#most = most;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const ceiling = Math.min(this.#most, BACKOFF_FIRST_MS * BACKOFF_GROWTH ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return randomUpTo(this.#random, ceiling);
  }

  reset(): void {
    this.#failures = 0;
  }
}
