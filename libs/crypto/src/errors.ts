/** Errors of this library: stable codes, and no user data or secret in a text (docs/protocol.md G15). */
import { ThemisError, ThemisErrorCode } from 'wasm-themis';
import { ProtocolError, type AlarmCode, type ErrorCode } from '@0fc/protocol';

/** Why something did not open, verify or fit; `code` is stable, the text is for developers only. */
export class CryptoError extends Error {
  override readonly name: string = 'CryptoError';
  readonly code: ErrorCode;
  /** the safety alarm that a client shows for it (docs/protocol.md section 6), null for none */
  readonly alarm: AlarmCode | null;

  constructor(
    code: ErrorCode,
    detail: string,
    options: { readonly alarm?: AlarmCode | null; readonly cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.alarm = options.alarm ?? null;
  }
}

/** Themis's own code for a failure; null for what is not Themis refusing its input. */
export function themisCode(error: unknown): ThemisErrorCode | null {
  if (!(error instanceof ThemisError)) return null;
  // A public fact that the package's types call private.
  return (error as unknown as { readonly errorCode: ThemisErrorCode }).errorCode;
}

/**
 * Runs a Themis operation; its refusal becomes `code`, our own errors pass. Anything else that it throws (not
 * loaded, out of memory, a fault in the module) says nothing about the input: INTERNAL.
 */
export function attempt<T>(code: ErrorCode, detail: string, run: () => T, alarm: AlarmCode | null = null): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    const refusal = themisCode(error);
    if (refusal === null || refusal === ThemisErrorCode.NO_MEMORY) {
      throw new CryptoError('INTERNAL', 'Themis failed', { cause: error });
    }
    throw new CryptoError(code, detail, { alarm });
  }
}

/**
 * Runs checks of several kinds whose caller needs one answer: every refusal becomes
 * `code`, with the reason as its cause. What is not a refusal passes.
 */
export async function rethrowAs<T>(code: ErrorCode, detail: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isRefusal(error)) throw new CryptoError(code, detail, { cause: error });
    throw error;
  }
}

/** Whether an error says something about the input, and nothing about this program. */
export const isRefusal = (error: unknown): error is CryptoError | ProtocolError =>
  (error instanceof CryptoError || error instanceof ProtocolError) && error.code !== 'INTERNAL';
