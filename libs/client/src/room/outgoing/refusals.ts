/**
 * What a refusal of the relay means for its sender, in one table (docs/protocol.md section 11), and what starts
 * again what a refusal has stopped.
 *
 * | code | what is done |
 * |---|---|
 * | OFFLINE | nothing: the next session asks again |
 * | RATE_LIMITED, STORE_FULL, TRY_AGAIN, INTERNAL | the same again, after a growing delay, for as long as it takes |
 * | STALE_HEAD, STALE_EPOCH, EPOCH_AHEAD | the log is read again, and then the same again |
 * | any other | the part that asked says what it means; what it does not know halts the room for a while |
 */
import type { ErrorCode } from '@0fc/protocol';
import { Backoff } from '../../link/backoff.js';
import type { Platform } from '../../contract/ports.js';

export type Verdict = 'offline' | 'retry' | 'reread' | 'refused';

const VERDICTS: Partial<Record<ErrorCode, Verdict>> = {
  OFFLINE: 'offline',
  RATE_LIMITED: 'retry',
  STORE_FULL: 'retry',
  TRY_AGAIN: 'retry',
  INTERNAL: 'retry',
  STALE_HEAD: 'reread',
  STALE_EPOCH: 'reread',
  EPOCH_AHEAD: 'reread',
};

export const verdictOn = (code: ErrorCode): Verdict => VERDICTS[code] ?? 'refused';

/** Why nobody who answers is the relay that is known, and none of its signed successors (G13). */
const OTHER_RELAY: ReadonlySet<string> = new Set([
  'RELAY_KEY_MISMATCH',
  'RELAY_KEY_LEFT',
  'RELAY_SUCCESSION_FORKED',
  'RELAY_SUCCESSION_INVALID',
]);

export const isOtherRelay = (code: string): boolean => OTHER_RELAY.has(code);

/**
 * Codes after which only the user can restart the link: another relay key than the pinned one and its signed
 * successors (G13), another device with this identity, and unusable keys of this member.
 */
const FINAL: ReadonlySet<string> = new Set([...OTHER_RELAY, 'REPLACED', 'BAD_KEY']);

export const isFinal = (code: string): boolean => FINAL.has(code);

/** Refusals after which the same request may succeed later. */
export const isRetryable = (code: ErrorCode): boolean => verdictOn(code) === 'retry';

/** Longest delay before a restart, in milliseconds. */
const MOST_MS = 120_000;

/** Restarts what a relay or another member has stopped, with growing delays. */
export class Resumption {
  readonly #timers: Platform['timers'];
  readonly #start: () => void;
  readonly #backoff: Backoff;
  #cancel: (() => void) | null = null;

  constructor({ crypto, timers }: Pick<Platform, 'crypto' | 'timers'>, start: () => void) {
    this.#timers = timers;
    this.#start = start;
    this.#backoff = new Backoff(crypto.random, { most: MOST_MS });
  }

  /** Restarts after a delay. `code`: why it stopped; after a final one only the user restarts it. */
  later(code: string): void {
    if (isFinal(code) || this.#cancel !== null) return;
    this.#cancel = this.#timers.after(this.#backoff.next(), () => {
      this.#cancel = null;
      this.#start();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Success: the next delay is a short one. */
  reset(): void {
    this.#backoff.reset();
  }
}
