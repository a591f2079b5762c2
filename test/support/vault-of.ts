/** A member's vault beside its client, or after it: what a thief of the device reads, and what a test counts. */
import { createNodeClient } from '@0fc/client/node';
import { passphrasesOf } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { FileStorage } from '../../libs/client/src/node/storage.js';
import { quickPassphrases } from '../../libs/client/src/vault/quick-passphrases.spec-support.js';
import { Vault, type VaultPlatform } from '../../libs/client/src/vault/vault.js';
import type { Member } from './member.js';

export interface OpenVault {
  readonly vault: Vault;
  readonly platform: VaultPlatform & { readonly storage: FileStorage };
}

/** The caller closes its storage. */
export async function openVaultOf(member: Member): Promise<OpenVault> {
  const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
  // As its own client seals: most members of tests do so quickly.
  const passphrases = member.open === createNodeClient ? passphrasesOf(nodeRandom) : quickPassphrases;
  const platform = { crypto, passphrases, storage: FileStorage.open(member.folder) };
  return { vault: await Vault.unlock(platform, member.passphrase), platform };
}

/** What `read` makes of it. */
export async function inVaultOf<T>(member: Member, read: (vault: Vault) => Promise<T>): Promise<T> {
  const { vault, platform } = await openVaultOf(member);
  try {
    return await read(vault);
  } finally {
    await platform.storage.close();
  }
}
