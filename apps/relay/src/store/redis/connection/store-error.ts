/** What Redis and the way to it may fail with, as the port has it. */
import { StoreError } from '../../../rooms/port/result.js';

/** Codes of a server that cannot now and may later. NOSCRIPT among them: whoever repeats it sends the text. */
const PASSING = new Set([
  'ASK', 'BUSY', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'MISCONF', 'MOVED', 'NOREPLICAS', 'NOSCRIPT', 'READONLY', 'TRYAGAIN', 'UNBLOCKED', 'UNKILLABLE',
]); // prettier-ignore

const nameOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';

/** Of an error reply, its first word; null for anything else. */
export function replyCode(error: unknown): string | null {
  if (nameOf(error) !== 'ReplyError') return null;
  // By their shape: errors of the client library cross realms.
  return /^[A-Z]+/.exec((error as Error).message)?.[0] ?? '';
}

/**
 * STORE_FULL: nothing of the command was done. TRY_AGAIN: it was done, or will be, or not: all may be
 * repeated. Any other error reply is a fault of ours and stays what it is, as is a TypeError.
 */
export function storeError(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const code = replyCode(error);
  if (code === null) {
    return /^(Type|Range|Reference)Error$/.test(nameOf(error)) ? error : new StoreError('TRY_AGAIN', error);
  }
  if (code === 'OOM') return new StoreError('STORE_FULL', error);
  return PASSING.has(code) ? new StoreError('TRY_AGAIN', error) : error;
}
