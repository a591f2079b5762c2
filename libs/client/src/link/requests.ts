/**
 * Requests in flight on one session: ids, batching, timeouts, and what a reply may be
 * (docs/protocol.md section 3: every request ends in a reply or a typed error).
 */
import {
  CATALOGUE,
  COMMON_ERRORS,
  ERROR_CODES,
  parse,
  type ErrorCode,
  type ErrorParams,
  type ReplyBody,
  type RequestBody,
  type RequestKind,
  type Schema,
  type SessionMessage,
} from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { Timers } from '../contract/ports.js';

/** Requests without an answer yet; more are refused with TRY_AGAIN. */
export const MOST_IN_FLIGHT = 256;
/** The relay answers at once or the link is dead: the connection is dropped after this. */
export const REQUEST_TIMEOUT_MS = 30_000;

export type Reply = Extract<SessionMessage, { readonly r: number }>;
export type RequestMessage = Extract<SessionMessage, { readonly q: number }>;

interface Pending {
  readonly kind: RequestKind;
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: ClientError) => void;
  readonly cancelTimeout: () => void;
}

export interface RequestsOptions {
  readonly timers: Timers;
  /** Called once a turn with all requests made in it. */
  readonly flush: (messages: readonly RequestMessage[]) => void;
  readonly onTimeout: (kind: RequestKind) => void;
  /** A request was answered, with a reply or an error. */
  readonly onAnswer: (kind: RequestKind) => void;
  /** Promises are settled from here, in order with the events of the session. */
  readonly enqueue: (call: () => void) => void;
}

export class Requests {
  readonly #options: RequestsOptions;
  readonly #pending = new Map<number, Pending>();
  #due: RequestMessage[] = [];
  #lastId = 0;
  #ended = false;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  make<K extends RequestKind>(kind: K, body: RequestBody<K>): Promise<ReplyBody<K>> {
    if (this.#ended) return Promise.reject(new ClientError(ERROR_CODES.OFFLINE));
    if (this.#pending.size >= MOST_IN_FLIGHT) return Promise.reject(new ClientError(ERROR_CODES.TRY_AGAIN));
    let checked: RequestMessage['body'];
    try {
      // Validated before sending: what the relay would refuse is rejected to its caller.
      checked = parse(CATALOGUE[kind].body as unknown as Schema<RequestMessage['body']>, body);
    } catch (error) {
      return Promise.reject(ClientError.from(error));
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, {
        kind,
        resolve: resolve as (body: unknown) => void,
        reject,
        cancelTimeout: this.#options.timers.after(REQUEST_TIMEOUT_MS, () => {
          this.#options.onTimeout(kind);
        }),
      });
      this.#enqueue({ q: id, kind, body: checked });
    });
  }

  /** Settles the request that a reply answers. False: there is no such request, or the reply does not fit it. */
  settle(reply: Reply): boolean {
    const pending = this.#pending.get(reply.r);
    if (pending === undefined) return false;
    this.#pending.delete(reply.r);
    pending.cancelTimeout();
    this.#options.onAnswer(pending.kind);
    if ('error' in reply) {
      const error = new ClientError(declared(pending.kind, reply.error.code), numbers(reply.error.params));
      this.#options.enqueue(() => pending.reject(error));
      return true;
    }
    try {
      const body = parse(CATALOGUE[pending.kind].reply as Schema<unknown>, reply.body);
      this.#options.enqueue(() => pending.resolve(body));
      return true;
    } catch (cause) {
      this.#options.enqueue(() => pending.reject(new ClientError(ERROR_CODES.RELAY_LIED, {}, { cause })));
      return false;
    }
  }

  /** Ends one request that could not be sent. */
  refuse({ q }: RequestMessage, error: ClientError): void {
    const pending = this.#pending.get(q);
    if (pending === undefined) return;
    this.#pending.delete(q);
    pending.cancelTimeout();
    this.#options.enqueue(() => pending.reject(error));
  }

  /** Ends the session: pending and later requests reject with OFFLINE. */
  end(): void {
    this.#ended = true;
    this.#due = [];
    for (const pending of this.#pending.values()) {
      pending.cancelTimeout();
      this.#options.enqueue(() => pending.reject(new ClientError(ERROR_CODES.OFFLINE)));
    }
    this.#pending.clear();
  }

  #enqueue(message: RequestMessage): void {
    this.#due.push(message);
    if (this.#due.length > 1) return;
    queueMicrotask(() => {
      const due = this.#due;
      this.#due = [];
      if (due.length > 0) this.#options.flush(due);
    });
  }
}

/**
 * The code as the catalogue has it for this request. Any other is INTERNAL: a relay must not
 * put words into the client's mouth (WRONG_PASSPHRASE, RELAY_KEY_MISMATCH).
 */
function declared(kind: RequestKind, code: string): ErrorCode {
  const allowed: readonly ErrorCode[] = [...COMMON_ERRORS, ...CATALOGUE[kind].errors];
  return allowed.find((known) => known === code) ?? ERROR_CODES.INTERNAL;
}

/** Numbers only: a text of the relay's choosing has no place in a sentence of the page. */
function numbers(params: ErrorParams | undefined): ErrorParams {
  return Object.fromEntries(Object.entries(params ?? {}).filter(([, value]) => typeof value === 'number'));
}
