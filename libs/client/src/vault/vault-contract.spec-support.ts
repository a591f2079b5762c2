/** The vault's promises (docs/protocol.md section 9, G14), over any storage. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { equalSecrets, sealVaultKey, type SealedVaultKey } from '@0fc/crypto/keys';
import { encodeCbor, equalBytes, utf8, type Bytes } from '@0fc/protocol';
import type { StoragePort } from '../contract/ports.js';
import { storageOver } from './storage-over.spec-support.js';
import { broken, drop, put, type StorageUnderTest } from './storage-contract.spec-support.js';
import { deviceKeyIn, headerIn, vaultKeyIn } from '../../../../test/support/earlier-vault.js';
import { encodeHeader } from './header.js';
import { RECORDS_VERSION } from './migrations/run.js';
import { Vault, type VaultPlatform } from './vault.js';
import { quickPassphrases } from './quick-passphrases.spec-support.js';

const PASSPHRASE = 'a passphrase long enough';
const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const everything = async (storage: StoragePort): Promise<unknown> =>
  Promise.all(['vault', 'rooms', 'timeline'].map((store) => storage.list(store)));

export function describeVault(subject: StorageUnderTest): void {
  describe(`${subject.name}: vault (section 9, G14)`, () => {
    let storage: StoragePort;
    let platform: VaultPlatform;
    beforeAll(() => loadThemis());
    beforeEach(async () => {
      storage = await subject.fresh();
      platform = { crypto, passphrases: quickPassphrases, storage };
    });
    afterEach(async () => {
      await storage.close();
      await subject.clean();
    });

    const raw = async (store: string, key: string): Promise<Bytes> => {
      const value = await storage.read(store, key);
      if (value === null) throw new Error('no such record');
      return value;
    };
    const code = async (work: Promise<unknown>): Promise<string> => {
      try {
        await work;
        return 'fulfilled';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const unlock = (passphrase = PASSPHRASE): Promise<Vault> => Vault.unlock(platform, passphrase);
    const filled = async (): Promise<Vault> => {
      const vault = await Vault.create(platform, PASSPHRASE);
      await vault.write([
        put('rooms', 'r1', 'first room'),
        put('rooms', 'r2', 'second room'),
        put('timeline', 'r1', 'line'),
      ]);
      return vault;
    };

    it('is absent, is created, and opens again with its passphrase', async () => {
      expect(await Vault.state(storage)).toBe('absent');
      const vault = await filled();
      expect(await Vault.state(storage)).toBe('locked');
      expect(await vault.get('rooms', 'r1')).toEqual(utf8('first room'));
      await vault.close();
      platform = { crypto, passphrases: quickPassphrases, storage: await subject.again() };
      const opened = await unlock();
      expect(await opened.get('rooms', 'r2')).toEqual(utf8('second room'));
      expect(await opened.get('rooms', 'absent')).toBeNull();
      expect((await opened.list('rooms')).map(({ key }) => key)).toEqual(['r1', 'r2']);
      expect(await opened.listFrom('timeline', 'r')).toEqual([{ key: 'r1', value: utf8('line') }]);
      await opened.write([drop('rooms', 'r1')]);
      expect(await opened.get('rooms', 'r1')).toBeNull();
      if (platform.storage !== storage) await platform.storage.close();
    });

    it('a wrong passphrase is an error and changes nothing', async () => {
      await filled();
      const before = await everything(storage);
      expect(await code(unlock('another passphrase, wrong'))).toBe('WRONG_PASSPHRASE');
      expect(await code(unlock(''))).toBe('WRONG_PASSPHRASE');
      expect(await code(Vault.create(platform, 'another passphrase, wrong'))).toBe('VAULT_EXISTS');
      expect(await everything(storage)).toEqual(before);
    });

    it('unlock never makes a vault', async () => {
      expect(await code(unlock())).toBe('VAULT_ABSENT');
      expect(await Vault.state(storage)).toBe('absent');
    });

    it('of two creations at once, one wins and holds', async () => {
      const both = [Vault.create(platform, PASSPHRASE), Vault.create(platform, 'some other passphrase')];
      expect((await Promise.all(both.map(code))).sort()).toEqual(['VAULT_EXISTS', 'fulfilled']);
      expect(await code(unlock())).toBe('fulfilled');
    });

    it('has a floor for the passphrase', async () => {
      for (const weak of ['', 'short', 'password1234', 'aaaa aaaa aaaa aaaa']) {
        expect(await code(Vault.create(platform, weak))).toBe('PASSPHRASE_WEAK');
      }
      expect(await Vault.state(storage)).toBe('absent');
      expect(await code(Vault.create(platform, 'correct horse battery staple'))).toBe('fulfilled');
    });

    it('opens with a weak passphrase that it was made with before there was this floor', async () => {
      await (await filled()).close();
      const key = await vaultKeyIn(platform, PASSPHRASE);
      const header = await headerIn(storage);
      const beside = await deviceKeyIn(storage);
      const sealed = await sealVaultKey(nodeRandom, quickPassphrases, 'short', key, beside);
      await storage.write([
        { store: 'vault', key: 'header', value: await encodeHeader(nodeHash, { ...header, sealed }) },
      ]);
      const vault = await unlock('short');
      expect(await vault.get('rooms', 'r1')).toEqual(utf8('first room'));
      expect(await code(vault.changePassphrase('short', 'password1234'))).toBe('PASSPHRASE_WEAK');
      expect(await code(vault.changePassphrase('short', PASSPHRASE))).toBe('fulfilled');
    });

    it('one passphrase opens however its accents are composed', async () => {
      await Vault.create(platform, 'caf\u00e9 au lait, mercredi');
      expect(await code(unlock('cafe\u0301 au lait, mercredi'))).toBe('fulfilled');
    });

    it('nothing at rest holds a value, the vault key or the passphrase', async () => {
      await filled();
      const stored = Buffer.from(
        JSON.stringify(await everything(storage), (_, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
        ),
      ).toString();
      for (const secret of ['first room', 'second room', 'line"', PASSPHRASE])
        expect(stored).not.toContain(secret);
    });

    it('a header cut short or changed anywhere is damage, not a wrong passphrase', async () => {
      await filled();
      const header = await raw('vault', 'header');
      for (let length = 0; length < header.length; length++) {
        await storage.write([{ store: 'vault', key: 'header', value: header.slice(0, length) }]);
        expect(await code(unlock())).toBe('VAULT_DAMAGED');
      }
      const codes = new Set<string>();
      for (let at = 0; at < header.length; at++) {
        const changed = Uint8Array.from(header, (byte, index) => (index === at ? byte ^ 1 : byte));
        await storage.write([{ store: 'vault', key: 'header', value: changed }]);
        codes.add(await code(unlock()));
      }
      // A changed version reads as a later one.
      expect([...codes].filter((seen) => seen !== 'UNSUPPORTED_VERSION')).toEqual(['VAULT_DAMAGED']);
      expect(await code(Vault.create(platform, PASSPHRASE))).toBe('VAULT_EXISTS');
      await storage.write([{ store: 'vault', key: 'header', value: header }]);
      expect(await code(unlock())).toBe('fulfilled');
    });

    it('a lost header or proof is damage, and the place is not free', async () => {
      await filled();
      for (const key of ['header', 'proof']) {
        const value = await raw('vault', key);
        await storage.write([drop('vault', key)]);
        expect(await Vault.state(storage)).toBe('locked');
        expect(await code(unlock())).toBe('VAULT_DAMAGED');
        expect(await code(Vault.create(platform, PASSPHRASE))).toBe('VAULT_EXISTS');
        await storage.write([{ store: 'vault', key, value }]);
      }
    });

    it('a later client’s vault is left alone', async () => {
      await storage.write([
        { store: 'vault', key: 'header', value: encodeCbor(['0fc-vault', RECORDS_VERSION + 1, 'whatever']) },
        put('vault', 'proof', 'x'),
      ]);
      expect(await code(unlock())).toBe('UNSUPPORTED_VERSION');
    });

    it('the header of another vault does not open these records', async () => {
      await filled();
      const header = await raw('vault', 'header');
      await storage.erase();
      await filled();
      await storage.write([{ store: 'vault', key: 'header', value: header }]);
      expect(await code(unlock())).toBe('VAULT_KEYS_LOST');
    });

    it('a record cut short is damage, and names its store only', async () => {
      const vault = await filled();
      const whole = await raw('rooms', 'r1');
      for (const length of [0, 1, 43, 44, whole.length - 1]) {
        await storage.write([{ store: 'rooms', key: 'r1', value: whole.slice(0, length) }]);
        const failure = vault.get('rooms', 'r1');
        await expect(failure).rejects.toMatchObject({ code: 'VAULT_DAMAGED', params: { store: 'rooms' } });
        await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('r1') });
        expect(await code(vault.list('rooms'))).toBe('VAULT_DAMAGED');
      }
      expect(await vault.get('rooms', 'r2')).toEqual(utf8('second room'));
    });

    it('a record in the place of another is damage', async () => {
      const vault = await filled();
      const swap = async (
        to: readonly [string, string],
        from: readonly [string, string],
      ): Promise<string> => {
        await storage.write([{ store: to[0], key: to[1], value: await raw(...from) }]);
        return code(vault.get(...to));
      };
      expect(await swap(['rooms', 'r3'], ['rooms', 'r1'])).toBe('VAULT_DAMAGED');
      expect(await swap(['rooms', 'r2'], ['rooms', 'r1'])).toBe('VAULT_DAMAGED');
      expect(await swap(['timeline', 'r1'], ['rooms', 'r1'])).toBe('VAULT_DAMAGED');
      expect(await swap(['rooms', 'r1'], ['rooms', 'r1'])).toBe('fulfilled');
    });

    it('a batch that fails leaves the vault as it was', async () => {
      const vault = await filled();
      const failing = storageOver(storage, {
        // Fails at the end of the batch, as a full disk does.
        write: (changes) => storage.write([...changes, broken]),
      });
      await vault.close();
      const opened = await Vault.unlock(
        { crypto, passphrases: quickPassphrases, storage: failing },
        PASSPHRASE,
      );
      expect(await code(opened.write([put('rooms', 'r1', 'changed'), drop('timeline', 'r1')]))).not.toBe(
        'fulfilled',
      );
      expect(await opened.get('rooms', 'r1')).toEqual(utf8('first room'));
      expect(await opened.get('timeline', 'r1')).toEqual(utf8('line'));
    });

    it('keeps its own store to itself', async () => {
      const vault = await filled();
      expect(await code(vault.write([put('rooms', 'r9', 'x'), put('vault', 'header', 'x')]))).toBe(
        'FORBIDDEN',
      );
      expect(await vault.get('rooms', 'r9')).toBeNull();
    });

    it('is out of reach once closed', async () => {
      const vault = await filled();
      await vault.close();
      await vault.close();
      expect(await code(vault.get('rooms', 'r1'))).toBe('VAULT_LOCKED');
      expect(await code(vault.list('rooms'))).toBe('VAULT_LOCKED');
      expect(await code(vault.listFrom('rooms', ''))).toBe('VAULT_LOCKED');
      expect(await code(vault.listBetween('rooms', '', 's'))).toBe('VAULT_LOCKED');
      expect(await code(vault.write([put('rooms', 'r1', 'x')]))).toBe('VAULT_LOCKED');
    });

    it('changes its passphrase and its vault key, and loses no record', async () => {
      const vault = await filled();
      const next = 'another passphrase, the new one';
      const old = (await headerIn(storage)).sealed as SealedVaultKey;
      const key = await vaultKeyIn(platform, PASSPHRASE);
      await vault.changePassphrase(PASSPHRASE, next);
      const now = (await headerIn(storage)).sealed as SealedVaultKey;
      expect(now.slots.some((slot) => old.slots.some((before) => equalBytes(slot, before)))).toBe(false);
      expect(now.lock.salt).not.toEqual(old.lock.salt);
      // The open vault goes on, while its records are sealed again and after that.
      expect(await vault.get('rooms', 'r1')).toEqual(utf8('first room'));
      await vault.write([put('rooms', 'r4', 'fourth room')]);
      await vault.renewed();
      expect(await vault.get('rooms', 'r2')).toEqual(utf8('second room'));
      await vault.close();
      expect(await code(unlock())).toBe('WRONG_PASSPHRASE');
      expect(equalSecrets(await vaultKeyIn(platform, next), key)).toBe(false);
      const opened = await unlock(next);
      for (const [place, text] of [
        ['r1', 'first room'],
        ['r2', 'second room'],
        ['r4', 'fourth room'],
      ] as const)
        expect(await opened.get('rooms', place)).toEqual(utf8(text));
      expect(await opened.get('timeline', 'r1')).toEqual(utf8('line'));
      expect(await storage.read('vault', 'renewal')).toBeNull();
      await opened.close();
    });

    it('a change of the passphrase that is refused changes nothing', async () => {
      const vault = await filled();
      const before = await everything(storage);
      expect(await code(vault.changePassphrase('not the passphrase at all', 'a new one, long enough'))).toBe(
        'WRONG_PASSPHRASE',
      );
      expect(await code(vault.changePassphrase(PASSPHRASE, 'short'))).toBe('PASSPHRASE_WEAK');
      expect(await everything(storage)).toEqual(before);
      await storage.write([drop('vault', 'header')]);
      expect(await code(vault.changePassphrase(PASSPHRASE, 'a new one, long enough'))).toBe('VAULT_DAMAGED');
      await vault.close();
      expect(await code(vault.changePassphrase(PASSPHRASE, 'a new one, long enough'))).toBe('VAULT_LOCKED');
    });

    it('a header of another vault is not taken for its own', async () => {
      await filled();
      const other = await raw('vault', 'header');
      await storage.erase();
      const vault = await filled();
      await storage.write([{ store: 'vault', key: 'header', value: other }]);
      expect(await code(vault.changePassphrase(PASSPHRASE, 'a new one, long enough'))).toBe('VAULT_DAMAGED');
      expect(await raw('vault', 'header')).toEqual(other);
    });

    it('of two changes at once, the second must know the first one’s passphrase', async () => {
      const vault = await filled();
      const changes = ['second passphrase, long', 'third passphrase, long'].map((next) =>
        code(vault.changePassphrase(PASSPHRASE, next)),
      );
      expect(await Promise.all(changes)).toEqual(['fulfilled', 'WRONG_PASSPHRASE']);
      await vault.close();
      expect(await code(unlock('second passphrase, long'))).toBe('fulfilled');
    });

    it('holds records from its first moment, or is not made', async () => {
      const records = [put('rooms', 'r1', 'first room'), put('timeline', 'r1', 'line')];
      expect(await code(Vault.create(platform, PASSPHRASE, [...records, put('vault', 'header', 'x')]))).toBe(
        'FORBIDDEN',
      );
      expect(await Vault.state(storage)).toBe('absent');
      await Vault.create(platform, PASSPHRASE, records);
      expect(await (await unlock()).get('timeline', 'r1')).toEqual(utf8('line'));
    });

    it('is absent after an erasure', async () => {
      await filled();
      await storage.erase();
      expect(await Vault.state(storage)).toBe('absent');
      expect(await code(unlock())).toBe('VAULT_ABSENT');
    });
  });
}
