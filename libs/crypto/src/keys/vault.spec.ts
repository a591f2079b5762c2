/** docs/protocol.md section 9, G14, W9: sealing at rest; and section 10: safety numbers. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { concat, fromBase64Url, toHex, vaultCtx, type Bytes } from '@0fc/protocol';
import { SecureCellSeal } from 'wasm-themis';
import {
  asErasableKey, asVaultKey, type CryptoError, equalSecrets, exposeSecret, generateKeyPair, KDF_COST, KDF_SALT_BYTES, newErasableKey, newVaultKey,
  openEarlierExport, openEarlierVaultKey, openExport, openRecord, openVaultKey, passphrasesOf, recordKey, safetyNumber, sealExport, sealRecord, sealVaultKey, SLOTS,
  stretchPassphrase, type Random, type SealedVaultKey, type VaultKey,
} from './index.js'; // prettier-ignore
import { asSlotSecret } from '../secrets.js';
import { sealUnstretched } from './unstretched.spec-support.js';
import { openSlots, sealSlots } from './vault-slots.js';
import { codeOf, flipBit, hash, newRoomId, random } from '../world.spec-support.js';

const passphrases = passphrasesOf(random);
const vaultKey = newVaultKey(random);
const PASSPHRASE = 'correct horse';
const sealed = await sealVaultKey(random, passphrases, PASSPHRASE, vaultKey);
const { lock, slots } = sealed;

const opened = (over: Partial<SealedVaultKey>, passphrase = PASSPHRASE): Promise<VaultKey> =>
  openVaultKey(passphrases, passphrase, { ...sealed, ...over });
/** With another cell in the place of one. */
const withSlot = (at: number, other: Bytes, of = slots): readonly Bytes[] =>
  of.map((slot, index) => (index === at ? other : slot));
const withRounds = (cell: Bytes, value: number): Bytes => {
  const copy = Uint8Array.from(cell);
  new DataView(copy.buffer).setUint32(48, value, true);
  return copy;
};
/** Why a cell that was cut or reshaped is none. */
const misshapen = (cell: Bytes): readonly Bytes[] => [
  new Uint8Array(),
  cell.slice(0, -1),
  Uint8Array.of(...cell, 0),
  cell.slice(1),
  flipBit(cell, 0),
  flipBit(cell, 8 * 12),
];

describe('the vault key', () => {
  it('opens with its passphrase only: a wrong one is an error, never another vault', async () => {
    expect(await opened({})).toEqual(vaultKey);
    for (const wrong of ['correct horsE', 'correct horse ', '']) {
      expect(await codeOf(() => opened({}, wrong))).toBe('WRONG_PASSPHRASE');
    }
    expect(await codeOf(() => sealVaultKey(random, passphrases, '', vaultKey))).toBe('PASSPHRASE_WEAK');
  });

  it('opens however a keyboard composed the accents', async () => {
    const composed = await sealVaultKey(random, passphrases, 'r\u00e9sum\u00e9', vaultKey);
    expect(await openVaultKey(passphrases, 're\u0301sume\u0301', composed)).toEqual(vaultKey);
  });

  it('costs a guess Argon2id and the rounds of Themis behind it, under a salt of its own', async () => {
    const again = await sealVaultKey(random, passphrases, PASSPHRASE, vaultKey);
    expect(again.lock.salt).toHaveLength(KDF_SALT_BYTES);
    expect(again.lock.salt).not.toEqual(lock.salt);
    expect(lock.cost).toEqual(KDF_COST);
    // Themis's own work factor, as it stands in the lock.
    expect(new DataView(lock.sealed.buffer).getUint32(48, true)).toBe(314_110);
    // Neither derivation alone is the lock's.
    const stretched = await stretchPassphrase(PASSPHRASE, lock.salt, lock.cost);
    const context = vaultCtx('vault-lock');
    expect(SecureCellSeal.withPassphrase(stretched).decrypt(lock.sealed, context)).toHaveLength(32);
    expect(() => SecureCellSeal.withPassphrase(PASSPHRASE).decrypt(lock.sealed, context)).toThrow();
    // No slot opens under what a passphrase makes without the lock.
    const direct = asVaultKey(fromBase64Url(stretched)!);
    for (const slot of slots)
      expect(() => SecureCellSeal.withKey(direct).decrypt(slot, vaultCtx('vault-slot'))).toThrow();
  });

  it('that is cut or reshaped is damage, and says so without trying the passphrase', async () => {
    const wrong: Partial<SealedVaultKey>[] = [
      ...misshapen(lock.sealed),
      withRounds(lock.sealed, 1),
      withRounds(lock.sealed, 0xffffffff),
    ].map((cell) => ({ lock: { ...lock, sealed: cell } }));
    for (const cell of misshapen(slots[2]!)) wrong.push({ slots: withSlot(2, cell) });
    wrong.push(
      { slots: [] },
      { slots: slots.slice(1) },
      { slots: [...slots, slots[0]!] },
      { slots: withSlot(1, sealRecord(vaultKey, 'a', 'b', random.bytes(32))) },
    );
    for (const salt of [new Uint8Array(), random.bytes(15), random.bytes(65)])
      wrong.push({ lock: { ...lock, salt } });
    for (const cost of [
      { ...KDF_COST, m: 19_455 },
      { ...KDF_COST, m: 262_145 },
      { ...KDF_COST, t: 1 },
      { ...KDF_COST, t: 17 },
      { ...KDF_COST, p: 0 },
      { ...KDF_COST, p: 5 },
      { m: 262_144, t: 16, p: 1 },
      { ...KDF_COST, m: 32_768.5 },
    ])
      wrong.push({ lock: { ...lock, cost } });
    for (const over of wrong) {
      for (const passphrase of [PASSPHRASE, 'another', ''])
        expect(await codeOf(() => opened(over, passphrase))).toBe('VAULT_DAMAGED');
    }
  });

  it('behind a lock that opens, and in no slot, is damage; behind one that does not, a wrong passphrase', async () => {
    const other = await sealVaultKey(random, passphrases, PASSPHRASE, vaultKey);
    expect(await codeOf(() => opened({ slots: other.slots }))).toBe('VAULT_DAMAGED');
    expect(await codeOf(() => opened({ slots: other.slots }, 'another'))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => opened({ lock: other.lock }))).toBe('VAULT_DAMAGED');
  });

  it('is no export, and an export no vault key', async () => {
    const file = await sealExport(passphrases, PASSPHRASE, vaultKey);
    expect(await openExport(passphrases, PASSPHRASE, file)).toEqual(vaultKey);
    expect(file.salt).not.toEqual((await sealExport(passphrases, PASSPHRASE, vaultKey)).salt);
    expect(await codeOf(() => opened({ lock: file }))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => openExport(passphrases, PASSPHRASE, lock))).toBe('WRONG_PASSPHRASE');
    expect(
      await codeOf(() => openExport(passphrases, PASSPHRASE, { ...file, sealed: file.sealed.slice(0, 60) })),
    ).toBe('VAULT_DAMAGED');
  });

  it('of an earlier version opens as it was sealed, and as nothing else', async () => {
    const earlier = sealUnstretched(PASSPHRASE, exposeSecret(vaultKey), 'vault-key');
    expect(openEarlierVaultKey(PASSPHRASE, earlier)).toEqual(vaultKey);
    expect(await codeOf(() => openEarlierVaultKey('another', earlier))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => openEarlierVaultKey('', earlier))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => openEarlierExport(PASSPHRASE, earlier))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => openEarlierVaultKey(PASSPHRASE, lock.sealed))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(() => opened({ lock: { ...lock, sealed: earlier } }))).toBe('WRONG_PASSPHRASE');
    for (const cell of [...misshapen(earlier), withRounds(earlier, 1)])
      expect(await codeOf(() => openEarlierVaultKey(PASSPHRASE, cell))).toBe('VAULT_DAMAGED');
    const file = sealUnstretched(PASSPHRASE, Uint8Array.of(7), 'vault-export');
    expect(openEarlierExport(PASSPHRASE, file)).toEqual(Uint8Array.of(7));
  });
});

describe('the slots of a vault key', () => {
  const secret = asSlotSecret(random.bytes(32));
  const outcome = (slot: Bytes): string => {
    try {
      return equalSecrets(openSlots(secret, [slot]), vaultKey) ? 'opens' : 'another key';
    } catch (error) {
      return (error as CryptoError).code;
    }
  };

  it('are four of one length and one shape, and one of them is the passphrase’s', () => {
    expect(slots).toHaveLength(SLOTS);
    expect(new Set(slots.map(({ length }) => length)).size).toBe(1);
    // Type and lengths are those of any cell; behind them every byte is of a cipher or random.
    expect(new Set(slots.map((slot) => toHex(slot.slice(0, 16)))).size).toBe(1);
    expect(new Set(slots.map((slot) => toHex(slot.slice(16)))).size).toBe(SLOTS);
  });

  it('has the passphrase’s at any place, as the generator has it', () => {
    const used: number[] = [];
    for (let byte = 0; byte < SLOTS; byte++) {
      // One byte is asked for where the place is chosen, and nowhere else.
      const chosen: Random = { bytes: (n) => (n === 1 ? Uint8Array.of(252 + byte) : random.bytes(n)) };
      const made = sealSlots(chosen, secret, vaultKey);
      expect(openSlots(secret, made)).toEqual(vaultKey);
      const outcomes = made.map(outcome);
      expect(outcomes.toSorted()).toEqual([...Array<string>(SLOTS - 1).fill('VAULT_DAMAGED'), 'opens']);
      used.push(outcomes.indexOf('opens'));
    }
    expect(used.toSorted()).toEqual([0, 1, 2, 3]);
  });

  it('open to the passphrase and the key beside it together, and to neither alone', async () => {
    const [own, other] = [newErasableKey(random), newErasableKey(random)];
    const beside = await sealVaultKey(random, passphrases, PASSPHRASE, vaultKey, own);
    expect(await openVaultKey(passphrases, PASSPHRASE, beside, own)).toEqual(vaultKey);
    for (const [passphrase, key] of [
      [PASSPHRASE, undefined],
      [PASSPHRASE, other],
      ['another', own],
    ] as const)
      expect(await codeOf(() => openVaultKey(passphrases, passphrase, beside, key))).toBe('WRONG_PASSPHRASE');
    // What Themis gets is Argon2id's result and the key behind it.
    const { salt, cost, sealed: cell } = beside.lock;
    const stretched = await stretchPassphrase(PASSPHRASE, salt, cost, own);
    const alone = await stretchPassphrase(PASSPHRASE, salt, cost);
    expect(fromBase64Url(stretched)).toEqual(concat(fromBase64Url(alone)!, exposeSecret(own)));
    const context = vaultCtx('vault-lock');
    expect(SecureCellSeal.withPassphrase(stretched).decrypt(cell, context)).toHaveLength(32);
    expect(() => SecureCellSeal.withPassphrase(alone).decrypt(cell, context)).toThrow();
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

  it('under an erasable key beside the vault key opens with both, and with neither alone', async () => {
    const [erasable, other] = [newErasableKey(random), newErasableKey(random)];
    const value = Uint8Array.of(1, 2, 3);
    const record = sealRecord(recordKey(vaultKey, erasable), 'rooms', 'x', value);
    expect(openRecord(recordKey(vaultKey, erasable), 'rooms', 'x', record)).toEqual(value);
    const wrong = [
      recordKey(vaultKey, other),
      recordKey(newVaultKey(random), erasable),
      recordKey(asVaultKey(exposeSecret(erasable)), newErasableKey(random)),
      vaultKey,
      asVaultKey(exposeSecret(erasable)),
      // As it is once it is destroyed.
      recordKey(vaultKey, asErasableKey(new Uint8Array(32))),
    ];
    for (const key of wrong)
      expect(await codeOf(() => openRecord(key, 'rooms', 'x', record))).toBe('VAULT_DAMAGED');
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
