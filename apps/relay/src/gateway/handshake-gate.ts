/**
 * Handshakes in a queue (docs/protocol.md section 3): each costs milliseconds of the one event loop, and lines
 * must not wait behind a flood of them. After each, as long as it took times a factor goes to everything
 * else, for as long as lines are delivered at all: where none are, as after a restart, all come back as fast as they
 * can. Addresses take turns, and where too many wait, those that have the most there make room.
 */
export interface GateOptions {
  /** handshake frames that may wait */
  readonly most: number;
  /** time for everything else, as a multiple of the time that handshakes take */
  readonly rest: number;
}

/** Milliseconds for which lines count as being delivered behind one that was. */
const LIVE_MS = 250;

/** What waits. One of the two is called, once. */
export interface WaitingHandshake {
  proceed(): void;
  /** Its turn will never come: too many wait. */
  reject(): void;
}

export class HandshakeGate {
  readonly #options: GateOptions;
  /** by address, in the order of their turns */
  readonly #queues = new Map<string, WaitingHandshake[]>();
  #count = 0;
  #busy = false;
  /** when a line was delivered last, milliseconds of performance.now */
  #liveAt = -Infinity;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#count;
  }

  /** A line has been delivered. */
  live(): void {
    this.#liveAt = performance.now();
  }

  enter(address: string, waiting: WaitingHandshake): void {
    const queue = this.#queues.get(address);
    if (queue === undefined) this.#queues.set(address, [waiting]);
    else queue.push(waiting);
    this.#count++;
    if (this.#count > this.#options.most) this.#dropOne(address);
    if (this.#busy || this.#count === 0) return;
    this.#busy = true;
    setImmediate(() => this.#next());
  }

  /** The last of those who have the most waiting; of several such, of whoever comes now. */
  #dropOne(coming: string): void {
    let most = coming;
    for (const [address, queue] of this.#queues) if (queue.length > this.#length(most)) most = address;
    const queue = this.#queues.get(most);
    const dropped = queue?.pop();
    if (queue?.length === 0) this.#queues.delete(most);
    this.#count--;
    dropped?.reject();
  }

  #length(address: string): number {
    return this.#queues.get(address)?.length ?? 0;
  }

  #next(): void {
    const [turn] = this.#queues;
    if (turn === undefined) {
      this.#busy = false;
      return;
    }
    const [address, queue] = turn;
    const step = queue.shift();
    this.#count--;
    // Behind all the others, if more of it wait.
    this.#queues.delete(address);
    if (queue.length > 0) this.#queues.set(address, queue);
    const begun = performance.now();
    try {
      step?.proceed();
    } finally {
      const now = performance.now();
      if (now - this.#liveAt < LIVE_MS) setTimeout(() => this.#next(), (now - begun) * this.#options.rest);
      else setImmediate(() => this.#next());
    }
  }
}
