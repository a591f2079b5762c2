/** Argon2id in front of the vault's passphrase (G14): the function that RFC 9106 describes, and its bounds. */
import { argon2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { toBase64Url, toHex, utf8, type Bytes } from '@0fc/protocol';
import { codeOf, random } from '../world.spec-support.js';
import { KDF_COST, KDF_SALT_BYTES, stretchPassphrase, type KdfCost } from './index.js';

/** OpenSSL's, which the first test holds against RFC 9106. */
const openssl = (passphrase: string, salt: Bytes, { m, t, p }: KdfCost): string =>
  toBase64Url(
    Uint8Array.from(
      argon2Sync('argon2id', {
        message: utf8(passphrase), nonce: salt, memory: m, passes: t, parallelism: p, tagLength: 32,
      }),
    ),
  ); // prettier-ignore

const salt = Uint8Array.from({ length: 16 }, (_, at) => at);
const least: KdfCost = { m: 19_456, t: 2, p: 1 };

describe('Argon2id', () => {
  it('of OpenSSL is that of RFC 9106, section 5.3', () => {
    const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
    const tag = argon2Sync('argon2id', {
      message: fill(32, 1), nonce: fill(16, 2), secret: fill(8, 3), associatedData: fill(12, 4),
      memory: 32, passes: 3, parallelism: 4, tagLength: 32,
    }); // prettier-ignore
    expect(toHex(tag)).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
  });

  it('here is that of OpenSSL', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, maxLength: 100 }).map((text) => text.normalize('NFC')),
        fc.uint8Array({ minLength: 16, maxLength: 64 }),
        fc.record({ m: fc.integer({ min: 19_456, max: 21_000 }), t: fc.integer({ min: 2, max: 3 }), p: fc.integer({ min: 1, max: 4 }) }),
        async (passphrase, bytes, cost) => {
          expect(await stretchPassphrase(passphrase, bytes, cost)).toBe(openssl(passphrase, bytes, cost));
        },
      ),
      { numRuns: 8 },
    ); // prettier-ignore
  });

  it('at what this version writes, once and for all', async () => {
    expect([KDF_COST, KDF_SALT_BYTES]).toEqual([{ m: 32_768, t: 2, p: 1 }, 16]);
    const stretched = await stretchPassphrase('correct horse battery staple', salt);
    expect(stretched).toBe('o-rrqJ0GlFiv_4t9ll6hLeKSQY3tkbMFy0lKpW02G1A');
    expect(stretched).toBe(openssl('correct horse battery staple', salt, KDF_COST));
  });
});

describe('a stretched passphrase', () => {
  it('is one, however a keyboard composed the accents; a letter, a salt or a cost more make another', async () => {
    const one = await stretchPassphrase('r\u00e9sum\u00e9', salt, least);
    expect(one).toMatch(/^[\w-]{43}$/);
    expect(await stretchPassphrase('re\u0301sume\u0301', salt, least)).toBe(one);
    const others = [
      await stretchPassphrase('r\u00e9sum\u00e9 ', salt, least),
      await stretchPassphrase('r\u00e9sume', salt, least),
      await stretchPassphrase('r\u00e9sum\u00e9', salt.toReversed(), least),
      await stretchPassphrase('r\u00e9sum\u00e9', salt, { ...least, t: 3 }),
      await stretchPassphrase('r\u00e9sum\u00e9', salt, { ...least, m: 19_464 }),
      await stretchPassphrase('r\u00e9sum\u00e9', salt, { ...least, p: 2 }),
    ];
    expect(new Set([one, ...others]).size).toBe(7);
  });

  it('is refused as empty', async () => {
    expect(await codeOf(() => stretchPassphrase('', salt))).toBe('PASSPHRASE_WEAK');
  });
});

describe('a cost that is read', () => {
  const outside: readonly Partial<KdfCost>[] = [
    { m: 0 }, { m: 8 }, { m: 19_455 }, { m: 262_145 }, { m: 2 ** 32 }, { m: -19_456 }, { m: 20_000.5 }, { m: NaN },
    { m: Infinity }, { t: 0 }, { t: 1 }, { t: 17 }, { t: 2 ** 32 - 1 }, { t: 2.5 }, { t: NaN }, { p: 0 }, { p: 5 },
    { p: 1.5 }, { p: NaN }, { m: 262_144, t: 9 },
  ]; // prettier-ignore

  const costs = outside.map((cost): KdfCost => ({ ...KDF_COST, ...cost }));

  // Some of these would take hours, or more memory than there is.
  it.each(costs)('is refused before any work: %p', async (cost) => {
    expect(await codeOf(() => stretchPassphrase('correct horse', salt, cost))).toBe('VAULT_DAMAGED');
  });

  it('is refused with a salt of another length', async () => {
    for (const length of [0, 8, 15, 65, 1_000]) {
      const other = random.bytes(length);
      expect(await codeOf(() => stretchPassphrase('correct horse', other, least))).toBe('VAULT_DAMAGED');
    }
  });
});
