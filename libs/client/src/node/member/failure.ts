/** What a failure is to the caller: one line of output, and the program's exit code. */
import { failureOf } from '../../contract/errors.js';
import { Refused, type Line } from './agent.js';
import { UsageError } from './parameters.js';

export const EXIT = { done: 0, refused: 1, misuse: 2, vault: 3, relay: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const VAULT_CODES: ReadonlySet<string> = new Set([
  'WRONG_PASSPHRASE',
  'PASSPHRASE_WEAK',
  'VAULT_ABSENT',
  'VAULT_EXISTS',
  'VAULT_DAMAGED',
  'VAULT_KEYS_LOST',
  'VAULT_ELSEWHERE',
  'VAULT_FULL',
  'VAULT_UNAVAILABLE',
  'EXPORT_DAMAGED',
  'UNSUPPORTED_VERSION',
]);
const RELAY_CODES: ReadonlySet<string> = new Set(['OFFLINE', 'RELAY_UNREACHABLE', 'TIMED_OUT']);

/** `{type: 'error', code, params?}`; of a misuse, how it is meant. */
export function failureLine(error: unknown): Line & { readonly code: string } {
  if (error instanceof UsageError) return { type: 'error', code: 'MISUSE', message: error.message };
  const file = fileFailure(error);
  if (file !== null) return { type: 'error', code: file };
  const { code, params } = error instanceof Refused ? error.failure : failureOf(error);
  return { type: 'error', code, ...(params === undefined ? {} : { params }) };
}

/** A file that the command names cannot be read or written: its system's code, never its path. */
function fileFailure(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? `FILE_${error.code}` : null;
}

export function exitCodeOf(code: string): ExitCode {
  if (code === 'MISUSE') return EXIT.misuse;
  if (VAULT_CODES.has(code) || code.startsWith('FILE_')) return EXIT.vault;
  return RELAY_CODES.has(code) ? EXIT.relay : EXIT.refused;
}
