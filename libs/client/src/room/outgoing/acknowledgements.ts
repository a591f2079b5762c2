/**
 * Acknowledges to the relay what this client has stored (docs/protocol.md section 8). The relay uses that for
 * trimming only; the next acknowledgement makes up for a lost one.
 */
import { failureOf } from '../../contract/errors.js';
import { sendOnce, type RoomHandle } from './part.js';

/**
 * Number of entries after which an acknowledgement is sent at once, and milliseconds after which it is sent in any
 * case.
 */
const EVERY = 50;
const SOON_MS = 5_000;

export class Acknowledgements {
  readonly #room: RoomHandle;
  #acknowledged = 0;
  #later: (() => void) | null = null;

  constructor(room: RoomHandle) {
    this.#room = room;
  }

  soon(): void {
    const { live, state, platform } = this.#room;
    if (!live) return;
    if (state.core.position.s - this.#acknowledged >= EVERY) this.now();
    else {
      this.#later ??= platform.timers.after(SOON_MS, () => {
        this.#later = null;
        this.now();
      });
    }
  }

  now(): void {
    const { live, state, connection } = this.#room;
    const { position } = state.core;
    if (!live || position.s <= this.#acknowledged) return;
    this.#acknowledged = position.s;
    sendOnce(connection, { kind: 'ack', body: { position } }).then(
      (taken) => {
        if (!taken) this.#acknowledged = 0;
      },
      (error: unknown) => {
        this.#room.halt(failureOf(error));
      },
    );
  }

  stop(): void {
    this.#later?.();
    this.#later = null;
  }
}
