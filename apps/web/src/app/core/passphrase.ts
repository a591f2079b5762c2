import { wordlist as english } from '@scure/bip39/wordlists/english.js';
import { wordlist as french } from '@scure/bip39/wordlists/french.js';

import type { Language } from './preferences';

const WORDS = 6;

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
