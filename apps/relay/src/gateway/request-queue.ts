/** The requests of one connection: those that wait, with the bytes of the frames that brought them, served in order. */
import { ERROR_CODES, type SessionMessage } from '@0fc/protocol';
import type { TokenBuckets } from '../limits/token-buckets.js';
import type { ConnectionMetrics } from '../metrics/metrics.js';
import type { RelayContext } from '../rooms/commands/context.js';
import { dispatch, type RequestMessage } from '../rooms/commands/dispatch.js';
import type { Peer } from '../rooms/delivery/peer.js';
import type { Rate } from '../rooms/port/room-store.js';
import type { ConnectionLog } from './wire.js';

const MOST_REQUESTS = 1_024;
/** Frames' worth of bytes. */
const MOST_FRAMES = 4;

export interface RequestQueueOptions {
  readonly context: RelayContext;
  readonly peer: Peer;
  readonly buckets: TokenBuckets;
  readonly rate: Rate;
  readonly metrics: ConnectionMetrics;
  readonly log: ConnectionLog;
  readonly reply: (message: SessionMessage, kind: string) => void;
  /** Something broke on our side while a request was served. */
  readonly fault: (error: unknown, fields: object, text: string) => void;
}

export class RequestQueue {
  readonly #options: RequestQueueOptions;
  #waiting: { readonly message: RequestMessage; readonly bytes: number }[] = [];
  #bytes = 0;
  /** held: it is not known yet whose the requests are */
  #state: 'held' | 'idle' | 'serving' | 'ended' = 'held';
  /** a request is being served; its reply goes out before the connection ends */
  #replying = false;
  #whenReplied: (() => void) | null = null;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
  }

  /** One of a frame's requests, and its share of the frame's bytes: given back with it. */
  enqueue(message: RequestMessage, bytes: number): void {
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
  }

  /** Whether more wait than may, where a frame has at most so many bytes. */
  isOver(frameBytes: number): boolean {
    return this.#waiting.length > MOST_REQUESTS || this.#bytes > MOST_FRAMES * frameBytes;
  }

  /** The peer is known: requests are served from here on. */
  async start(): Promise<void> {
    if (this.#state === 'held') this.#state = 'idle';
    await this.serve();
  }

  /** Serves all that waits, one after the other, unless that is under way or may not begin. */
  async serve(): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#state = 'serving';
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#bytes -= next.bytes;
      await this.#serveOne(next.message);
    }
    this.#pause();
  }

  /** Serves nothing more; `done` runs behind the reply to the request that is being served, or at once. */
  end(done: () => void = () => undefined): void {
    this.#state = 'ended';
    this.#waiting = [];
    this.#bytes = 0;
    if (this.#replying) this.#whenReplied = done;
    else done();
  }

  /** An end that came meanwhile stays. */
  #pause(): void {
    if (this.#state === 'serving') this.#state = 'idle';
  }

  async #serveOne(message: RequestMessage): Promise<void> {
    const { context, peer, buckets, rate, log, metrics, reply: send, fault: broken } = this.#options;
    const bucket = buckets.of(peer.connectionId, rate, context.clock.now());
    if (!bucket.take()) {
      metrics.refused(ERROR_CODES.RATE_LIMITED);
      send(
        { r: message.q, error: { code: ERROR_CODES.RATE_LIMITED, params: { retryMs: bucket.waitMs() } } },
        message.kind,
      );
      return;
    }
    this.#replying = true;
    const begun = performance.now();
    const { reply, after, refused, fault } = await dispatch(context, peer, message);
    this.#replying = false;
    if (message.kind === 'append') metrics.appended((performance.now() - begun) / 1_000);
    if (refused !== null) metrics.refused(refused);
    if (fault !== undefined) broken(fault, { err: fault, code: refused }, 'request failed');
    else if (refused !== null) log.info({ code: refused, kind: loggable(message.kind) }, 'refused');
    send(reply, message.kind);
    this.#whenReplied?.();
    if (!this.#ended) after?.();
  }

  get #ended(): boolean {
    return this.#state === 'ended';
  }
}

/** A name from the wire goes into the log only if it is one of ours. */
const loggable = (kind: string): string => (/^[a-zA-Z]{1,32}$/.test(kind) ? kind : '?');
