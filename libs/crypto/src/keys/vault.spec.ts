/** docs/protocol.md section 9, G14, W9: sealing at rest; and section 10: safety numbers. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { Bytes } from '@0fc/protocol';
import {
  generateKeyPair, newVaultKey, openExport, openRecord, openVaultKey, safetyNumber, sealExport, sealRecord, sealVaultKey,
} from './index.js'; // prettier-ignore
import { codeOf, flipBit, hash, newRoomId, random } from '../world.spec-support.js';

const vaultKey = newVaultKey(random);
const sealed = sealVaultKey('correct horse', vaultKey);

describe('the vault key', () => {
  it('opens with its passphrase only: a wrong one is an error, never another vault', async () => {
    expect(openVaultKey('correct horse', sealed)).toEqual(vaultKey);
    for (const wrong of ['correct horsE', 'correct horse ', '']) {
      expect(await codeOf(() => openVaultKey(wrong, sealed))).toBe('WRONG_PASSPHRASE');
    }
    expect(await codeOf(() => sealVaultKey('', vaultKey))).toBe('PASSPHRASE_WEAK');
  });

  it('opens however a keyboard composed the accents', () => {
    expect(openVaultKey('re\u0301sume\u0301', sealVaultKey('r\u00e9sum\u00e9', vaultKey))).toEqual(vaultKey);
  });

  it('that is cut or reshaped is damage, and says so without trying the passphrase', async () => {
    const rounds = (value: number): Bytes => {
      const copy = Uint8Array.from(sealed);
      new DataView(copy.buffer).setUint32(48, value, true);
      return copy;
    };
    const wrong = [
      new Uint8Array(),
      sealed.slice(0, -1),
      Uint8Array.of(...sealed, 0),
      sealed.slice(1),
      flipBit(sealed, 0),
      flipBit(sealed, 8 * 16),
      rounds(1),
      rounds(0xffffffff),
    ];
    for (const bytes of wrong)
      expect(await codeOf(() => openVaultKey('correct horse', bytes))).toBe('VAULT_DAMAGED');
    // Themis's own work factor, as it stands in the sealed key.
    expect(new DataView(sealed.buffer).getUint32(48, true)).toBe(314_110);
  });

  it('is no export, and an export no vault key', async () => {
    const file = sealExport('correct horse', vaultKey);
    expect(openExport('correct horse', file)).toEqual(vaultKey);
    expect(await codeOf(() => openVaultKey('correct horse', file))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => openExport('correct horse', sealed))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => openExport('correct horse', file.slice(0, 60)))).toBe('VAULT_DAMAGED');
  });
});

describe('a record', () => {
  it('opens at its place to any value, the empty one included', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.uint8Array({ maxLength: 300 }), (store, key, value) => {
        expect(openRecord(vaultKey, store, key, sealRecord(vaultKey, store, key, value))).toEqual(value);
      }),
      { numRuns: 50 },
    );
  });

  it('opens nowhere else: not where store and key merely join to the same text', async () => {
    const record = sealRecord(vaultKey, 'ab', 'c', Uint8Array.of(1));
    for (const [store, key] of [
      ['a', 'bc'],
      ['abc', ''],
      ['ab', 'd'],
      ['c', 'ab'],
    ] as const) {
      expect(await codeOf(() => openRecord(vaultKey, store, key, record))).toBe('VAULT_DAMAGED');
    }
    expect(await codeOf(() => openRecord(newVaultKey(random), 'ab', 'c', record))).toBe('VAULT_DAMAGED');
    expect(await codeOf(() => openRecord(vaultKey, 'ab', 'c', record.slice(0, -1)))).toBe('VAULT_DAMAGED');
  });
});

describe('a safety number', () => {
  it('is the same from both sides, and 60 digits', async () => {
    const roomId = newRoomId();
    for (let round = 0; round < 10; round++) {
      const [a, b] = [generateKeyPair().publicKey, generateKeyPair().publicKey];
      const number = await safetyNumber(hash, roomId, a, b);
      expect(await safetyNumber(hash, roomId, b, a)).toBe(number);
      expect(number).toMatch(/^\d{5}( \d{5}){11}$/);
    }
  });

  it('differs with either key and with the room', async () => {
    const roomId = newRoomId();
    const [a, b, c] = [generateKeyPair().publicKey, generateKeyPair().publicKey, generateKeyPair().publicKey];
    const numbers = await Promise.all([
      safetyNumber(hash, roomId, a, b), safetyNumber(hash, roomId, a, c), safetyNumber(hash, roomId, c, b),
      safetyNumber(hash, newRoomId(), a, b),
    ]); // prettier-ignore
    expect(new Set(numbers).size).toBe(4);
  });
});
