/** The floor for a vault's passphrase (docs/protocol.md section 9). */

/** Code points of a passphrase that is a single word. */
export const PASSPHRASE_CHARS = 12;
/** Words of a passphrase that may be shorter than that. */
export const PASSPHRASE_WORDS = 4;
const WORD_CHARS = 2;

/**
 * Whether a passphrase is below the floor: 12 characters or four words, and not one character
 * over and over. The key derivation makes each guess dear; the floor makes the guesses many.
 */
export function isWeakPassphrase(passphrase: string): boolean {
  const letters = [...passphrase.normalize('NFC')];
  const words = letters
    .join('')
    .split(/\s+/u)
    .filter((word) => [...word].length >= WORD_CHARS);
  if (letters.length < PASSPHRASE_CHARS && words.length < PASSPHRASE_WORDS) return true;
  return new Set(letters.filter((letter) => !/\s/u.test(letter))).size <= 1;
}
