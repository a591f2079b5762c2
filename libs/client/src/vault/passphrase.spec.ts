import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ratePassphrase, requireStrong } from './passphrase.js';

describe('a new passphrase (section 9)', () => {
  it.each([
    ['', 'short'],
    [' \n ', 'short'],
    ['k7#Lw9!z', 'short'],
    ['elevenchars', 'common'],
    ['password', 'common'],
    ['password1234', 'common'],
    ['P@ssw0rd1234', 'common'],
    ['motdepasse2026', 'common'],
    ['one two', 'pattern'],
    ['ox to be it', 'short'],
    ['anticonstitutionnellement', 'common'],
    ['aaaaaaaaaaaaaaaaaaaa', 'repeated'],
    ['aaaa aaaa aaaa aaaa', 'repeated'],
    ['chat chat chat chat chat', 'repeated'],
    ['abcdefghijklmnopqrst', 'pattern'],
    ['azertyuiopqsdfghjklm', 'pattern'],
    ['un deux trois quatre', 'pattern'],
    ['24/11/2026', 'date'],
  ])('%j is refused, as it is %s', async (text, weakness) => {
    const rating = await ratePassphrase(text);
    expect(rating).toMatchObject({ acceptable: false, weakness });
    expect(rating.strength).toBeLessThan(3);
    await expect(requireStrong(text)).rejects.toMatchObject({
      code: 'PASSPHRASE_WEAK',
      params: { weakness },
    });
  });

  it.each([
    'marbre onze tilleul rivage',
    'correct horse battery staple',
    'q7#Lw9!zRk2@',
    'سأكون هناك قبل الموعد بنصف',
  ])('%j is accepted', async (text) => {
    const rating = await ratePassphrase(text);
    expect(rating).toMatchObject({ acceptable: true, weakness: null });
    expect(rating.strength).toBeGreaterThanOrEqual(3);
    await expect(requireStrong(text)).resolves.toBeUndefined();
  });

  it('is rated the same however its accents are composed', async () => {
    const rated = await Promise.all(['caf\u00e9 au lait', 'cafe\u0301 au lait'].map(ratePassphrase));
    expect(rated[0]).toEqual(rated[1]);
  });

  it('is rated by its beginning where it is longer than what people type', async () => {
    const beginning = 'q7#Lw9!zRk2@'.repeat(8).slice(0, 64);
    expect(await ratePassphrase(beginning + 'x'.repeat(1_000_000))).toEqual(await ratePassphrase(beginning));
    expect(await ratePassphrase('a'.repeat(64) + 'q7#Lw9!zRk2@')).toMatchObject({ weakness: 'repeated' });
  });

  it('whatever is typed has a rating, and is accepted exactly where nothing is held against it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (text) => {
        const { acceptable, strength, weakness } = await ratePassphrase(text);
        expect(acceptable).toBe(weakness === null);
        expect(acceptable).toBe(strength >= 3);
      }),
      { numRuns: 60 },
    );
  });
});
