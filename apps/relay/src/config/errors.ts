/** Errors for the operator, in words that may be shown. */

/** A setting that cannot be used; `message` is the whole line for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export const UNKNOWN_ERROR = 'unknown error';

/**
 * Why the system refused: the code of its error, without its text, which may hold a path or more.
 * By the shape of the error and not by its class: those of Node's own cross realms.
 */
export function systemErrorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return UNKNOWN_ERROR;
  return typeof error.code === 'string' ? error.code : UNKNOWN_ERROR;
}
