/** Random choices that a seed repeats: `SEED=123 npm run jest -- …`. The seed is printed by the caller. */
import { randomInt } from 'node:crypto';

const MOST = 2 ** 31;

export const seedOfRun = (): number => {
  const said = process.env.SEED;
  return said === undefined ? randomInt(MOST) : Number(said);
};

export class Dice {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** From 0 on, below `most`. */
  below(most: number): number {
    // Mulberry32: short, and the same on every machine.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
  }

  of<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}
