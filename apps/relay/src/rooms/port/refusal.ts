/** A request that is refused with a typed error; nothing in it but the code and numbers (G15). */
import type { ErrorCode, ErrorParams } from '@0fc/protocol';
import type { Result } from './result.js';

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
export function unwrap<T, C extends ErrorCode>(result: Result<T, C>): { readonly ok: true } & T {
  if (result.ok) return result;
  const { code, retryMs } = result;
  throw new Refusal(code, retryMs === undefined ? {} : { retryMs });
}
