/**
 * Sends something on every connection at least every so often, so that a client knows by silence alone that its link is
 * dead (docs/protocol.md section 3). Of one pace for all: it tells nothing of who looks at a page.
 */

/** How finely the pace is kept: parts of it. */
const PARTS = 20;

/** What a heartbeat asks of a connection. */
export interface Beating {
  /** Sends a beat where nothing has been sent since `since`, milliseconds of performance.now. */
  beat(since: number): void;
}

export class Heartbeat {
  readonly #timer: NodeJS.Timeout;

  /** @param paceMs most milliseconds between two things that are sent on an open connection */
  constructor(paceMs: number, connections: () => Iterable<Beating>) {
    const stepMs = paceMs / PARTS;
    this.#timer = setInterval(() => {
      // Due at the next step as well: then it would be late.
      const since = performance.now() - paceMs + 2 * stepMs;
      for (const connection of connections()) connection.beat(since);
    }, stepMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
