/** Erases rooms that nobody has used for long, and the tombstones of rooms that ended long ago. */
import type { RoomId } from '@0fc/protocol';
import type { Upkeep } from '../port/store-upkeep.js';

/** Rooms of one look; between two the store's other work has its turn. */
const BATCH = 16;
const MS_PER_DAY = 86_400_000;

export interface SweeperOptions {
  readonly store: Pick<Upkeep, 'idleRooms' | 'expireRoom'>;
  /** 0: never */
  readonly idleDays: number;
  readonly everyMs: number;
  readonly now: () => number;
  readonly erased: (roomId: RoomId) => void;
  readonly done: (rooms: number) => void;
  readonly failed: (error: unknown) => void;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  #timer: NodeJS.Timeout | null = null;
  #sweep: Promise<void> | null = null;
  #ended = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Now, and from time to time from here on. */
  start(): void {
    if (this.#options.idleDays === 0 || this.#ended) return;
    this.#sweep ??= this.sweep()
      .then((rooms) => {
        if (rooms > 0) this.#options.done(rooms);
      })
      .catch((error: unknown) => {
        this.#options.failed(error);
      })
      .finally(() => {
        this.#sweep = null;
        if (this.#ended) return;
        this.#timer = setTimeout(() => {
          this.start();
        }, this.#options.everyMs);
        this.#timer.unref();
      });
  }

  /** Resolves once no command of it is under way. Idempotent. */
  async end(): Promise<void> {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#sweep;
  }

  /** How many rooms went. */
  async sweep(): Promise<number> {
    const { store, idleDays, now, erased } = this.#options;
    if (idleDays === 0) return 0;
    const before = now() - idleDays * MS_PER_DAY;
    let gone = 0;
    for (let cursor: string | null = null; ;) {
      const { rooms, next } = await store.idleRooms({ before, limit: BATCH, cursor });
      for (const roomId of rooms) {
        if (this.#ended) return gone;
        if (!(await store.expireRoom(roomId, before)).expired) continue;
        erased(roomId);
        gone++;
      }
      if (next === null) return gone;
      cursor = next;
    }
  }
}
