/**
 * What clients of versions 1 to 3 of the vault sealed under a passphrase, for the specs of all packages: no client makes it
 * any more.
 */
import { exposeSecret, type Passphrases, sealRecord, type VaultKey } from '@0fc/crypto/keys';
import { nodeHash } from '@0fc/crypto/node';
import { utf8, type Bytes } from '@0fc/protocol';
import { sealUnstretched } from '../../libs/crypto/src/keys/unstretched.spec-support.js';
import type { StoragePort } from '../../libs/client/src/contract/ports.js';
import {
  decodeHeader,
  encodeHeader,
  HEADER,
  openHeader,
  OWN_STORE,
  PROOF,
  type VaultHeader,
} from '../../libs/client/src/vault/header.js';

/** The key of an export's blocks, as its head had it. */
export const earlierExportKey = (passphrase: string, key: VaultKey): Bytes =>
  sealUnstretched(passphrase, exposeSecret(key), 'vault-export');

export const headerIn = async (storage: StoragePort): Promise<VaultHeader> =>
  decodeHeader(nodeHash, (await storage.read(OWN_STORE, HEADER)) ?? new Uint8Array());

/** The header of version 1, 2 or 3 over the key of a vault of today, which `passphrases` sealed. */
export async function earlierHeader(
  passphrases: Passphrases,
  storage: StoragePort,
  passphrase: string,
  version: number,
): Promise<Bytes> {
  const key = await openHeader(passphrases, await headerIn(storage), passphrase);
  const sealed = sealUnstretched(passphrase, exposeSecret(key), 'vault-key');
  return encodeHeader(nodeHash, { version, sealed });
}

/** Makes a vault of today's one of version 1, 2 or 3. */
export async function makeEarlier(
  passphrases: Passphrases,
  storage: StoragePort,
  passphrase: string,
  version: number,
): Promise<void> {
  const key = await openHeader(passphrases, await headerIn(storage), passphrase);
  const header = await earlierHeader(passphrases, storage, passphrase, version);
  await storage.write([
    { store: OWN_STORE, key: PROOF, value: sealRecord(key, OWN_STORE, PROOF, utf8('0fc vault')) },
    { store: OWN_STORE, key: HEADER, value: header },
  ]);
}
