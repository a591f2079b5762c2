import { describe, expect, it } from '@jest/globals';
import { wordlist as french } from '@scure/bip39/wordlists/french.js';

import { normalisePassphrase, suggestPassphrase } from './passphrase';

describe('a first passphrase', () => {
  it.each(['fr', 'en'] as const)('is suggested in %s as six different plain words', (language) => {
    const phrase = suggestPassphrase(language);
    expect(phrase).toMatch(/^[a-z]+( [a-z]+){5}$/);
    expect(suggestPassphrase(language)).not.toBe(phrase);
  });

  it('loses none of its words to the missing accents', () => {
    expect(new Set(french.map((word) => word.normalize('NFD').replace(/\p{M}/gu, ''))).size).toBe(2048);
  });

  it('is the same however the keyboard composes it', () => {
    expect(normalisePassphrase('e\u0301te\u0301')).toBe('été');
  });
});
