/**
 * What clients of earlier versions of the vault sealed, for the specs of all packages: no client makes it any more. Up to version 3
 * a passphrase went to Themis as it is; up to version 5 there was no key table, and records were cells under the vault key alone.
 */
import {
  asErasableKey, exposeSecret, newVaultKey, type ErasableKey, type Passphrases, sealRecord, sealVaultKey, type VaultKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { utf8, type Bytes } from '@0fc/protocol';
import { sealUnstretched } from '../../libs/crypto/src/keys/unstretched.spec-support.js';
import type { StorageChange, StoragePort } from '../../libs/client/src/contract/ports.js';
import {
  decodeHeader,
  encodeHeader,
  openHeader,
  type VaultHeader,
} from '../../libs/client/src/vault/header.js';
import { HEADER, LEDGER, OWN_STORE, PROOF } from '../../libs/client/src/vault/own-store.js';
import { Vault, type VaultPlatform } from '../../libs/client/src/vault/vault.js';

/** The key of an export's blocks, as its head had it. */
export const earlierExportKey = (passphrase: string, key: VaultKey): Bytes =>
  sealUnstretched(passphrase, exposeSecret(key), 'vault-export');

export const headerIn = async (storage: StoragePort): Promise<VaultHeader> =>
  decodeHeader(nodeHash, (await storage.read(OWN_STORE, HEADER)) ?? new Uint8Array());

/** The entry of its key table that a header names; undefined where it names none. */
export async function deviceKeyIn(storage: StoragePort): Promise<ErasableKey | undefined> {
  const { device } = await headerIn(storage);
  if (device === null) return undefined;
  const table = await storage.keyFile.open('use');
  return asErasableKey(table.slice(32 * device.number, 32 * (device.number + 1)));
}

/** The vault key of a vault that nothing else has open. */
export const vaultKeyIn = async (
  { storage, passphrases }: Pick<VaultPlatform, 'storage' | 'passphrases'>,
  passphrase: string,
): Promise<VaultKey> =>
  openHeader(passphrases, await headerIn(storage), passphrase, await deviceKeyIn(storage));

/** The header of a version up to 5 over a vault key. */
export async function earlierHeader(
  passphrases: Passphrases,
  key: VaultKey,
  passphrase: string,
  version: number,
): Promise<Bytes> {
  const sealed =
    version <= 3
      ? sealUnstretched(passphrase, exposeSecret(key), 'vault-key')
      : await sealVaultKey(nodeRandom, passphrases, passphrase, key);
  return encodeHeader(nodeHash, { version, sealed, device: null });
}

/** Makes a vault of today's one, which is at rest, of a version up to 5. */
export async function makeEarlier(
  platform: VaultPlatform,
  passphrase: string,
  version: number,
): Promise<void> {
  const { storage, passphrases } = platform;
  const vault = await Vault.unlock(platform, passphrase);
  const key = newVaultKey(nodeRandom);
  const bare = (store: string, place: string, value: Bytes): StorageChange => ({
    store,
    key: place,
    value: sealRecord(key, store, place, value),
  });
  const records: StorageChange[] = [];
  for (const { store, key: place } of await storage.listAfter(null, 1_000_000)) {
    const value = store === OWN_STORE ? null : await vault.get(store, place);
    if (value !== null) records.push(bare(store, place, value));
  }
  await vault.close();
  const proof = version <= 3 ? '0fc vault' : `0fc vault ${String(version)}`;
  await storage.write([
    ...records,
    bare(OWN_STORE, PROOF, utf8(proof)),
    { store: OWN_STORE, key: HEADER, value: await earlierHeader(passphrases, key, passphrase, version) },
    { store: OWN_STORE, key: LEDGER, value: null },
  ]);
}
