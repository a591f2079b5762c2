/** Runs of a random actor: `SEED=… RUNS=…` makes the same ones again. */
import { Dice, seedOfRun } from '../../support/random.js';

/** How many runs each test makes where RUNS does not say so. */
const FEW = 2;

export const RUNS = Number(process.env.RUNS ?? FEW);
const FIRST_SEED = seedOfRun();
/** Consecutive, so that a seed that fails is named and run alone: `SEED=… RUNS=1`. */
export const SEEDS = Array.from({ length: RUNS }, (_, at) => (FIRST_SEED + at) % 2 ** 31);

/**
 * Choices of one step, whatever the steps before it have drawn: how many there are depends on what has
 * arrived by then, and that on the machine.
 */
export const diceOf = (seed: number, step: number): Dice =>
  new Dice(Math.imul(seed + 1, 7_919) + step * 104_729);

/** The steps so far, in words, for the text of a failure. */
export class Trace {
  readonly #seed: number;
  readonly #lines: string[] = [];
  readonly #begun = performance.now();

  constructor(seed: number) {
    this.#seed = seed;
  }

  note(line: string): void {
    const ms = String(Math.round(performance.now() - this.#begun)).padStart(6);
    this.#lines.push(`${ms} ${line}`);
  }

  /** With the milliseconds since the beginning. */
  get text(): string {
    return this.#lines.join('\n');
  }

  /** Runs; a failure names the seed and every command until then. */
  async over(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const again = `SEED=${String(this.#seed)} RUNS=1`;
      throw new Error(`${again}\n${words}\nafter:\n${this.text}`, { cause: error });
    } finally {
      if (process.env.TRACE !== undefined)
        process.stdout.write(`seed ${String(this.#seed)}\n${this.text}\n\n`);
    }
  }
}
