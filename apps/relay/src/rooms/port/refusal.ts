/** A request that is refused with a typed error; nothing in it but the code and numbers (G15). */
import type { ErrorCode, ErrorParams } from '@0fc/protocol';
import type { Verdict } from './result.js';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly params: ErrorParams;

  constructor(code: ErrorCode, params: ErrorParams = {}) {
    super(code);
    this.code = code;
    this.params = params;
  }
}

/** What a command answered; its refusal is thrown. */
export function granted<T, C extends ErrorCode>(verdict: Verdict<T, C>): { readonly ok: true } & T {
  if (verdict.ok) return verdict;
  const { code, retryMs } = verdict;
  throw new Refusal(code, retryMs === undefined ? {} : { retryMs });
}
