/**
 * Handshakes in a queue (relay.md, limits): each costs milliseconds of the one event loop, and
 * live traffic must not wait behind a flood of them. After each, as long as it took times a
 * factor goes to everything else.
 */
export interface GateOptions {
  /** handshake frames that may wait; more are turned away */
  readonly most: number;
  /** time for everything else, as a multiple of the time that handshakes take */
  readonly rest: number;
}

export class HandshakeGate {
  readonly #options: GateOptions;
  readonly #waiting: (() => void)[] = [];
  #busy = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `step` in its turn. False: too many wait already, and it never will. */
  enter(step: () => void): boolean {
    if (this.#waiting.length >= this.#options.most) return false;
    this.#waiting.push(step);
    if (!this.#busy) {
      this.#busy = true;
      setImmediate(() => this.#next());
    }
    return true;
  }

  #next(): void {
    const step = this.#waiting.shift();
    if (step === undefined) {
      this.#busy = false;
      return;
    }
    const begun = performance.now();
    try {
      step();
    } finally {
      setTimeout(() => this.#next(), (performance.now() - begun) * this.#options.rest);
    }
  }
}
