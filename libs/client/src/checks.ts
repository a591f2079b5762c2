/** What a command is checked for before it does anything, and how it ends. */
import { ERROR_CODES, LIMITS, utf8 } from '@0fc/protocol';
import type { Outcome } from './api.js';
import { ClientError, failureOf } from './errors.js';

export async function outcome<T>(work: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: failureOf(error) };
  }
}

export function checkName(name: string): void {
  const trimmed = name.trim();
  if (trimmed === '') throw new ClientError(ERROR_CODES.NAME_EMPTY);
  if (trimmed.length > LIMITS.nameChars || utf8(trimmed).length > LIMITS.nameBytes) {
    throw new ClientError(ERROR_CODES.NAME_TOO_LONG, { max: LIMITS.nameChars });
  }
}

export function checkText(text: string): void {
  if (text.trim() === '') throw new ClientError(ERROR_CODES.TEXT_EMPTY);
  const bytes = utf8(text).length;
  if (bytes > LIMITS.textBytes)
    throw new ClientError(ERROR_CODES.TEXT_TOO_LONG, { bytes, max: LIMITS.textBytes });
}

export function checkRange(value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    throw new ClientError(ERROR_CODES.OUT_OF_RANGE, { min: 1, max });
  }
}
