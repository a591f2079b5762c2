/**
 * What an import makes of an export (docs/protocol.md section 9). One identity lives on one device: an import is a
 * new instance of its member, which takes no counter of the exported one into use again (section 6).
 */
import {
  asVaultKey,
  CryptoError,
  openEarlierExport,
  openExport,
  type Hash,
  type Passphrases,
} from '@0fc/crypto/keys';
import { ERROR_CODES, ProtocolError, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import { openBlock, readExport, type ExportFile } from './export-file.js';
import { requireStrong } from '../vault/passphrase.js';
import type { StorageChange } from '../contract/ports.js';
import { STORES } from '../vault/records.js';
import { migrated, overlaid, RECORDS_VERSION } from '../vault/migrations/run.js';
import { asNewInstance, type ClearRecord } from './vault-instance.js';
import { Vault, type VaultPlatform } from '../vault/vault.js';

/**
 * Makes the vault of a device that has none from an export, as a new instance of each member:
 * all of it, or nothing. `filePassphrase` opens the file, `passphrase` is the new vault's.
 * Rejects with PASSPHRASE_WEAK {weakness}, VAULT_EXISTS, WRONG_PASSPHRASE (the file's), EXPORT_DAMAGED
 * (also for a file that is no export), UNSUPPORTED_VERSION {version}, VAULT_FULL or
 * VAULT_UNAVAILABLE. The caller holds the platform's lock.
 */
export async function importVault(
  platform: VaultPlatform,
  file: Bytes,
  filePassphrase: string,
  passphrase: string,
): Promise<Vault> {
  await requireStrong(passphrase);
  // Checked before the key derivation of the file's passphrase; `create` checks again.
  if ((await Vault.state(platform.storage)) !== 'absent') throw new ClientError(ERROR_CODES.VAULT_EXISTS);
  const changes = await whole(async (): Promise<readonly StorageChange[]> => {
    const { hash } = platform.crypto;
    const read = await readExport(hash, file);
    const records = await upToDate(
      hash,
      read.version,
      await recordsOf(platform.passphrases, read, filePassphrase),
    );
    return asNewInstance(platform.crypto, records);
  });
  return Vault.create(platform, passphrase, changes);
}

/** Of two records in one place the later counts: it was written while the export was made. */
async function recordsOf(
  passphrases: Passphrases,
  { sealedKey, blocks }: ExportFile,
  passphrase: string,
): Promise<readonly ClearRecord[]> {
  const key = asVaultKey(
    sealedKey instanceof Uint8Array
      ? openEarlierExport(passphrase, sealedKey)
      : await openExport(passphrases, passphrase, sealedKey),
  );
  try {
    const records = new Map<string, ClearRecord>();
    for (const sealed of blocks) {
      for (const { store, key: at, value } of openBlock(key, sealed)) {
        const place = `${store} ${at}`;
        if (value === null) records.delete(place);
        else records.set(place, { store, key: at, value });
      }
    }
    return [...records.values()];
  } finally {
    key.fill(0);
  }
}

/** Records of an older client's file as this one would have written them. Rejects with VAULT_DAMAGED. */
async function upToDate(
  hash: Hash,
  version: number,
  found: readonly ClearRecord[],
): Promise<readonly ClearRecord[]> {
  if (version === RECORDS_VERSION) return found;
  const source = {
    list: (store: string) => Promise.resolve(found.filter((record) => record.store === store)),
  };
  const all = overlaid(source, await migrated(version, source, hash));
  const stores = new Set([...Object.values<string>(STORES), ...found.map(({ store }) => store)]);
  const lists = [...stores].map(async (store) =>
    (await all.list(store)).map((record) => ({ store, ...record })),
  );
  return (await Promise.all(lists)).flat();
}

/** Any failure inside a file is EXPORT_DAMAGED; a wrong passphrase and an unsupported version keep their codes. */
async function whole<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const own =
      error instanceof CryptoError || error instanceof ProtocolError || error instanceof ClientError;
    const failure = ClientError.from(error);
    const { code } = failure;
    if (!own || code === ERROR_CODES.WRONG_PASSPHRASE || code === ERROR_CODES.UNSUPPORTED_VERSION)
      throw failure;
    throw new ClientError(ERROR_CODES.EXPORT_DAMAGED, {}, { cause: error });
  }
}
