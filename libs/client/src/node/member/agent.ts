/** A member at work in this process: what it has been told, as it stands, and waiting for what is to come. */
import type { AppView, ClientEvent, Failure, Outcome, RoomView, TimelineItem } from '../../contract/api.js';
import type { NodeClient } from '../client.js';

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

/** Told each event once the agent has taken it in, with the items that it brings or changes. */
export type Hear = (event: ClientEvent, lines: TimelineChange | null) => void;

/** What an event of the watched timeline changes of what was told before. */
export interface TimelineChange {
  /** nothing was told yet */
  readonly begins: boolean;
  readonly items: readonly TimelineItem[];
  /** ids */
  readonly removed: readonly string[];
}

const TIMEOUT_MS = 60_000;

interface Waiting {
  look(): void;
  fail(error: unknown): void;
}

export class Agent {
  readonly client: NodeClient;
  app: AppView | null = null;
  /** of the watched room */
  room: RoomView | null = null;
  readonly #items = new Map<string, TimelineItem>();
  /** the room whose timeline has been told since it was asked for */
  #timelineOf: string | null = null;
  #watching: string | null = null;
  /** the room of commands that name none; null: nobody has chosen one */
  #chosen: string | null = null;
  #interrupted = false;
  readonly #waiting = new Set<Waiting>();
  readonly #timeoutMs: number | null;
  readonly #hear: Hear;

  private constructor(client: NodeClient, timeoutMs: number | null, hear: Hear) {
    this.client = client;
    this.#timeoutMs = timeoutMs;
    this.#hear = hear;
  }

  /** `timeoutMs`: how long a command waits for what it has asked for; null: as is usual for it. */
  static async over(client: NodeClient, timeoutMs: number | null, hear: Hear): Promise<Agent> {
    const agent = new Agent(client, timeoutMs, hear);
    await client.subscribe((event) => {
      agent.#take(event);
    });
    return agent;
  }

  /** in the order of the room */
  get items(): readonly TimelineItem[] {
    return [...this.#items.values()].sort((a, b) => a.order - b.order);
  }

  #take(event: ClientEvent): void {
    let lines: TimelineChange | null = null;
    if (event.type === 'app') this.app = event.app;
    else if (event.type === 'room') this.room = event.room;
    else {
      if (event.roomId !== this.#watching) return;
      lines = this.#takeItems(event);
    }
    this.#hear(event, lines);
    for (const waiting of [...this.#waiting]) waiting.look();
  }

  /** A page is drawn anew where a name changes; here only what is not what it was is told. */
  #takeItems(event: Extract<ClientEvent, { type: 'timeline' }>): TimelineChange {
    const before = new Map(this.#items);
    const begins = this.#timelineOf !== event.roomId;
    if (event.reset) this.#items.clear();
    for (const id of event.removed) this.#items.delete(id);
    for (const item of event.items) this.#items.set(item.id, item);
    this.#timelineOf = event.roomId;
    return {
      begins,
      items: event.items.filter((item) => JSON.stringify(before.get(item.id)) !== JSON.stringify(item)),
      removed: [...before.keys()].filter((id) => !this.#items.has(id)),
    };
  }

  /**
   * The room with this id, or the one that was chosen, or the only one: never the one that a command happened to be
   * about, or the next text would go to other people. Throws {@link Refused} ROOM_UNKNOWN.
   */
  roomId(given: string | null): string {
    const rooms = this.app?.rooms ?? [];
    const only = rooms.length === 1 ? rooms[0]?.roomId : undefined;
    const roomId = given ?? this.#chosen ?? only;
    if (roomId === undefined) throw new Refused({ code: 'ROOM_UNKNOWN', params: { rooms: rooms.length } });
    return roomId;
  }

  /** Watches a room; from now on commands that name no room are about it. Rejects as {@link watch}, and nothing is chosen. */
  async choose(roomId: string): Promise<RoomView> {
    const before = this.#chosen;
    this.#chosen = roomId;
    try {
      return await this.watch(roomId);
    } catch (error) {
      if (this.#chosen === roomId) this.#chosen = before;
      throw error;
    }
  }

  /** Watches a room and waits until its view and timeline are here. */
  async watch(roomId: string): Promise<RoomView> {
    if (this.#watching !== roomId) {
      this.#watching = roomId;
      this.room = null;
      this.#timelineOf = null;
      this.#items.clear();
      try {
        value(await this.client.watchRoom(roomId));
      } catch (error) {
        this.#watching = null;
        throw error;
      }
    }
    return this.until(() => (this.#timelineOf === roomId && this.room?.roomId === roomId ? this.room : null));
  }

  /** Watches a room and waits until the probe of its view is true. A stopped link, or the room's end, ends it. */
  async roomIs(roomId: string, probe: (room: RoomView) => boolean, patient = false): Promise<RoomView> {
    await this.watch(roomId);
    return this.until(() => {
      const { room } = this;
      if (room?.roomId !== roomId) return null;
      if (probe(room)) return room;
      if (room.stopped !== null) throw new Refused(room.stopped);
      // Left, removed or closed: whatever is waited for comes no more.
      if (room.stage !== 'member') throw new Refused({ code: 'NOT_MEMBER', params: { stage: room.stage } });
      return null;
    }, patient);
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
    if (this.#interrupted) throw new Refused({ code: 'INTERRUPTED' });
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
    const ms = this.#timeoutMs ?? (patient ? null : TIMEOUT_MS);
    const timer =
      ms === null
        ? null
        : setTimeout(() => {
            reject(new Refused({ code: 'TIMED_OUT', params: { seconds: ms / 1_000 } }));
          }, ms);
    this.#waiting.add(waiting);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(waiting);
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
    return this.#interrupted;
  }

  /** What waits, and what would wait from now on, is refused with INTERRUPTED. */
  interrupt(): void {
    this.#interrupted = true;
    for (const waiting of this.#waiting) waiting.fail(new Refused({ code: 'INTERRUPTED' }));
  }

  /** Closes the links and the vault. */
  async end(): Promise<void> {
    this.interrupt();
    await this.client.close();
  }
}
