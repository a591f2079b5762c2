/**
 * What a refusal of the relay means for its sender, in one table (docs/protocol.md section 11).
 *
 * | code | what is done |
 * |---|---|
 * | OFFLINE | nothing: the next session asks again |
 * | RATE_LIMITED, STORE_FULL, TRY_AGAIN, INTERNAL | the same again, after a growing delay, for as long as it takes |
 * | STALE_HEAD, STALE_EPOCH, EPOCH_AHEAD | the log is read again, and then the same again |
 * | any other | the part that asked says what it means; what it does not know halts the room for a while |
 */
import type { ErrorCode } from '@0fc/protocol';

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

/**
 * Codes after which only the user can restart the link: another relay key (G13), another device with this identity,
 * and unusable keys of this member.
 */
const FINAL: ReadonlySet<string> = new Set(['RELAY_KEY_MISMATCH', 'REPLACED', 'BAD_KEY']);

export const isFinal = (code: string): boolean => FINAL.has(code);

/** Refusals after which the same request may succeed later. */
export const isRetryable = (code: ErrorCode): boolean => verdictOn(code) === 'retry';
