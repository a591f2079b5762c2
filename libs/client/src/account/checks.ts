/** What a command is checked for before it does anything, and how it ends. */
import {
  displayName,
  ERROR_CODES,
  LIMITS,
  SETTINGS_BOUNDS,
  SETTINGS_FIELDS,
  utf8,
  wellFormed,
  type RoomSettings,
} from '@0fc/protocol';
import type { Outcome } from '../contract/api.js';
import { ClientError, failureOf } from '../contract/errors.js';

export async function outcome<T>(work: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: failureOf(error) };
  }
}

/**
 * The name as it goes out: white space collapsed, halves of characters replaced. What is not seen, or turns the
 * text around it, is refused rather than taken out: who typed it should know. Throws NAME_EMPTY, NAME_INVISIBLE,
 * NAME_TOO_LONG {max}.
 */
export function checkedName(typed: string): string {
  const name = wellFormed(typed).trim().replace(/\s+/g, ' ');
  if (name === '') throw new ClientError(ERROR_CODES.NAME_EMPTY);
  if (displayName(name) !== name) throw new ClientError(ERROR_CODES.NAME_INVISIBLE);
  if (name.length > LIMITS.nameChars || utf8(name).length > LIMITS.nameBytes) {
    throw new ClientError(ERROR_CODES.NAME_TOO_LONG, { max: LIMITS.nameChars });
  }
  return name;
}

/** The text as it goes out, with U+FFFD for halves of characters. Throws TEXT_EMPTY, TEXT_TOO_LONG {bytes, max}. */
export function checkedText(typed: string, max: number = LIMITS.textBytes): string {
  const text = wellFormed(typed);
  if (text.trim() === '') throw new ClientError(ERROR_CODES.TEXT_EMPTY);
  return limitedText(text, max);
}

/** The same, where it may be empty: what is being typed. Throws TEXT_TOO_LONG {bytes, max}. */
export function limitedText(typed: string, max: number = LIMITS.textBytes): string {
  const text = wellFormed(typed);
  const bytes = utf8(text).length;
  if (bytes > max) throw new ClientError(ERROR_CODES.TEXT_TOO_LONG, { bytes, max });
  return text;
}

export function checkRange(value: number, max: number, min = 1): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new ClientError(ERROR_CODES.OUT_OF_RANGE, { min, max });
  }
}

/** Throws OUT_OF_RANGE with the bounds of the first number that is beyond them. */
export function checkSettings(settings: Partial<RoomSettings>): void {
  for (const name of SETTINGS_FIELDS) {
    if (name === 'approval') continue;
    const value = settings[name];
    const [min, max] = SETTINGS_BOUNDS[name];
    if (value !== undefined) checkRange(value, max, min);
  }
}
