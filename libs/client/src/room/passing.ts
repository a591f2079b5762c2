/** Refusals after which the same request may succeed later. */
import type { ErrorCode } from '@0fc/protocol';

const PASSING: readonly ErrorCode[] = ['TRY_AGAIN', 'INTERNAL', 'RATE_LIMITED', 'STORE_FULL'];

export const isPassing = (code: ErrorCode): boolean => PASSING.includes(code);
