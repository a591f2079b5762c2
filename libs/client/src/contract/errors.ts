/**
 * The one error of this library. Its code is what the page translates; its text and its
 * parameters hold numbers and limits, never content, names or secrets (G15).
 */
import { CryptoError } from '@0fc/crypto/keys';
import { ERROR_CODES, ProtocolError, type ErrorCode, type ErrorParams } from '@0fc/protocol';
import type { Failure } from './api.js';

export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  readonly code: ErrorCode;
  readonly params: ErrorParams;

  constructor(code: ErrorCode, params: ErrorParams = {}, options: { readonly cause?: unknown } = {}) {
    super(code, options);
    this.code = code;
    this.params = params;
  }

  /** The same failure as a ClientError. What this project did not throw itself is INTERNAL. */
  static from(error: unknown): ClientError {
    if (error instanceof ClientError) return error;
    if (error instanceof ProtocolError) return new ClientError(error.code, error.params, { cause: error });
    if (error instanceof CryptoError) return new ClientError(error.code, {}, { cause: error });
    return new ClientError(ERROR_CODES.INTERNAL, {}, { cause: error });
  }
}

/** The failure as plain data: an error does not cross from the worker to the page. */
export function failureOf(error: unknown): Failure {
  const { code, params } = ClientError.from(error);
  return Object.keys(params).length === 0 ? { code } : { code, params };
}
