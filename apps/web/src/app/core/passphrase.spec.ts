import { describe, expect, it } from '@jest/globals';
import { wordlist as french } from '@scure/bip39/wordlists/french.js';

import { ENOUGH, normalisePassphrase, strengthOf, suggestPassphrase } from './passphrase';

describe('a first passphrase', () => {
  it.each([
    '',
    'abc',
    'password',
    'motdepasse2026',
    'aaaaaaaaaaaaaaaaaaaa',
    'abcdefghijklmnopqrst',
    'one two',
    'chat chat chat chat chat',
    'anticonstitutionnellement',
  ])('is refused when it is as weak as %j', (text) => expect(strengthOf(text)).toBeLessThan(ENOUGH));

  it.each([
    'marbre onze tilleul rivage',
    'correct horse battery staple',
    'q7#Lw9!zRk2@',
    'سأكون هناك قبل الموعد بنصف',
  ])('is taken when it is as strong as %j', (text) =>
    expect(strengthOf(text)).toBeGreaterThanOrEqual(ENOUGH),
  );

  it.each(['fr', 'en'] as const)(
    'is suggested in %s as six different plain words, at full strength',
    (language) => {
      const phrase = suggestPassphrase(language);
      expect(phrase).toMatch(/^[a-z]+( [a-z]+){5}$/);
      expect(suggestPassphrase(language)).not.toBe(phrase);
      expect(strengthOf(phrase)).toBeGreaterThanOrEqual(ENOUGH);
    },
  );

  it('loses none of its words to the missing accents', () => {
    expect(new Set(french.map((word) => word.normalize('NFD').replace(/\p{M}/gu, ''))).size).toBe(2048);
  });

  it('is the same however the keyboard composes it', () => {
    expect(normalisePassphrase('e\u0301te\u0301')).toBe('été');
  });
});
