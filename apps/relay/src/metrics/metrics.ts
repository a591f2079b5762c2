/** What the relay counts. No id, name or address is in any label: only codes of this program's own. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '@0fc/protocol';

export type HandshakeResult = 'established' | 'failed' | 'timeout' | 'turnedAway';

/** What one connection tells. */
export interface ConnectionMetrics {
  handshake(result: HandshakeResult): void;
  /** a request, or the connection itself, was refused */
  refused(code: ErrorCode): void;
  /** entries of a log that go out to a member */
  delivered(entries: number): void;
  /** from taking a request to append to having its reply */
  appended(seconds: number): void;
}

/** What is asked for when somebody looks. */
export interface MetricSources {
  connections(): number;
  sessions(): number;
  queuedBytes(): number;
  rooms(): number;
  /** null: the embedded store */
  redis(): {
    readonly up: boolean;
    readonly broken: number;
    readonly losses: number;
    /** of Redis, that are waited for; null: none are */
    readonly replicas: { readonly missing: boolean; readonly failures: number } | null;
  } | null;
  /** relays on the same Redis, this one included */
  replicas(): Promise<number>;
}

/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export class RelayMetrics implements ConnectionMetrics {
  readonly registry = new Registry();
  readonly #handshakes: Counter<'result'>;
  readonly #refusals: Counter<'code'>;
  /** counted in passing: a counter of the library's for each would cost more than what it counts */
  #delivered = 0;
  readonly #appends: Histogram;

  constructor() {
    const registers = [this.registry];
    // Of the process: CPU, memory, and how late its event loop is.
    collectDefaultMetrics({ register: this.registry });
    this.#handshakes = new Counter({
      name: 'relay_handshakes_total',
      help: 'Handshakes by how they ended',
      labelNames: ['result'],
      registers,
    });
    this.#refusals = new Counter({
      name: 'relay_refusals_total',
      help: 'Requests and connections that were refused, by error code',
      labelNames: ['code'],
      registers,
    });
    this.#counter(
      'relay_deliveries_total',
      'Log entries sent to members as they came',
      () => this.#delivered,
    );
    this.#appends = new Histogram({
      name: 'relay_append_seconds',
      help: 'From taking a request to append to having its reply',
      buckets: BUCKETS,
      registers,
    });
  }

  handshake(result: HandshakeResult): void {
    this.#handshakes.inc({ result });
  }

  refused(code: ErrorCode): void {
    this.#refusals.inc({ code });
  }

  delivered(entries: number): void {
    this.#delivered += entries;
  }

  appended(seconds: number): void {
    this.#appends.observe(seconds);
  }

  /** Once, when there is something to ask. */
  watch(sources: MetricSources): void {
    const { registry } = this;
    const gauge = (name: string, help: string, value: () => number | Promise<number>): void => {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          this.set(await value());
        },
      });
    };
    gauge('relay_connections', 'Open connections', () => sources.connections());
    gauge('relay_sessions', 'Connections whose Secure Session stands', () => sources.sessions());
    gauge('relay_queue_bytes', 'Bytes that wait for slow readers', () => sources.queuedBytes());
    gauge('relay_rooms', 'Rooms with a member on this relay', () => sources.rooms());
    if (sources.redis() === null) return;
    gauge('relay_redis_up', '1 while commands reach Redis', () => (sources.redis()?.up === true ? 1 : 0));
    gauge(
      'relay_feed_broken_rooms',
      'Rooms whose subscription is broken',
      () => sources.redis()?.broken ?? 0,
    );
    gauge('relay_replicas', 'Relays on this Redis, this one included', () => sources.replicas());
    this.#counter(
      'relay_feed_losses_total',
      'Subscriptions of rooms that broke',
      () => sources.redis()?.losses ?? 0,
    );
    if (sources.redis()?.replicas === null) return;
    gauge(
      'relay_redis_replicas_missing',
      '1 while Redis has fewer replicas than are waited for, as the last WAIT found it',
      () => (sources.redis()?.replicas?.missing === true ? 1 : 0),
    );
    this.#counter(
      'relay_redis_waits_failed_total',
      'WAITs that too few replicas of Redis answered in time',
      () => sources.redis()?.replicas?.failures ?? 0,
    );
  }

  /** One that is asked for when somebody looks. */
  #counter(name: string, help: string, value: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }
}
