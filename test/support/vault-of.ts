/** A member's vault beside its client, or after it: what a thief of the device reads, and what a test counts. */
import { createNodeClient } from '@0fc/client/node';
import { passphrasesOf } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { ERROR_CODES } from '@0fc/protocol';
import { ClientError } from '../../libs/client/src/contract/errors.js';
import type { StoragePort } from '../../libs/client/src/contract/ports.js';
import { FileStorage } from '../../libs/client/src/node/storage.js';
import { LEDGER } from '../../libs/client/src/vault/own-store.js';
import { quickPassphrases } from '../../libs/client/src/vault/quick-passphrases.spec-support.js';
import { storageOver } from '../../libs/client/src/vault/storage-over.spec-support.js';
import { Vault, type VaultPlatform } from '../../libs/client/src/vault/vault.js';
import type { Member } from './member.js';

/** Looks into a vault as it is at that moment, and changes nothing of it: its client may have it open. */
export class VaultReader {
  readonly #files: FileStorage;
  readonly #platform: VaultPlatform;
  readonly #passphrase: string;

  private constructor(files: FileStorage, platform: VaultPlatform, passphrase: string) {
    this.#files = files;
    this.#platform = platform;
    this.#passphrase = passphrase;
  }

  static of(member: Member): VaultReader {
    const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
    // As its own client seals: most members of tests do so quickly.
    const passphrases = member.open === createNodeClient ? passphrasesOf(nodeRandom) : quickPassphrases;
    const files = FileStorage.open(member.folder);
    return new VaultReader(files, { crypto, passphrases, storage: unchanged(files) }, member.passphrase);
  }

  async look<T>(read: (vault: Vault, platform: VaultPlatform) => Promise<T>): Promise<T> {
    const vault = await Vault.unlock(this.#platform, this.#passphrase);
    try {
      return await read(vault, this.#platform);
    } finally {
      await vault.close();
    }
  }

  async close(): Promise<void> {
    await this.#files.close();
  }
}

/** Nothing is written, and nothing settled that its own client has under way. */
const unchanged = (files: FileStorage): StoragePort =>
  storageOver(files, {
    keyFile: {
      open: (purpose) => files.keyFile.open(purpose),
      write: () => Promise.resolve(),
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    readEach: async (places) =>
      (await files.readEach(places)).map((value, at) => (places[at]?.key === LEDGER ? null : value)),
    write: () => Promise.reject(new ClientError(ERROR_CODES.VAULT_UNAVAILABLE)),
  });

/** What `read` makes of it. */
export async function inVaultOf<T>(member: Member, read: (vault: Vault) => Promise<T>): Promise<T> {
  const reader = VaultReader.of(member);
  try {
    return await reader.look(read);
  } finally {
    await reader.close();
  }
}
