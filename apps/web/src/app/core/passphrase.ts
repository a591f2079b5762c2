import { wordlist as english } from '@scure/bip39/wordlists/english.js';
import { wordlist as french } from '@scure/bip39/wordlists/french.js';

import type { Language } from './preferences';

/** 0: nothing typed; 1 and 2 are refused; 3 and 4 are taken. */
export type Strength = 0 | 1 | 2 | 3 | 4;

/** The least that a first passphrase must reach: about four random words, behind the KDF's rounds. */
export const ENOUGH: Strength = 3;

const WORDS = 6;
/** Bits that one random word of a list of 2048 adds. */
const BITS_PER_WORD = 11;
/** What a word that a person chose is granted at most: people choose common ones. */
const COMMON = /password|passphrase|motdepasse|azerty|qwerty|123|abc|letmein|secret|0fc/gi;

function withoutAccents(word: string): string {
  return word.normalize('NFD').replace(/\p{M}/gu, '');
}

/** Six words in the chosen language, without accents so that any keyboard types them: 66 bits. */
export function suggestPassphrase(language: Language): string {
  const list = language === 'fr' ? french : english;
  const draws = crypto.getRandomValues(new Uint16Array(WORDS));
  // The lists hold 2048 words, a divisor of 65,536: every word is equally likely.
  return Array.from(draws, (draw) => withoutAccents(list[draw % list.length] ?? '')).join(' ');
}

/** The same characters give the same key whatever the keyboard composed them from. */
export function normalisePassphrase(text: string): string {
  return text.normalize('NFC');
}

function alphabet(text: string): number {
  const classes: readonly (readonly [RegExp, number])[] = [
    [/\p{Ll}/u, 26],
    [/\p{Lu}/u, 26],
    [/\p{N}/u, 10],
    [/[^\p{L}\p{N}]/u, 20],
  ];
  return classes.reduce((sum, [pattern, size]) => sum + (pattern.test(text) ? size : 0), 0) || 26;
}

/** Characters that add something: not a repetition of the one before, nor its neighbour. */
function surprising(text: string): number {
  let count = 0;
  let last = Number.NaN;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (!(Math.abs(code - last) <= 1)) count += 1;
    last = code;
  }
  return count;
}

/** A cautious estimate in bits: the lower of what its words and what its characters are worth. */
export function estimateBits(passphrase: string): number {
  const text = passphrase.trim().replace(COMMON, '#');
  const words = new Set(
    text
      .toLowerCase()
      .split(/[\s\-_.,;:]+/)
      .filter((word) => word.length >= 3),
  );
  const byChars =
    Math.min(surprising(text), new Set(text.toLowerCase()).size * 2) * Math.log2(alphabet(text));
  // One run of letters is one word, or two: its characters were not drawn at random.
  if (words.size >= 2) return Math.min(byChars, words.size * BITS_PER_WORD);
  const isWord = /^\p{L}+\d{0,4}[!?.]?$/u.test(text);
  return isWord ? Math.min(byChars, 2 * BITS_PER_WORD) : byChars * 0.75;
}

export function strengthOf(passphrase: string): Strength {
  if (passphrase.trim() === '') return 0;
  const bits = estimateBits(passphrase);
  if (bits < 28) return 1;
  if (bits < 4 * BITS_PER_WORD) return 2;
  return bits < 5 * BITS_PER_WORD ? 3 : 4;
}
