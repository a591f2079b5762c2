/**
 * One member's connection for one room: it reconnects by itself and reports events (docs/protocol.md section 3, G13).
 *
 * All callbacks and settled promises come from one queue, in the order of the link, and never synchronously from
 * inside a call to the connection.
 */
import type { KeyPair } from '@0fc/crypto/link';
import {
  ERROR_CODES,
  type Bytes,
  type ErrorCode,
  type ErrorParams,
  type EventBody,
  type EventKind,
  type ReplyBody,
  type RequestBody,
  type RequestKind,
} from '@0fc/protocol';
import type { ConnectionState, Failure } from '../contract/api.js';
import { ClientError, failureOf } from '../contract/errors.js';
import { Backoff, randomUpTo } from './backoff.js';
import { longestSilenceMs } from './heartbeat-timeout.js';
import { HELLO_TIMEOUT_MS, LinkSession, OPEN_TIMEOUT_MS, type LinkSessionEnd } from './link-session.js';
import { EventQueue } from './event-queue.js';
import type { Platform } from '../contract/ports.js';

export interface ConnectionOptions {
  readonly url: string;
  /** the pinned key of the relay, canonical */
  readonly relayKey: Bytes;
  /** the key pair of this member in this room */
  readonly identity: KeyPair;
  readonly platform: Pick<Platform, 'crypto' | 'timers' | 'socket'>;
  /** The relay's clock, Unix ms, by another way than the link; asked when a handshake fails. */
  readonly relayTime?: (() => Promise<number>) | undefined;
  /**
   * Whoever answers does not prove the relay's key: what is to be told of it, once the deployment has been asked for a
   * signed successor. Never rejects. Without it: RELAY_KEY_MISMATCH.
   */
  readonly otherKey?: (() => Promise<Failure>) | undefined;
  /** The session is established and requests may be sent. */
  onUp(hello: EventBody<'hello'>): void;
  /** A validated event, in order; `hello` and `closing` are the connection's own. */
  onEvent<K extends EventKind>(kind: K, body: EventBody<K>): void;
  /**
   * 'connecting' from start, wake or a link that fell, 'offline' from the first attempt that
   * failed until one succeeds, 'stopped' with the reason when only start() goes on.
   */
  onState(state: ConnectionState, stopped: Failure | null): void;
}

/**
 * Of each ceiling of the delay to the one before: the ceiling stays about as long as has passed, on average, since the link fell.
 */
const BACKOFF_GROWTH = 1.5;
/** A session that has been up for this long ends the backoff. */
export const STEADY_MS = 10_000;
/** Sessions that ended in silence that are counted at most: silence may last 2 ** 3 times as long as usual. */
const MOST_TIMEOUTS = 4;
/** After so many milliseconds in which a session did not, one is forgotten. */
const RECOVERY_MS = 60_000;
/** Number of failed handshakes in a row after which the client reports another relay key. */
const SUSPICIONS_TO_STOP = 2;

/** Themis refuses a handshake between clocks that are a day apart, and reports no reason. */
const CLOCK_SKEW_MS = 23 * 3_600_000;

/** What an unauthenticated failure of the handshake is evidence of; others are plain outages. */
const SUSPICIONS: Partial<Record<ErrorCode, ErrorCode>> = {
  [ERROR_CODES.RELAY_KEY_MISMATCH]: ERROR_CODES.RELAY_KEY_MISMATCH,
  [ERROR_CODES.HANDSHAKE_FAILED]: ERROR_CODES.RELAY_KEY_MISMATCH,
  [ERROR_CODES.UNSUPPORTED_VERSION]: ERROR_CODES.UNSUPPORTED_VERSION,
};

const nothing = (): void => undefined;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  readonly #queue = new EventQueue();
  #session: LinkSession | null = null;
  #state: ConnectionState = 'offline';
  #running = false;
  /** Incremented by stop(): callbacks queued before that are not delivered. */
  #life = 0;
  #cancelRetry = nothing;
  #cancelSteady = nothing;
  #cancelRecovery = nothing;
  /**
   * Sessions that ended in silence. One was an outage; where the next follows soon the network is slow, and would never be
   * done with what takes it longer.
   */
  #timeouts = 0;
  /** attempts since the last hello that nobody answered */
  #unopened = 0;
  /** of the last hello, in milliseconds; 0: none yet */
  #heartbeatMs = 0;
  /** Not null: the relay has asked this client to reconnect, and the time for it is set. */
  #cancelMove: (() => void) | null = null;
  #unanswered: RequestKind | null = null;
  #suspicion: { readonly code: ErrorCode; readonly times: number } | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.platform.crypto.random, { growth: BACKOFF_GROWTH });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /**
   * A request timed out, and none of its kind has been answered since: a successful handshake does not count as an
   * answer.
   */
  get silent(): boolean {
    return this.#unanswered !== null;
  }

  /** Connects and stays connected, also after 'stopped'. Idempotent while it runs. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#suspicion = null;
    this.#backoff.reset();
    this.#enter('connecting');
    this.#connect();
  }

  /** Closes the link and frees it; no callback comes after this. Idempotent. */
  stop(): void {
    this.#life += 1;
    this.#halt(ERROR_CODES.OFFLINE);
    this.#state = 'offline';
  }

  /**
   * The network or the page is back: connects now instead of at the end of the backoff, and judges a link that may have died
   * in this device's sleep soon.
   */
  wake(): void {
    if (!this.#running) return;
    const session = this.#session;
    if (session?.wake() === true) return;
    this.#session = null;
    session?.end(ERROR_CODES.OFFLINE);
    this.#backoff.reset();
    this.#unopened = 0;
    this.#enter('connecting');
    this.#connect();
  }

  /**
   * Sends a request; those of one turn share a frame. Rejects with a ClientError: the relay's
   * code; OFFLINE when there is no session or it fell before the reply, so that the request
   * may have been carried out; MALFORMED or TOO_LARGE for a body that cannot be sent;
   * TRY_AGAIN with too many in flight; RELAY_LIED when the reply does not fit.
   */
  request<K extends RequestKind>(kind: K, body: RequestBody<K>): Promise<ReplyBody<K>> {
    if (this.#session?.up !== true) return Promise.reject(new ClientError(ERROR_CODES.OFFLINE));
    return this.#session.requests.make(kind, body);
  }

  #connect(): void {
    this.#cancelRetry();
    this.#cancelMove?.();
    this.#cancelMove = null;
    const { url, relayKey, identity, platform } = this.#options;
    const session: LinkSession = new LinkSession({
      url,
      relayKey,
      identity,
      platform,
      openMs: Math.min(HELLO_TIMEOUT_MS, OPEN_TIMEOUT_MS * 2 ** this.#unopened),
      timeoutFactor: this.#timeoutFactor,
      enqueue: (call) => this.#queue.enqueue(call),
      onHello: (hello) => this.#onHello(hello),
      onClosing: (closing) => this.#onClosing(session, closing),
      onEvent: ({ kind, body }) => this.#emit(() => this.#options.onEvent(kind, body)),
      onAnswer: (kind, came) => {
        if (!came) this.#unanswered = kind;
        else if (kind === this.#unanswered) this.#unanswered = null;
      },
      onEnd: (end) => this.#onEnd(session, end),
    });
    this.#session = session;
    session.begin();
  }

  get #timeoutFactor(): number {
    return 2 ** Math.max(0, this.#timeouts - 1);
  }

  #onHello(hello: EventBody<'hello'>): void {
    this.#suspicion = null;
    this.#unopened = 0;
    this.#heartbeatMs = hello.heartbeatMs;
    this.#cancelSteady = this.#afterHeard(STEADY_MS, () => this.#backoff.reset());
    this.#recover();
    this.#enter('connected');
    this.#emit(() => this.#options.onUp(hello));
  }

  /** After `ms` milliseconds, or later: a session that has been silent since its hello does not live to see it. */
  #afterHeard(ms: number, run: () => void): () => void {
    const silence = longestSilenceMs(this.#heartbeatMs, this.#timeoutFactor);
    return this.#options.platform.timers.after(Math.max(ms, silence + 1), run);
  }

  /** One silence is forgotten for each while without. */
  #recover(): void {
    this.#cancelRecovery = this.#afterHeard(RECOVERY_MS, () => {
      this.#timeouts = Math.max(0, this.#timeouts - 1);
      if (this.#session !== null) this.#session.timeoutFactor = this.#timeoutFactor;
      if (this.#timeouts > 0) this.#recover();
    });
  }

  #onClosing(session: LinkSession, { code, moveWithinMs }: EventBody<'closing'>): void {
    if (code === ERROR_CODES.REPLACED || code === ERROR_CODES.UNSUPPORTED_VERSION) {
      this.#stopFor(code);
      return;
    }
    if (moveWithinMs === undefined) {
      session.end(code);
      return;
    }
    // A replica that drains: all its clients move, but not all at once.
    const { crypto, timers } = this.#options.platform;
    this.#cancelMove ??= timers.after(randomUpTo(crypto.random, moveWithinMs), () => this.#move());
  }

  #move(): void {
    const session = this.#session;
    this.#session = null;
    session?.end(ERROR_CODES.TRY_AGAIN);
    this.#cancelSteady();
    this.#cancelRecovery();
    this.#enter('connecting');
    this.#connect();
  }

  #onEnd(session: LinkSession, { code, established, reached, timedOut }: LinkSessionEnd): void {
    if (session !== this.#session) return;
    this.#session = null;
    this.#cancelSteady();
    this.#cancelRecovery();
    const silent = timedOut && established;
    if (silent) this.#timeouts = Math.min(MOST_TIMEOUTS, this.#timeouts + 1);
    if (timedOut && !reached) this.#unopened += 1;
    if (reached && !established) this.#checkClock();
    // This client's own keys are unusable: no attempt will go better.
    if (code === ERROR_CODES.BAD_KEY && !established) {
      this.#stopFor(code);
      return;
    }
    const suspicion = established ? undefined : SUSPICIONS[code];
    if (suspicion !== undefined && this.#suspect(suspicion) >= SUSPICIONS_TO_STOP) {
      if (suspicion === ERROR_CODES.RELAY_KEY_MISMATCH) this.#stopForKey();
      else this.#stopFor(suspicion);
      return;
    }
    this.#enter(established ? 'connecting' : 'offline');
    if (this.#cancelMove !== null && !silent) return;
    const { crypto, timers } = this.#options.platform;
    // Where a relay stood still, all that it had come back at one time.
    const apart = silent ? randomUpTo(crypto.random, this.#heartbeatMs) : 0;
    this.#cancelRetry = timers.after(Math.max(this.#backoff.next(), apart), () => this.#connect());
  }

  /**
   * One failure may be a network fault, which anybody on the path can cause. Only attempts that reached a handshake
   * are counted: an outage in between proves nothing.
   */
  #suspect(code: ErrorCode): number {
    const times = this.#suspicion?.code === code ? this.#suspicion.times + 1 : 1;
    this.#suspicion = { code, times };
    return times;
  }

  /** Anybody on the network path can forge the time: the worst effect is that this client stops and shows why. */
  #checkClock(): void {
    const { relayTime, platform } = this.#options;
    if (relayTime === undefined) return;
    const life = this.#life;
    relayTime().then(
      (time) => {
        const skewMs = platform.crypto.clock.now() - time;
        if (life !== this.#life || Math.abs(skewMs) < CLOCK_SKEW_MS) return;
        this.#stopFor(ERROR_CODES.CLOCK_WRONG, { skewMs });
      },
      // The time is unavailable: the failure stays as it was.
      () => undefined,
    );
  }

  #stopFor(code: ErrorCode, params: ErrorParams = {}): void {
    this.#halt(code);
    this.#enter('stopped', failureOf(new ClientError(code, params)));
  }

  /** Nothing is sent while the deployment is asked, and whoever starts or stops meanwhile does not hear the answer. */
  #stopForKey(): void {
    const { otherKey } = this.#options;
    if (otherKey === undefined) {
      this.#stopFor(ERROR_CODES.RELAY_KEY_MISMATCH);
      return;
    }
    this.#halt(ERROR_CODES.RELAY_KEY_MISMATCH);
    this.#enter('offline');
    const life = this.#life;
    void otherKey().then((failure) => {
      if (life === this.#life && !this.#running && this.#state === 'offline') this.#enter('stopped', failure);
    });
  }

  #halt(code: ErrorCode): void {
    this.#running = false;
    this.#cancelRetry();
    this.#cancelSteady();
    this.#cancelRecovery();
    this.#timeouts = 0;
    this.#unopened = 0;
    this.#cancelMove?.();
    this.#cancelMove = null;
    const session = this.#session;
    this.#session = null;
    session?.end(code);
  }

  #enter(state: ConnectionState, stopped: Failure | null = null): void {
    // A more precise reason for the same stop is reported too.
    if (state === this.#state && stopped === null) return;
    this.#state = state;
    this.#emit(() => this.#options.onState(state, stopped));
  }

  #emit(call: () => void): void {
    const life = this.#life;
    this.#queue.enqueue(() => {
      if (life === this.#life) call();
    });
  }
}
