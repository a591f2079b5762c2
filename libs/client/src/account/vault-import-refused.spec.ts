/** Every way in which an import fails (docs/protocol.md section 9; G14): nothing of it is kept. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { newVaultKey } from '@0fc/crypto/keys';
import { encodeCbor, utf8 } from '@0fc/protocol';
import { oldRoom, recordsOf } from '../vault/migrations/version-1.spec-support.js';
import { RECORDS_VERSION } from '../vault/migrations/run.js';
import type { StoragePort } from '../contract/ports.js';
import { memoryStorage } from '../room/log/log.spec-support.js';
import { keyOf, STORES, type OutboxItem, type OwnerInvite } from '../vault/records.js';
import { importVault } from './vault-import.js';
import {
  codeOf, crypto, device, everything, exportFile, FILE, fileOf, fileWith, fillWith, inviteIn, NEW, OLD, partsOf, random, roomOf, sealedKeyOf, waitingIn,
  type ExportedRoom,
} from './vault-transfer.spec-support.js'; // prettier-ignore
import { Vault, type VaultPlatform } from '../vault/vault.js';

let room: ExportedRoom;
let old: VaultPlatform;
let vault: Vault;

beforeAll(async () => {
  await loadThemis();
  room = await roomOf();
});
beforeEach(async () => {
  old = device();
  vault = await Vault.create(old, OLD);
});

const fill = (outbox: readonly OutboxItem[], invites: readonly OwnerInvite[]): Promise<void> =>
  fillWith(vault, room, outbox, invites);

describe('an import that is refused', () => {
  it('is of another passphrase, or too weak a new one, or on a device that has a vault', async () => {
    await fill([], []);
    const file = await exportFile(vault, old, FILE);
    const platform = device();
    expect(await codeOf(importVault(platform, file, OLD, NEW))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(importVault(platform, file, '', NEW))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(importVault(platform, file, FILE, 'short'))).toBe('PASSPHRASE_WEAK');
    expect(await Vault.state(platform.storage)).toBe('absent');
    const before = await everything(old.storage);
    expect(await codeOf(importVault(old, file, FILE, NEW))).toBe('VAULT_EXISTS');
    expect(await everything(old.storage)).toEqual(before);
    expect(await codeOf(Vault.unlock(old, OLD))).toBe('fulfilled');
  });

  it('is of a file changed at any byte, or cut short anywhere', async () => {
    await fill([waitingIn(room, 1)], [inviteIn('open')]);
    const file = await exportFile(vault, old, FILE);
    const platform = device();
    const codes = new Set<string>();
    for (let at = 0; at < file.length; at += 97) {
      codes.add(
        await codeOf(
          importVault(
            platform,
            Uint8Array.from(file, (byte, index) => (index === at ? byte ^ 1 : byte)),
            FILE,
            NEW,
          ),
        ),
      );
      codes.add(await codeOf(importVault(platform, file.slice(0, at), FILE, NEW)));
    }
    codes.add(await codeOf(importVault(platform, Uint8Array.of(...file, 0), FILE, NEW)));
    expect([...codes]).toEqual(['EXPORT_DAMAGED']);
    expect(await everything(platform.storage)).toEqual(await everything(memoryStorage()));
    expect(await codeOf(importVault(platform, file, FILE, NEW))).toBe('fulfilled');
  });

  it('is of a file that is none, or of a later version', async () => {
    const platform = device();
    for (const file of [
      new Uint8Array(),
      utf8('a text, by mistake'),
      encodeCbor(['0fc-vault', 1]),
      random(5_000),
    ])
      expect(await codeOf(importVault(platform, file, FILE, NEW))).toBe('EXPORT_DAMAGED');
    const version = RECORDS_VERSION + 1;
    const later = [
      await fileOf({ sealedKey: random(9), blocks: [random(9)] }, version),
      encodeCbor(['0fc-export', version, 'whatever']),
    ];
    for (const file of later)
      await expect(importVault(platform, file, FILE, NEW)).rejects.toMatchObject({
        code: 'UNSUPPORTED_VERSION',
        params: { version },
      });
  });

  it.each([1, RECORDS_VERSION])(
    'is of a store of a later client, in a file of version %d',
    async (version) => {
      const records = {
        ...(version === 1 ? recordsOf(await oldRoom()) : {}),
        later: [{ key: 'a', value: random(3) }],
      };
      const platform = device();
      const file = await fileWith(records, version);
      expect(await codeOf(importVault(platform, file, FILE, NEW))).toBe('UNSUPPORTED_VERSION');
      expect(await Vault.state(platform.storage)).toBe('absent');
    },
  );

  it('is of a file of version 1 with a room that is none', async () => {
    const { roomId } = await oldRoom();
    for (const value of [encodeCbor({ version: 1 }), random(3)]) {
      const file = await fileWith({ rooms: [{ key: roomId, value }] }, 1);
      expect(await codeOf(importVault(device(), file, FILE, NEW))).toBe('EXPORT_DAMAGED');
    }
  });

  it('is of blocks left out, doubled, in another order, or of another file, under a check that fits', async () => {
    const value = random(700_000);
    await vault.write([1, 2, 3].map((at) => ({ store: STORES.log, key: keyOf('room', at), value })));
    const parts = partsOf(await exportFile(vault, old, FILE));
    const other = partsOf(await exportFile(vault, old, FILE));
    const [first, second] = parts.blocks;
    expect(parts.blocks).toHaveLength(2);
    const forged = [
      [first!],
      [second!],
      [first!, first!],
      [second!, first!],
      [first!, second!, second!],
      [first!, other.blocks[1]!],
      [],
    ];
    for (const blocks of forged) {
      const file = await fileOf({ ...parts, blocks });
      expect(await codeOf(importVault(device(), file, FILE, NEW))).toBe('EXPORT_DAMAGED');
    }
    expect(await codeOf(importVault(device(), await fileOf(parts), FILE, NEW))).toBe('fulfilled');
    const elsewhere = await fileOf({ ...parts, sealedKey: await sealedKeyOf(newVaultKey(crypto.random)) });
    expect(await codeOf(importVault(device(), elsewhere, FILE, NEW))).toBe('EXPORT_DAMAGED');
  });

  it('fails as a whole on a device that cannot hold it', async () => {
    await fill([waitingIn(room, 1)], []);
    const file = await exportFile(vault, old, FILE);
    const storage = memoryStorage();
    const full: StoragePort = {
      ...storage,
      write: () => Promise.reject(Object.assign(new Error('full'), { code: 'VAULT_FULL' })),
    };
    expect(await codeOf(importVault(device(full), file, FILE, NEW))).toBe('VAULT_FULL');
    expect(await Vault.state(storage)).toBe('absent');
  });
});
