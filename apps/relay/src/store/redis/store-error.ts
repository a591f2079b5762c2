/** What Redis and the way to it may fail with, as the port has it. */
import { StoreError } from '../../rooms/verdict.js';

/** Codes of a server that cannot now and may later. NOSCRIPT among them: whoever repeats it sends the text. */
const PASSING = new Set([
  'ASK', 'BUSY', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'MISCONF', 'MOVED', 'NOREPLICAS', 'NOSCRIPT', 'READONLY', 'TRYAGAIN', 'UNBLOCKED', 'UNKILLABLE',
]); // prettier-ignore

/** Of an error reply, its first word; null for anything else. */
export function replyCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  return name === 'ReplyError' && typeof message === 'string' ? (/^[A-Z]+/.exec(message)?.[0] ?? null) : null;
}

/**
 * STORE_FULL: nothing of the command was done. TRY_AGAIN: it was done, or will be, or not: all may be
 * repeated. Any other error reply is a fault of ours and stays what it is.
 */
export function storeError(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const code = replyCode(error);
  if (code === null) return new StoreError('TRY_AGAIN', error);
  if (code === 'OOM') return new StoreError('STORE_FULL', error);
  return PASSING.has(code) ? new StoreError('TRY_AGAIN', error) : error;
}
