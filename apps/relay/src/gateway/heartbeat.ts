/**
 * Sends something on every connection at least every so often, so that a client knows by silence alone that its link is
 * dead (docs/protocol.md section 3). As often for all: it tells nothing of who looks at a page.
 */

/** Steps in one interval: how finely it is kept. */
const STEPS = 20;
/** From when on a heartbeat may go out, and at the latest does, in parts of the interval. */
const EARLIEST = 0.6;
const LATEST = 0.9;
/** Most connections in one step, in parts of all: after a stall all of them are due. */
const MOST = 0.25;

/** What the heartbeat needs of a connection. */
export interface HeartbeatTarget {
  /** when something was sent last, milliseconds of performance.now */
  readonly lastSent: number;
  /** Sends a heartbeat, where the connection is open and takes one. */
  beat(): void;
}

export class Heartbeat {
  readonly #timer: NodeJS.Timeout;

  /**
   * @param intervalMs most milliseconds between two things that are sent on an open connection, where not all are due at one time
   * @param random from 0 up to 1, exclusive
   */
  constructor(
    intervalMs: number,
    connections: ReadonlyMap<string, HeartbeatTarget>,
    random: () => number = Math.random,
  ) {
    const stepMs = intervalMs / STEPS;
    const [earliest, latest] = [EARLIEST * intervalMs, LATEST * intervalMs];
    this.#timer = setInterval(() => {
      const now = performance.now();
      let left = Math.ceil(MOST * connections.size);
      for (const connection of connections.values()) {
        if (left === 0) break;
        const silent = now - connection.lastSent;
        if (silent < earliest) continue;
        // As likely in each step that is left: what fell into step once would stay in step.
        if (silent < latest && random() > stepMs / (latest - silent + stepMs)) continue;
        connection.beat();
        left -= 1;
      }
    }, stepMs);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
