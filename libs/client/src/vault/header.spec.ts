/** The header of a vault as somebody changes it who can write to the disk (docs/protocol.md section 9; G14). */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  asVaultKey, KDF_COST, passphrasesOf, sealRecord, type PassphraseSeal, type SealedVaultKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { encodeCbor, type Bytes, type CborValue } from '@0fc/protocol';
import { memoryStorage } from '../room/log/log.spec-support.js';
import { earlierHeader, headerIn, vaultKeyIn } from '../../../../test/support/earlier-vault.js';
import { encodeHeader, type VaultHeader } from './header.js';
import { RECORDS_VERSION } from './migrations/run.js';
import { Vault } from './vault.js';

const PASSPHRASE = 'a passphrase long enough';
const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const passphrases = passphrasesOf(nodeRandom);

const storage = memoryStorage();
let genuine: SealedVaultKey;
let device: VaultHeader['device'];

beforeAll(async () => {
  await loadThemis();
  await (await Vault.create({ crypto, passphrases, storage }, PASSPHRASE)).close();
  const header = await headerIn(storage);
  genuine = header.sealed as SealedVaultKey;
  ({ device } = header);
});
beforeEach(async () => {
  await plant(await encodeHeader(nodeHash, { version: RECORDS_VERSION, sealed: genuine, device }));
});

/** With a check that fits: it is no secret. */
async function withCheck(version: number, sealed: CborValue): Promise<Bytes> {
  const beside = version > 5 && device !== null ? [[device.table, device.number]] : [];
  const fields = ['0fc-vault', version, sealed, ...beside];
  return encodeCbor([...fields, (await nodeHash.sha256(encodeCbor(fields))).slice(0, 8)]);
}

const plant = (value: Bytes): Promise<void> => storage.write([{ store: 'vault', key: 'header', value }]);
const unlocking = (passphrase = PASSPHRASE): Promise<string> =>
  Vault.unlock({ crypto, passphrases, storage }, passphrase).then(
    () => 'opens',
    (error: unknown) => (error as { readonly code: string }).code,
  );
const atRest = (): Promise<unknown> => storage.list('vault');

const lockOf = (over: Partial<PassphraseSeal> = {}): CborValue => {
  const { salt, cost, sealed } = { ...genuine.lock, ...over };
  return { salt, cost: { ...cost }, sealed };
};
/** Everything that no client writes, by what is wrong with it. */
const WRONG: Readonly<Record<string, () => CborValue>> = {
  'one cell, as in version 3': () => genuine.lock.sealed,
  'no slots': () => ({ lock: lockOf() }),
  'no lock': () => ({ slots: genuine.slots }),
  'one field more': () => ({ lock: lockOf(), slots: genuine.slots, passkey: true }),
  'slots that are none': () => ({ lock: lockOf(), slots: 'four' }),
  'an empty list of slots': () => ({ lock: lockOf(), slots: [] }),
  'three slots': () => ({ lock: lockOf(), slots: genuine.slots.slice(1) }),
  'five slots': () => ({ lock: lockOf(), slots: [...genuine.slots, genuine.slots[0]!] }),
  'a short slot': () => ({ lock: lockOf(), slots: genuine.slots.map((slot) => slot.slice(1)) }),
  'bytes for a slot': () => ({
    lock: lockOf(),
    slots: genuine.slots.map(({ length }, at) => (at === 3 ? nodeRandom.bytes(length) : genuine.slots[at]!)),
  }),
  ...Object.fromEntries(
    (
      [
        { m: 1_024 }, { m: 1_048_576 }, { t: 1 }, { t: 1_000_000 }, { p: 0 }, { p: 255 }, { m: 262_144, t: 16 },
      ] as const
    ).map((cost) => [
      `a cost of ${JSON.stringify(cost)}`,
      () => ({ lock: lockOf({ cost: { ...KDF_COST, ...cost } }), slots: genuine.slots }),
    ]),
  ),
  ...Object.fromEntries(
    [0, 15, 65].map((length) => [
      `a salt of ${String(length)} bytes`,
      () => ({ lock: lockOf({ salt: nodeRandom.bytes(length) }), slots: genuine.slots }),
    ]),
  ),
  ...Object.fromEntries(
    [0, 101, 102, 103].map((length) => [
      `a lock of ${String(length)} bytes that are no cell`,
      () => ({ lock: lockOf({ sealed: nodeRandom.bytes(length) }), slots: genuine.slots }),
    ]),
  ),
}; // prettier-ignore

describe('a header under a check that fits', () => {
  it.each(Object.keys(WRONG))(
    'with %s is damage, whatever the passphrase, and stays as it is',
    async (what) => {
      await plant(await withCheck(RECORDS_VERSION, WRONG[what]!()));
      const before = await atRest();
      for (const passphrase of [PASSPHRASE, 'another passphrase, wrong', ''])
        expect(await unlocking(passphrase)).toBe('VAULT_DAMAGED');
      await expect(Vault.create({ crypto, passphrases, storage }, PASSPHRASE)).rejects.toMatchObject({
        code: 'VAULT_EXISTS',
      });
      expect(await atRest()).toEqual(before);
    },
  );

  it('whose slots are all random is damage to who knows the passphrase, and tells nobody else', async () => {
    // 31 bytes, and the one of a record's format.
    const slots = genuine.slots.map(() =>
      sealRecord(asVaultKey(nodeRandom.bytes(32)), 'a', 'b', nodeRandom.bytes(31)),
    );
    expect(slots.map(({ length }) => length)).toEqual(genuine.slots.map(({ length }) => length));
    await plant(
      await encodeHeader(nodeHash, { version: RECORDS_VERSION, sealed: { ...genuine, slots }, device }),
    );
    expect(await unlocking()).toBe('VAULT_DAMAGED');
    expect(await unlocking('another passphrase, wrong')).toBe('WRONG_PASSPHRASE');
  });

  it.each([1, 2, 3, 4, 5])(
    'of version %d, before records of this one, is damage, and nothing is migrated again',
    async (version) => {
      const key = await vaultKeyIn({ passphrases, storage }, PASSPHRASE);
      await plant(await earlierHeader(passphrases, key, PASSPHRASE, version));
      const before = await atRest();
      expect(await unlocking()).toBe('VAULT_DAMAGED');
      expect(await unlocking('another passphrase, wrong')).toBe('WRONG_PASSPHRASE');
      expect(await atRest()).toEqual(before);
    },
  );

  it.each([3, RECORDS_VERSION + 1, 2 ** 40])(
    'of version %d with slots is damage or of a later client',
    async (version) => {
      await plant(await withCheck(version, { lock: lockOf(), slots: genuine.slots }));
      expect(await unlocking()).toBe(version === 3 ? 'VAULT_DAMAGED' : 'UNSUPPORTED_VERSION');
    },
  );
});
