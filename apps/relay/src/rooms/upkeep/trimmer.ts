/**
 * Trims logs in the background, one room at a time and never in the path of an append
 * (docs/protocol.md section 8). The store says what may go; the transcript at the new edge is
 * computed here, as every client does, and set together with the edge.
 */
import { comparePositions, type Bytes, type Position, type RoomId } from '@0fc/protocol';
import { transcriptGeneration, transcriptOver, transcriptStart, type Hash } from '@0fc/crypto/verify';
import type { RoomStore } from '../port/room-store.js';
import type { Trimmable, Upkeep } from '../port/store-upkeep.js';

/** Of one command, so that the store's other work never waits long. */
const MOST_ENTRIES = 256;
const MOST_BYTES = 1_048_576;

export interface TrimmerOptions {
  readonly store: Pick<RoomStore, keyof Upkeep>;
  readonly hash: Hash;
  readonly historyBytes: number;
  /** between two rounds: acknowledgements come often, and one look serves them all */
  readonly restMs: number;
  readonly failed: (error: unknown) => void;
}

export class Trimmer {
  readonly #options: TrimmerOptions;
  #due = new Set<RoomId>();
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #ended = false;

  constructor(options: TrimmerOptions) {
    this.#options = options;
  }

  /** Something happened in the room that may let some of its log go. */
  due(roomId: RoomId): void {
    if (this.#ended) return;
    this.#due.add(roomId);
    this.#schedule();
  }

  /** Resolves once no command of it is under way. Idempotent. */
  async end(): Promise<void> {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#due.clear();
    await this.#round;
  }

  #schedule(): void {
    if (this.#timer !== null || this.#round !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#round = this.#trimAll().finally(() => {
        this.#round = null;
        if (this.#due.size > 0 && !this.#ended) this.#schedule();
      });
    }, this.#options.restMs);
    this.#timer.unref();
  }

  async #trimAll(): Promise<void> {
    const rooms = this.#due;
    this.#due = new Set();
    for (const roomId of rooms) {
      try {
        while (!this.#ended && (await this.step(roomId)));
      } catch (error) {
        this.#options.failed(error);
      }
    }
  }

  /** Trims a bounded piece of a room's log; false: there was nothing, or another replica was first. */
  async step(roomId: RoomId): Promise<boolean> {
    const { store, hash, historyBytes } = this.#options;
    const result = await store.readTrimmable({
      roomId,
      historyBytes,
      maxEntries: MOST_ENTRIES,
      maxBytes: MOST_BYTES,
    });
    if (!result.ok || result.trimmable === null) return false;
    const { from } = result.trimmable;
    const { to, t } = await transcriptAcross(hash, result.trimmable);
    const done = await store.trim({ roomId, from, to, t });
    return done.ok && done.trimmed;
  }
}

/** The transcript at the last entry of a piece of the log, from the one at the edge before it. */
export async function transcriptAcross(
  hash: Hash,
  { from, t: before, generations, entries }: Trimmable,
): Promise<{ readonly to: Position; readonly t: Bytes }> {
  let t = before;
  let to = from;
  let next = 0;
  for (const entry of entries) {
    for (let start = generations[next]; start !== undefined; start = generations[++next]) {
      if (start.generation > entry.position.g) break;
      if (t === null) throw new Error('a generation before genesis');
      t = await transcriptGeneration(hash, t, start.generation);
    }
    if (comparePositions(entry.position, to) < 0) throw new Error('a log out of its order');
    t = t === null ? await transcriptStart(hash, entry.payload) : await transcriptOver(hash, t, entry);
    to = entry.position;
  }
  if (t === null) throw new Error('nothing to trim');
  return { to, t };
}
