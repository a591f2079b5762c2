/** A member at work in this process: what it has been told, as it stands, and waiting for what is to come. */
import type { AppView, Failure, Outcome, RoomView, TimelineItem } from '../../contract/api.js';
import type { NodeClient } from '../client.js';
import { WatchedRoom, type Hear, type Turn } from './watched-room.js';

/** What a line of output is made from: plain data. */
export type Line = Readonly<Record<string, unknown>> & { readonly type: string };

/** A typed failure of a command: the client's own code, or TIMED_OUT of this program. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.code);
    this.failure = failure;
  }
}

/** The value of a command, or its failure thrown as {@link Refused}. */
export function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Refused(outcome.error);
  return outcome.value;
}

const TIMEOUT_MS = 60_000;

interface Waiting {
  look(): void;
  fail(error: unknown): void;
}

/** What the commands of a process have in common. */
interface Common {
  readonly watched: WatchedRoom;
  readonly waiting: Set<Waiting>;
  readonly timeoutMs: number | null;
  interrupted: boolean;
}

export class Agent {
  readonly client: NodeClient;
  readonly #common: Common;
  readonly #watched: WatchedRoom;
  #turn: Turn | null = null;

  private constructor(common: Common) {
    this.client = common.watched.client;
    this.#watched = common.watched;
    this.#common = common;
  }

  /** `timeoutMs`: how long a command waits for what it has asked for; null: as is usual for it. */
  static async over(client: NodeClient, timeoutMs: number | null, hear: Hear): Promise<Agent> {
    const waiting = new Set<Waiting>();
    const watched = new WatchedRoom(client, hear, () => {
      for (const one of [...waiting]) one.look();
    });
    await client.subscribe((event) => {
      watched.take(event);
    });
    return new Agent({ watched, waiting, timeoutMs, interrupted: false });
  }

  /** For one command beside others, which {@link release}s it at its end. */
  beside(): Agent {
    return new Agent(this.#common);
  }

  /** Others may look at another room now. */
  release(): void {
    if (this.#turn !== null) this.#watched.leave(this.#turn);
    this.#turn = null;
  }

  get app(): AppView | null {
    return this.#watched.app;
  }

  /** of the watched room */
  get room(): RoomView | null {
    return this.#watched.room;
  }

  /** in the order of the room */
  get items(): readonly TimelineItem[] {
    return this.#watched.items;
  }

  /**
   * The room with this id, or the one that was chosen, or the only one: never the one that a command happened to be
   * about, or the next text would go to other people. Throws {@link Refused} ROOM_UNKNOWN.
   */
  roomId(given: string | null): string {
    const rooms = this.app?.rooms ?? [];
    const only = rooms.length === 1 ? rooms[0]?.roomId : undefined;
    const roomId = given ?? this.#watched.chosen ?? only;
    if (roomId === undefined) throw new Refused({ code: 'ROOM_UNKNOWN', params: { rooms: rooms.length } });
    return roomId;
  }

  /** Watches a room; from now on commands that name no room are about it. Rejects as {@link watch}, and nothing is chosen. */
  async choose(roomId: string): Promise<RoomView> {
    this.#watched.choose(roomId);
    let well = false;
    try {
      const room = await this.watch(roomId);
      well = true;
      return room;
    } finally {
      this.#watched.chose(roomId, well);
    }
  }

  /** Watches a room, in this command's turn, and waits until its view and timeline are here. */
  async watch(roomId: string): Promise<RoomView> {
    if (this.#turn?.roomId !== roomId) {
      this.release();
      const turn = (this.#turn = this.#watched.ask(roomId));
      await this.until(() => (this.#watched.has(turn) ? true : null));
      value(await this.#watched.show(roomId));
    }
    return this.until(() => this.#watched.whole(roomId));
  }

  /**
   * Watches a room and waits until the probe of its view is true. A stopped link, or the room's end, ends it. Patience
   * has an end where it would keep another room, which somebody has chosen, from being told.
   */
  async roomIs(roomId: string, probe: (room: RoomView) => boolean, patient = false): Promise<RoomView> {
    await this.watch(roomId);
    const { chosen } = this.#watched;
    return this.until(
      () => {
        const { room } = this;
        if (room?.roomId !== roomId) return null;
        if (probe(room)) return room;
        if (room.stopped !== null) throw new Refused(room.stopped);
        // Left, removed or closed: whatever is waited for comes no more.
        if (room.stage !== 'member') throw new Refused({ code: 'NOT_MEMBER', params: { stage: room.stage } });
        return null;
      },
      patient && (chosen ?? roomId) === roomId,
    );
  }

  /** Until the log has been read to its end, at this moment. */
  live(roomId: string): Promise<RoomView> {
    return this.roomIs(roomId, (room) => room.connection === 'connected' && !room.catchingUp);
  }

  /**
   * The first value that is not null, looked for at every event. Rejects with what the probe
   * throws, with {@link Refused} TIMED_OUT {seconds}, or with INTERRUPTED when the agent ends.
   * `patient`: what hangs on another person has no end of its own.
   */
  async until<T>(probe: () => T | null, patient = false): Promise<T> {
    const now = probe();
    if (now !== null) return now;
    if (this.interrupted) throw new Refused({ code: 'INTERRUPTED' });
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting: Waiting = {
      look: () => {
        try {
          const found = probe();
          if (found !== null) resolve(found);
        } catch (error) {
          reject(error);
        }
      },
      fail: reject,
    };
    const ms = this.#common.timeoutMs ?? (patient ? null : TIMEOUT_MS);
    const timer =
      ms === null
        ? null
        : setTimeout(() => {
            reject(new Refused({ code: 'TIMED_OUT', params: { seconds: ms / 1_000 } }));
          }, ms);
    this.#common.waiting.add(waiting);
    try {
      return await promise;
    } finally {
      this.#common.waiting.delete(waiting);
      if (timer !== null) clearTimeout(timer);
    }
  }

  /** Until the next event. */
  next(): Promise<void> {
    let first = true;
    return this.until(() => {
      const looked = first;
      first = false;
      return looked ? null : true;
    }).then(() => undefined);
  }

  /** Everything has been told to stop. */
  get interrupted(): boolean {
    return this.#common.interrupted;
  }

  /** What waits, and what would wait from now on, is refused with INTERRUPTED. */
  interrupt(): void {
    this.#common.interrupted = true;
    for (const waiting of this.#common.waiting) waiting.fail(new Refused({ code: 'INTERRUPTED' }));
  }

  /** Closes the links and the vault. */
  async end(): Promise<void> {
    this.interrupt();
    await this.client.close();
  }
}
