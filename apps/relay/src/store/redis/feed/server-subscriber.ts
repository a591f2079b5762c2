/** Subscriptions at one server: a standalone one, or the master that sentinels name. */
import type { Redis } from 'ioredis';
import { HearingConnection } from './subscriber-connection.js';
import type { Subscriber, SubscriberEvents } from './subscriber.js';

export class ServerSubscriber implements Subscriber {
  readonly #redis: Redis;
  readonly #failed: (error: unknown) => void;
  #connection: HearingConnection | null = null;

  /** `redis` as HearingOptions has it */
  constructor(redis: Redis, failed: (error: unknown) => void) {
    this.#redis = redis;
    this.#failed = failed;
  }

  get alive(): boolean {
    return this.#connection?.alive ?? false;
  }

  listen(events: SubscriberEvents): void {
    this.#connection = new HearingConnection({ redis: this.#redis, events, failed: this.#failed });
    this.#connection.connect().catch(this.#failed);
  }

  async subscribe(channel: string): Promise<void> {
    await this.#heard.connect();
    await this.#heard.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#heard.unsubscribe(channel);
  }

  async probe(): Promise<void> {
    await this.#heard.connect();
    await this.#heard.probe();
  }

  close(): void {
    this.#connection?.close();
  }

  get #heard(): HearingConnection {
    if (this.#connection === null) throw new Error('nobody listens');
    return this.#connection;
  }
}
