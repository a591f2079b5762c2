/** Opening, closing and erasing the vault through the client's door: at once, and failing half-way. */
import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loadThemis, nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { concat, utf8 } from '@0fc/protocol';
import type { DamagedRoom, VaultState } from './contract/api.js';
import { createClient, type Client } from './client.js';
import { ClientError } from './contract/errors.js';
import type { Platform, StoragePort } from './contract/ports.js';
import { memoryStorage } from './room/log/log.spec-support.js';
import { STORES } from './vault/records.js';
import { Vault } from './vault/vault.js';
import { quickPassphrases } from './vault/quick-passphrases.spec-support.js';

const PASSPHRASE = 'a passphrase long enough';
const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

/** A device whose lock can be looked at, and whose links must not be used. */
class Device implements Platform {
  readonly crypto = crypto;
  readonly passphrases = quickPassphrases;
  readonly storage: StoragePort = memoryStorage();
  held = false;
  readonly timers = {
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  readonly socket = {
    connect: () => {
      throw new Error('no room, no link');
    },
  };
  readonly lock = {
    acquire: async () => (this.held = true),
    release: async () => {
      this.held = false;
    },
  };
}

let device: Device;
let client: Client;
let state: VaultState;
let damaged: readonly DamagedRoom[];

beforeAll(() => loadThemis());
beforeEach(async () => {
  device = new Device();
  const unreachable = (): Promise<never> => Promise.reject(new ClientError('RELAY_UNREACHABLE'));
  client = await createClient(device, {
    relayUrl: 'https://chat.example',
    relayPublicKey: null,
    fetchRelayKey: unreachable,
    fetchSuccession: unreachable,
    fetchRelayTime: unreachable,
  });
  await client.subscribe((event) => {
    if (event.type === 'app') ({ vault: state, damaged } = event.app);
  });
});

const code = async (outcome: ReturnType<Client['unlock']>): Promise<string> => {
  const result = await outcome;
  return result.ok ? 'ok' : result.error.code;
};

describe('the vault behind the client', () => {
  it('opens once, whoever asks twice at once', async () => {
    expect(await Promise.all([client.createVault(PASSPHRASE), client.unlock(PASSPHRASE)].map(code))).toEqual([
      'ok',
      'VAULT_EXISTS',
    ]);
    expect([state, device.held]).toEqual(['open', true]);
    await client.close();
    expect([state, device.held]).toEqual(['locked', false]);
  });

  it('is closed, and its lock free, where it opens and cannot be read', async () => {
    await Vault.create(device, PASSPHRASE);
    const close = jest.spyOn(Vault.prototype, 'close');
    const keys = jest
      .spyOn(Vault.prototype, 'keysFrom')
      .mockRejectedValueOnce(new ClientError('VAULT_UNAVAILABLE'));
    expect(await code(client.unlock(PASSPHRASE))).toBe('VAULT_UNAVAILABLE');
    keys.mockRestore();
    expect(close).toHaveBeenCalled();
    close.mockRestore();
    expect([state, device.held]).toEqual(['locked', false]);
    expect((await client.changePassphrase(PASSPHRASE, 'another one, long enough')).ok).toBe(false);
    expect(await code(client.unlock('not the passphrase'))).toBe('WRONG_PASSPHRASE');
  });

  it('is open where a join in it cannot be read, which is named and can be deleted', async () => {
    const vault = await Vault.create(device, PASSPHRASE);
    await vault.write([{ store: STORES.joins, key: 'torn', value: utf8('no join at all') }]);
    expect(await code(client.unlock(PASSPHRASE))).toBe('ok');
    expect(damaged).toEqual([{ roomId: 'torn', store: STORES.joins }]);
    expect(await code(client.forgetRoom('torn'))).toBe('ok');
    expect(await vault.get(STORES.joins, 'torn')).toBeNull();
    await client.close();
  });

  it('that is being opened is erased only once it is open', async () => {
    const both = [client.createVault(PASSPHRASE), client.eraseVault()];
    expect(await Promise.all(both.map(code))).toEqual(['ok', 'ok']);
    expect([state, device.held]).toEqual(['absent', false]);
    expect(await code(client.unlock(PASSPHRASE))).toBe('VAULT_ABSENT');
    expect(await code(client.createVault(PASSPHRASE))).toBe('ok');
    await client.close();
  });

  it('whose records cannot be erased is locked, its lock free and its keys destroyed: the next unlock ends it', async () => {
    expect(await code(client.createVault(PASSPHRASE))).toBe('ok');
    const erase = jest.spyOn(device.storage, 'erase').mockRejectedValue(new ClientError('VAULT_UNAVAILABLE'));
    expect(await code(client.eraseVault())).toBe('VAULT_UNAVAILABLE');
    erase.mockRestore();
    expect([state, device.held]).toEqual(['locked', false]);
    expect(await code(client.unlock(PASSPHRASE))).toBe('VAULT_ABSENT');
    expect([state, device.held]).toEqual(['absent', false]);
    expect(await code(client.createVault(PASSPHRASE))).toBe('ok');
    await client.close();
  });

  it('goes out as a file and comes in elsewhere, and not over another one', async () => {
    expect(await code(client.createVault(PASSPHRASE))).toBe('ok');
    const pieces: Uint8Array[] = [];
    const take = (piece: Uint8Array): Promise<boolean> => Promise.resolve(pieces.push(piece) > 0);
    expect(await code(client.exportVault('the passphrase of the file', take))).toBe('ok');
    const file = concat(...pieces);
    expect(await code(client.importVault(file, 'the passphrase of the file', PASSPHRASE))).toBe(
      'VAULT_EXISTS',
    );
    expect(state).toBe('open');
    expect(await code(client.eraseVault())).toBe('ok');
    expect(await code(client.importVault(file, 'another passphrase', PASSPHRASE))).toBe('WRONG_PASSPHRASE');
    expect([state, device.held]).toEqual(['absent', false]);
    const next = 'the next passphrase, long enough';
    expect(await code(client.importVault(file, 'the passphrase of the file', next))).toBe('ok');
    expect([state, device.held]).toEqual(['open', true]);
    await client.close();
    expect(await code(client.unlock(next))).toBe('ok');
    await client.close();
  });
});
