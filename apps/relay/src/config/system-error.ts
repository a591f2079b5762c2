/** Why the system refused, in words that may be shown: its code, and no text that may hold a path or more. */

export const UNKNOWN = 'unknown error';

/** By its shape and not by its class: errors of Node's own cross realms. */
export function reason(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return UNKNOWN;
  return typeof error.code === 'string' ? error.code : UNKNOWN;
}
