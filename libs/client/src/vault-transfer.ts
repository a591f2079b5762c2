/**
 * The export of a vault: one sealed file, and what an import makes of it
 * (docs/protocol.md section 9).
 *
 * File: `CBOR['0fc-export', version, sealed key, [block, …], check]`. The passphrase seals a
 * key of this file alone; each block is a sealed list of records, in an order that its
 * context fixes. The check, over public bytes, tells damage from a wrong passphrase.
 *
 * One identity lives on one device: an import is a new instance of its member, which takes
 * no counter of the exported one into use again (section 6).
 */
import * as v from 'valibot';
import { CryptoError, newVaultKey, openExport, openRecord, sealExport, sealRecord } from '@0fc/crypto/keys';
import {
  bytes, decodeAs, decodeCbor, encodeAs, encodeCbor, equalBytes, ERROR_CODES, ProtocolError, text, type Bytes,
} from '@0fc/protocol'; // prettier-ignore
import { ClientError } from './errors.js';
import { isWeakPassphrase } from './passphrase.js';
import type { StorageChange } from './ports.js';
import { STORES } from './room/state/records.js';
import { migrated, over, RECORDS_VERSION } from './migrations/run.js';
import { asNewInstance, type ClearRecord } from './vault-instance.js';
import { Vault, type VaultPlatform } from './vault.js';

const MAGIC = '0fc-export';
/** The file's version is that of its records; its layout has been the same in all. */
export const EXPORT_VERSION = RECORDS_VERSION;
const CHECK_BYTES = 8;
/** A block is closed once it holds this much: neither side ever seals or opens the whole at once. */
const BLOCK_BYTES = 1_048_576;

/** Most that one record holds: a room with its whole roster stays far below. */
const RECORD_BYTES = 67_108_864;

const block = v.array(
  v.strictObject({ store: text(1, 32), key: text(0, 256), value: bytes(0, RECORD_BYTES) }),
);

/**
 * Everything that the vault holds, in one file under a passphrase of its own. What is written
 * to the vault meanwhile may be in it or not: the caller has the rooms at rest. Rejects with
 * PASSPHRASE_WEAK, VAULT_DAMAGED {store} or VAULT_LOCKED.
 */
export async function exportVault(vault: Vault, platform: VaultPlatform, passphrase: string): Promise<Bytes> {
  if (isWeakPassphrase(passphrase)) throw new ClientError(ERROR_CODES.PASSPHRASE_WEAK);
  const { hash, random } = platform.crypto;
  const lists = await Promise.all(
    Object.values(STORES).map(async (store) =>
      (await vault.list(store)).map(({ key, value }) => ({ store, key, value })),
    ),
  );
  const key = newVaultKey(random);
  try {
    const blocks = blocksOf(lists.flat());
    const sealed = blocks.map((records, index) =>
      sealRecord(key, MAGIC, placeOf(index, blocks.length), encodeAs(block, records)),
    );
    return await encodeFile(hash, sealExport(passphrase, key), sealed);
  } finally {
    key.fill(0);
  }
}

/**
 * Makes the vault of a device that has none from an export, as a new instance of each member:
 * all of it, or nothing. `filePassphrase` opens the file, `passphrase` is the new vault's.
 * Rejects with PASSPHRASE_WEAK, VAULT_EXISTS, WRONG_PASSPHRASE (the file's), EXPORT_DAMAGED
 * (also for a file that is no export), UNSUPPORTED_VERSION {version}, VAULT_FULL or
 * VAULT_UNAVAILABLE. The caller holds the platform's lock.
 */
export async function importVault(
  platform: VaultPlatform,
  file: Bytes,
  filePassphrase: string,
  passphrase: string,
): Promise<Vault> {
  if (isWeakPassphrase(passphrase)) throw new ClientError(ERROR_CODES.PASSPHRASE_WEAK);
  // Said before the file's passphrase costs its time; create looks again.
  if ((await Vault.state(platform.storage)) !== 'absent') throw new ClientError(ERROR_CODES.VAULT_EXISTS);
  const { version, sealedKey, blocks } = await decodeFile(platform.crypto.hash, file);
  const found = whole(() => openBlocks(filePassphrase, sealedKey, blocks));
  const records = await upToDate(version, found, platform.crypto.hash);
  const changes: readonly StorageChange[] = whole(() => asNewInstance(platform.crypto.random, records));
  return Vault.create(platform, passphrase, changes);
}

/** Records of an older client's file as this one would have written them. Rejects with EXPORT_DAMAGED. */
async function upToDate(
  version: number,
  found: readonly ClearRecord[],
  hash: Hash,
): Promise<readonly ClearRecord[]> {
  if (version === EXPORT_VERSION) return found;
  const source = {
    list: (store: string) => Promise.resolve(found.filter((record) => record.store === store)),
  };
  try {
    const all = over(source, await migrated(version, source, hash));
    const stores = new Set([...Object.values<string>(STORES), ...found.map(({ store }) => store)]);
    const lists = [...stores].map(async (store) =>
      (await all.list(store)).map((record) => ({ store, ...record })),
    );
    return (await Promise.all(lists)).flat();
  } catch (error) {
    throw ClientError.from(error).code === ERROR_CODES.INTERNAL ? ClientError.from(error) : damaged(error);
  }
}

const placeOf = (index: number, count: number): string => `${String(index)}/${String(count)}`;

function blocksOf(records: readonly ClearRecord[]): readonly (readonly ClearRecord[])[] {
  const blocks: ClearRecord[][] = [[]];
  let size = 0;
  for (const record of records) {
    if (size >= BLOCK_BYTES) {
      blocks.push([]);
      size = 0;
    }
    blocks.at(-1)?.push(record);
    size += record.value.length;
  }
  return blocks;
}

function openBlocks(passphrase: string, sealedKey: Bytes, blocks: readonly Bytes[]): readonly ClearRecord[] {
  const key = openExport(passphrase, sealedKey);
  try {
    return blocks.flatMap((sealed, index) =>
      decodeAs(block, openRecord(key, MAGIC, placeOf(index, blocks.length), sealed)),
    );
  } finally {
    key.fill(0);
  }
}

type Hash = VaultPlatform['crypto']['hash'];

// Against damage, not against a forger, whom the seals stop.
const checkOf = async (
  hash: Hash,
  version: number,
  sealedKey: Bytes,
  blocks: readonly Bytes[],
): Promise<Bytes> => {
  const digests = await Promise.all(blocks.map((sealed) => hash.sha256(sealed)));
  return (await hash.sha256(encodeCbor([MAGIC, version, sealedKey, digests]))).slice(0, CHECK_BYTES);
};

async function encodeFile(hash: Hash, sealedKey: Bytes, blocks: readonly Bytes[]): Promise<Bytes> {
  const check = await checkOf(hash, EXPORT_VERSION, sealedKey, blocks);
  return encodeCbor([MAGIC, EXPORT_VERSION, sealedKey, blocks, check]);
}

async function decodeFile(
  hash: Hash,
  file: Bytes,
): Promise<{ readonly version: number; readonly sealedKey: Bytes; readonly blocks: readonly Bytes[] }> {
  const value: unknown = whole(() => decodeCbor(file));
  if (!Array.isArray(value) || value[0] !== MAGIC) throw damaged();
  const [, version, sealedKey, blocks, check] = value as readonly unknown[];
  if (typeof version !== 'number' || version < 1) throw damaged();
  if (version > EXPORT_VERSION) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version });
  if (value.length !== 5 || !(sealedKey instanceof Uint8Array) || !(check instanceof Uint8Array))
    throw damaged();
  if (!isBlocks(blocks) || !equalBytes(check, await checkOf(hash, version, sealedKey, blocks)))
    throw damaged();
  return { version, sealedKey, blocks };
}

/** Even an empty vault has one block: without any, nothing would prove where the file ends. */
const isBlocks = (value: unknown): value is readonly Bytes[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => item instanceof Uint8Array);

const damaged = (cause?: unknown): ClientError => new ClientError(ERROR_CODES.EXPORT_DAMAGED, {}, { cause });

/** What goes wrong inside a file is damage of the file; a passphrase and a version are said as such. */
function whole<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const own =
      error instanceof CryptoError || error instanceof ProtocolError || error instanceof ClientError;
    if (!own) throw ClientError.from(error);
    const { code } = ClientError.from(error);
    const said = code === ERROR_CODES.WRONG_PASSPHRASE || code === ERROR_CODES.UNSUPPORTED_VERSION;
    throw said ? ClientError.from(error) : damaged(error);
  }
}
