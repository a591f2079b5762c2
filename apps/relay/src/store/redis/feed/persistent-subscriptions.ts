/**
 * A few channels that stay subscribed, in the shape that Socket.IO's adapter expects of a Redis client. The adapter
 * awaits no confirmation and renews no subscription, so that both are done here.
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
        for (const channel of channels) this.#subscribeWithRetry(channel);
      },
    });
    this.#probeLater();
  }

  ssubscribe(channel: string): void {
    this.#channels.add(channel);
    this.#subscribeWithRetry(channel);
  }

  sunsubscribe(channel: string): void {
    if (this.#channels.delete(channel)) this.#subscriber.unsubscribe(channel);
  }

  close(): void {
    this.#ended = true;
    this.#cancelProbe();
    this.#subscriber.close();
  }

  #subscribeWithRetry(channel: string): void {
    if (this.#ended || !this.#channels.has(channel)) return;
    this.#subscriber.subscribe(channel).catch(() => {
      // Nothing depends on it at once, and readiness reports a Redis that cannot be reached.
      this.#timers.after(RETRY_MS, () => this.#subscribeWithRetry(channel));
    });
  }

  #probeLater(): void {
    this.#cancelProbe = this.#timers.after(PROBE_MS, () => {
      this.#subscriber
        .probe()
        // A channel whose connection does not answer is lost, and subscribed again.
        .catch(() => undefined)
        .finally(() => {
          if (!this.#ended) this.#probeLater();
        });
    });
  }
}
