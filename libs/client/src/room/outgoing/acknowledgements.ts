/**
 * Tells the relay what is stored here (docs/protocol.md section 8). It governs trimming at the relay only: one
 * that is lost is made good by the next.
 */
import { failureOf } from '../../contract/errors.js';
import type { RoomHandle } from './part.js';
import { sendOnce } from './outgoing.js';

/** Entries after which it is said at once, and milliseconds after which it is said in any case. */
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
