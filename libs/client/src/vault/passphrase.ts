/**
 * The one rule for a new passphrase (docs/protocol.md section 9): of the page, the library and the
 * command line, for a vault and for an export. What exists opens with whatever it has.
 */
import { ERROR_CODES } from '@0fc/protocol';
import type { PassphraseRating, PassphraseWeakness } from '../contract/api.js';
import { ClientError } from '../contract/errors.js';

/**
 * Guesses from which each strength begins. The third is the least for a new passphrase: twelve random
 * characters, or four random words. The key derivation makes a guess dear; this makes them many.
 */
const LEAST = [1, 1e6, 1e12, 1e16] as const;
const ACCEPTABLE = LEAST[2];

const WEAKNESSES: ReadonlyMap<string, PassphraseWeakness> = new Map([
  ['dictionary', 'common'],
  ['separator', 'common'],
  ['repeat', 'repeated'],
  ['sequence', 'pattern'],
  ['wordSequence', 'pattern'],
  ['spatial', 'pattern'],
  ['date', 'date'],
  ['regex', 'date'],
]);

/** How hard it is to guess, and whether it may be a new one. Loads 1.5 MB of words the first time. */
export async function ratePassphrase(passphrase: string): Promise<PassphraseRating> {
  const { guessesFor } = await import('./guesses.js');
  const text = passphrase.normalize('NFC');
  if (text.trim() === '') return { acceptable: false, strength: 0, weakness: 'short' };
  const { guesses, pattern } = guessesFor(text);
  const strength = LEAST.filter((least) => guesses >= least).length as PassphraseRating['strength'];
  if (guesses >= ACCEPTABLE) return { acceptable: true, strength, weakness: null };
  return { acceptable: false, strength, weakness: WEAKNESSES.get(pattern) ?? 'short' };
}

/** Rejects with PASSPHRASE_WEAK {weakness} where it may not be a new one. */
export async function requireStrong(passphrase: string): Promise<void> {
  const { weakness } = await ratePassphrase(passphrase);
  if (weakness !== null) throw new ClientError(ERROR_CODES.PASSPHRASE_WEAK, { weakness });
}
