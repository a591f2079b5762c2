/**
 * The rooms' feed over sharded publications (docs/protocol.md G16): one subscription per room with a
 * member here, shared by its sockets. Publications may be lost, subscriptions break: so every room
 * is compared with the store after its subscription has come back, and in any case now and then.
 */
import type { Position, RoomId } from '@0fc/protocol';
import { StoreError } from '../../../rooms/port/result.js';
import type { FeedCheck, RoomFeed } from '../../../rooms/port/room-feed.js';
import type { Subscriber } from './subscriber.js';

export type ReadTips = (roomIds: readonly RoomId[]) => Promise<ReadonlyMap<RoomId, Position | null>>;

export interface FeedTimers {
  /** Runs once, after milliseconds; what it returns cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface RedisFeedOptions {
  readonly subscriber: Subscriber;
  readonly channelOf: (roomId: RoomId) => string;
  readonly timers: FeedTimers;
  readonly failed: (what: string, error: unknown) => void;
}

export interface FeedFigures {
  /** rooms with a member here */
  readonly rooms: number;
  /** of them, those whose subscription is broken */
  readonly broken: number;
  /** subscriptions that broke, since the start */
  readonly losses: number;
}

/** A room is left this long after its last member: who reconnects finds it. */
export const LINGER_MS = 2_000;
export const COMPARE_MS = 15_000;
export const PROBE_MS = 5_000;
export const OPEN_MS = 8_000;
const RETRY_MS = 100;
const MOST_RETRY_MS = 1_000;
const CHUNK = 500;

interface Listener {
  readonly onMessage: (message: Buffer) => void;
  readonly onCheck: (check: FeedCheck) => void;
}

interface Room {
  readonly roomId: RoomId;
  readonly channel: string;
  readonly listeners: Set<Listener>;
  /** broken: it was subscribed, and is not at the moment */
  state: 'wanted' | 'subscribed' | 'broken';
  readonly waiting: Set<{ resolve: () => void; reject: (error: unknown) => void }>;
  cancelLinger: (() => void) | null;
}

export class RedisFeed implements RoomFeed {
  readonly #options: RedisFeedOptions;
  readonly #rooms = new Map<string, Room>();
  /** subscribed again, and still to be compared */
  #resumed = new Set<Room>();
  #readTips: ReadTips | null = null;
  #comparing = false;
  #losses = 0;
  /** one line for each outage, and not one for each room and attempt */
  #fine = true;
  #ended = false;
  #cancelCompare = (): void => undefined;
  #cancelProbe = (): void => undefined;

  constructor(options: RedisFeedOptions) {
    this.#options = options;
    options.subscriber.listen({
      message: (channel, message) => this.#deliver(channel, message),
      lost: (channels) => this.#lose(channels),
    });
  }

  /**
   * Begins to compare and to probe. The store, which needs the feed, is what reads the tips. Resolves
   * after the first probe, whatever it found.
   */
  async start(readTips: ReadTips): Promise<void> {
    this.#readTips = readTips;
    this.#compareLater();
    await this.#probe();
  }

  get figures(): FeedFigures {
    const rooms = [...this.#rooms.values()].filter(({ listeners }) => listeners.size > 0);
    return {
      rooms: rooms.length,
      broken: rooms.filter(({ state }) => state === 'broken').length,
      losses: this.#losses,
    };
  }

  /** Throws unless every room that is served is subscribed. */
  check(): void {
    if (!this.#options.subscriber.alive || this.figures.broken > 0) throw new StoreError('TRY_AGAIN');
  }

  close(): void {
    this.#ended = true;
    this.#cancelCompare();
    this.#cancelProbe();
    for (const room of this.#rooms.values()) {
      room.cancelLinger?.();
      for (const { reject } of room.waiting) reject(new StoreError('TRY_AGAIN'));
    }
    this.#rooms.clear();
    this.#options.subscriber.close();
  }

  async subscribe(
    roomId: RoomId,
    onMessage: (message: Buffer) => void,
    onCheck: (check: FeedCheck) => void,
  ): Promise<{ unsubscribe(): void }> {
    const room = this.#room(roomId);
    const listener: Listener = { onMessage, onCheck };
    room.cancelLinger?.();
    room.cancelLinger = null;
    room.listeners.add(listener);
    const unsubscribe = (): void => this.#leave(room, listener);
    try {
      await this.#whenSubscribed(room);
    } catch (error) {
      unsubscribe();
      throw error;
    }
    return { unsubscribe };
  }

  #room(roomId: RoomId): Room {
    const channel = this.#options.channelOf(roomId);
    const known = this.#rooms.get(channel);
    if (known !== undefined) return known;
    const room: Room = {
      roomId,
      channel,
      listeners: new Set(),
      state: 'wanted',
      waiting: new Set(),
      cancelLinger: null,
    };
    this.#rooms.set(channel, room);
    this.#subscribeWithRetry(room, RETRY_MS);
    return room;
  }

  async #whenSubscribed(room: Room): Promise<void> {
    if (this.#ended) throw new StoreError('TRY_AGAIN');
    if (room.state === 'subscribed') return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiting = { resolve: () => resolve(undefined), reject };
    room.waiting.add(waiting);
    const cancel = this.#options.timers.after(OPEN_MS, () => reject(new StoreError('TRY_AGAIN')));
    try {
      await promise;
    } finally {
      cancel();
      room.waiting.delete(waiting);
    }
  }

  /** Until it is subscribed or has no listener any more. One at a time for each room. */
  #subscribeWithRetry(room: Room, retryMs: number): void {
    const before = room.state;
    this.#options.subscriber.subscribe(room.channel).then(
      () => {
        this.#fine = true;
        if (this.#rooms.get(room.channel) !== room) {
          // Nobody waited for it, unless somebody came again meanwhile.
          if (!this.#rooms.has(room.channel)) this.#options.subscriber.unsubscribe(room.channel);
          return;
        }
        room.state = 'subscribed';
        for (const { resolve } of room.waiting) resolve();
        if (before === 'broken') this.#resume(room);
      },
      (error: unknown) => {
        this.#report('subscribing to a room failed', error);
        this.#options.timers.after(retryMs, () => {
          if (this.#rooms.get(room.channel) === room)
            this.#subscribeWithRetry(room, Math.min(retryMs * 2, MOST_RETRY_MS));
        });
      },
    );
  }

  #leave(room: Room, listener: Listener): void {
    room.listeners.delete(listener);
    if (room.listeners.size > 0 || room.cancelLinger !== null || this.#ended) return;
    room.cancelLinger = this.#options.timers.after(LINGER_MS, () => {
      this.#rooms.delete(room.channel);
      this.#resumed.delete(room);
      if (room.state === 'subscribed') this.#options.subscriber.unsubscribe(room.channel);
    });
  }

  #deliver(channel: string, message: Buffer): void {
    // A copy: a listener may be the one that ends itself, or another.
    for (const { onMessage } of [...(this.#rooms.get(channel)?.listeners ?? [])]) onMessage(message);
  }

  #lose(channels: readonly string[]): void {
    for (const channel of channels) {
      const room = this.#rooms.get(channel);
      // A subscription under way learns of it by its own failure.
      if (room?.state !== 'subscribed') continue;
      this.#losses++;
      room.state = 'broken';
      this.#subscribeWithRetry(room, RETRY_MS);
    }
  }

  #resume(room: Room): void {
    this.#resumed.add(room);
    // All that come back in one turn are compared together.
    if (this.#resumed.size === 1) setImmediate(() => this.#compareNow());
  }

  #compareNow(): void {
    if (this.#comparing || this.#resumed.size === 0 || this.#ended) return;
    const rooms = [...this.#resumed];
    this.#resumed = new Set();
    this.#comparing = true;
    this.#compare(rooms, true).then(
      () => {
        this.#comparing = false;
        this.#compareNow();
      },
      (error: unknown) => {
        this.#report('comparing rooms with the store failed', error);
        // A loss while they were not subscribed is still to be reported.
        for (const room of rooms) if (this.#rooms.get(room.channel) === room) this.#resumed.add(room);
        this.#options.timers.after(RETRY_MS, () => {
          this.#comparing = false;
          this.#compareNow();
        });
      },
    );
  }

  #compareLater(): void {
    this.#cancelCompare = this.#options.timers.after(COMPARE_MS, () => {
      const rooms = [...this.#rooms.values()].filter(({ state }) => state === 'subscribed');
      this.#compare(rooms, false)
        .catch((error: unknown) => this.#report('comparing rooms with the store failed', error))
        .finally(() => {
          if (!this.#ended) this.#compareLater();
        });
    });
  }

  async #compare(rooms: readonly Room[], resumed: boolean): Promise<void> {
    if (this.#readTips === null) return;
    for (let at = 0; at < rooms.length; at += CHUNK) {
      const some = rooms.slice(at, at + CHUNK);
      const tips = await this.#readTips(some.map(({ roomId }) => roomId));
      // What was published up to these tips comes before the answer to this: nothing is read that is only late.
      await this.#options.subscriber.probe();
      for (const room of some) {
        // One that broke meanwhile is compared once it is subscribed again.
        if (room.state !== 'subscribed') continue;
        const tip = tips.get(room.roomId) ?? null;
        for (const { onCheck } of [...room.listeners]) onCheck({ tip, resumed });
      }
    }
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.subscriber.probe();
      this.#fine = true;
    } catch (error) {
      this.#report('a subscription does not answer', error);
    }
    if (!this.#ended) this.#cancelProbe = this.#options.timers.after(PROBE_MS, () => void this.#probe());
  }

  #report(what: string, error: unknown): void {
    if (this.#fine && !this.#ended) this.#options.failed(what, error);
    this.#fine = false;
  }
}
