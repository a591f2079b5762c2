/** One connection in subscriber mode: its channels, and their loss when it ends or the server drops one. */
import type { Redis } from 'ioredis';
import type { SubscriberEvents } from './subscriber.js';

/** A connection that has no answer for so long, in milliseconds, is dead. */
const ANSWER_MS = 5_000;

export interface SubscriberConnectionOptions {
  /** not connected yet; subscribes to nothing by itself and queues nothing */
  readonly redis: Redis;
  readonly events: SubscriberEvents;
  readonly failed: (error: unknown) => void;
}

export class SubscriberConnection {
  readonly #redis: Redis;
  readonly #events: SubscriberEvents;
  readonly #channels = new Set<string>();
  #begun = false;
  #connecting: Promise<void> | null = null;
  /** abandoned, and not closed yet */
  #abandoned = false;
  /** rejects what waits for an answer when the connection ends: ioredis leaves that waiting */
  #waiting = new Set<(error: Error) => void>();

  constructor({ redis, events, failed }: SubscriberConnectionOptions) {
    this.#redis = redis;
    this.#events = events;
    redis.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      const name = channel.toString('latin1');
      // A channel that was lost is delivered again only from its confirmation on.
      if (this.#channels.has(name)) events.message(name, message);
    });
    redis.on('close', () => {
      this.#abandoned = false;
      this.#end();
    });
    // The server has dropped a channel (its slot has moved), and ioredis does not say which.
    redis.on('moved', () => this.#loseAll());
    redis.on('error', failed);
  }

  get alive(): boolean {
    return this.#redis.status === 'ready' && !this.#abandoned;
  }

  /** whether it has a channel, or may soon */
  get used(): boolean {
    return this.#channels.size > 0 || this.#connecting !== null;
  }

  /** Resolves or rejects with its first attempt; afterwards it reconnects by itself, and this resolves at once. */
  async connect(): Promise<void> {
    if (!this.#begun) {
      this.#begun = true;
      this.#connecting = this.#redis.connect().finally(() => {
        this.#connecting = null;
      });
    }
    await this.#connecting;
  }

  /** Resolves once the server has confirmed; rejects with its error, such as MOVED. */
  async subscribe(channel: string): Promise<void> {
    if (!this.alive) throw new Error('the connection is down');
    // Before it is confirmed: a message published right after it arrives in the same turn.
    this.#channels.add(channel);
    try {
      await this.#answer(this.#redis.ssubscribe(channel));
    } catch (error) {
      this.#channels.delete(channel);
      throw error;
    }
    if (!this.#channels.has(channel)) throw new Error('the subscription was lost as it was confirmed');
  }

  unsubscribe(channel: string): void {
    if (!this.#channels.delete(channel) || !this.alive) return;
    // Where it fails the connection is gone, and the subscription with it.
    this.#redis.sunsubscribe(channel).catch(() => undefined);
  }

  /** Rejects, and ends the connection, where no answer comes. */
  async probe(): Promise<void> {
    try {
      await this.#answer(this.#redis.ping());
    } catch (error) {
      // A dead connection reports nothing: its socket is destroyed, and another one opened.
      if (this.alive) {
        this.#abandoned = true;
        this.#redis.disconnect(true);
      }
      this.#end();
      throw error;
    }
  }

  close(): void {
    this.#channels.clear();
    this.#redis.disconnect();
  }

  async #answer<T>(asked: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('no answer')), ANSWER_MS);
    this.#waiting.add(reject);
    try {
      return await Promise.race([asked, promise]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(reject);
    }
  }

  #end(): void {
    for (const reject of this.#waiting) reject(new Error('the connection has ended'));
    this.#waiting.clear();
    this.#loseAll();
  }

  #loseAll(): void {
    if (this.#channels.size === 0) return;
    const lost = [...this.#channels];
    this.#channels.clear();
    this.#events.lost(lost);
  }
}
