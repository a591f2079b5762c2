/**
 * A few channels that stay subscribed to, in the shape that Socket.IO's adapter takes for a client of
 * Redis. It awaits nothing and makes nothing again, so that is done here.
 */
import { EventEmitter } from 'node:events';
import type { FeedTimers } from './redis-feed.js';
import type { Subscriber } from './subscriber.js';

const RETRY_MS = 500;
const PROBE_MS = 15_000;

export class PersistentSubscriptions extends EventEmitter<{
  smessageBuffer: [channel: Buffer, message: Buffer];
}> {
  readonly #subscriber: Subscriber;
  readonly #timers: FeedTimers;
  readonly #channels = new Set<string>();
  #ended = false;
  #cancelProbe = (): void => undefined;

  constructor(subscriber: Subscriber, timers: FeedTimers) {
    super();
    this.#subscriber = subscriber;
    this.#timers = timers;
    subscriber.listen({
      message: (channel, message) => void this.emit('smessageBuffer', Buffer.from(channel), message),
      lost: (channels) => {
        for (const channel of channels) this.#resubscribe(channel);
      },
    });
    this.#probeLater();
  }

  ssubscribe(channel: string): void {
    this.#channels.add(channel);
    this.#resubscribe(channel);
  }

  sunsubscribe(channel: string): void {
    if (this.#channels.delete(channel)) this.#subscriber.unsubscribe(channel);
  }

  close(): void {
    this.#ended = true;
    this.#cancelProbe();
    this.#subscriber.close();
  }

  #resubscribe(channel: string): void {
    if (this.#ended || !this.#channels.has(channel)) return;
    this.#subscriber.subscribe(channel).catch(() => {
      // Nothing depends on it at once, and readiness tells of a Redis that is not there.
      this.#timers.after(RETRY_MS, () => this.#resubscribe(channel));
    });
  }

  #probeLater(): void {
    this.#cancelProbe = this.#timers.after(PROBE_MS, () => {
      this.#subscriber
        .probe()
        // What does not answer is lost, and sought again.
        .catch(() => undefined)
        .finally(() => {
          if (!this.#ended) this.#probeLater();
        });
    });
  }
}
