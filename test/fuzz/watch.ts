/**
 * The watchdog: a thread that sees a case that does not end, which a timer of the same thread would not.
 * It names the case and ends the process.
 */
import { Worker } from 'node:worker_threads';

/** Slots of the shared memory: what runs, since when, and how long it may. */
export const SLOT = { target: 0, case: 1, limitMs: 2, beat: 3, seed: 4 } as const;
const SLOTS = 5;
export const NAMES = [
  'codec', 'schemas', 'frames', 'invites', 'handshakes', 'wire', 'in-session', 'entries', 'session', 'connection',
  'records', 'exports', 'passphrases', 'hang', 'wrong',
] as const; // prettier-ignore

export class Watchdog {
  readonly #slots: Int32Array;
  readonly #worker: Worker;

  private constructor(slots: Int32Array, worker: Worker) {
    this.#slots = slots;
    this.#worker = worker;
  }

  static start(): Watchdog {
    const slots = new Int32Array(new SharedArrayBuffer(4 * SLOTS));
    const worker = new Worker(new URL('./watchdog.ts', import.meta.url), { workerData: slots });
    worker.unref();
    return new Watchdog(slots, worker);
  }

  begin(target: string, seed: number, limitMs: number): void {
    this.#slots[SLOT.target] = NAMES.findIndex((name) => name === target);
    this.#slots[SLOT.seed] = seed;
    this.beat(-1, limitMs);
  }

  /** A case begins, and may take so long. */
  beat(index: number, limitMs: number): void {
    this.#slots[SLOT.case] = index;
    this.#slots[SLOT.limitMs] = limitMs;
    Atomics.add(this.#slots, SLOT.beat, 1);
  }

  /** Nothing runs. */
  rest(): void {
    this.beat(-1, 0);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
