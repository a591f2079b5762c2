/** Subscriptions at one server: a standalone one, or the master that sentinels name. */
import type { Redis } from 'ioredis';
import { SubscriberConnection } from './subscriber-connection.js';
import type { Subscriber, SubscriberEvents } from './subscriber.js';

export class ServerSubscriber implements Subscriber {
  readonly #redis: Redis;
  readonly #failed: (error: unknown) => void;
  #connection: SubscriberConnection | null = null;

  /** `redis` as HearingOptions has it */
  constructor(redis: Redis, failed: (error: unknown) => void) {
    this.#redis = redis;
    this.#failed = failed;
  }

  get alive(): boolean {
    return this.#connection?.alive ?? false;
  }

  listen(events: SubscriberEvents): void {
    this.#connection = new SubscriberConnection({ redis: this.#redis, events, failed: this.#failed });
    this.#connection.connect().catch(this.#failed);
  }

  async subscribe(channel: string): Promise<void> {
    await this.#listening.connect();
    await this.#listening.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#listening.unsubscribe(channel);
  }

  async probe(): Promise<void> {
    await this.#listening.connect();
    await this.#listening.probe();
  }

  close(): void {
    this.#connection?.close();
  }

  get #listening(): SubscriberConnection {
    if (this.#connection === null) throw new Error('nobody listens');
    return this.#connection;
  }
}
