/**
 * The two records that make a vault (docs/protocol.md section 9, docs/decisions/0033, docs/decisions/0041).
 *
 * `header`: `CBOR['0fc-vault', version, sealed vault key, [key table, entry], check]`. The sealed key of versions 1 to 3 is one
 * cell under the passphrase; since version 4 it lies in one of several slots, behind a lock. Since version 6 the lock takes an
 * entry of the key table beside the passphrase; before, the part that names it was absent. The check tells damage from a
 * wrong passphrase.
 *
 * `proof`: a record under the vault key that names the version. It tells a header that belongs to other records, of
 * another vault or of this one before it was migrated.
 */
import {
  openEarlierVaultKey, openRecord, openVaultKey, sealRecord, sealVaultKey, type ErasableKey, type Passphrases, type SealedVaultKey,
  type VaultKey,
} from '@0fc/crypto/keys'; // prettier-ignore
import type { Hash } from '@0fc/crypto/verify';
import {
  bytes, decodeCbor, encodeCbor, equalBytes, ERROR_CODES, integer, parse, ProtocolError, utf8, type Bytes,
} from '@0fc/protocol'; // prettier-ignore
import * as v from 'valibot';
import { ClientError } from '../contract/errors.js';
import type { Platform, StorageChange } from '../contract/ports.js';
import { TABLE_ID_BYTES } from './key-table.js';
import { RECORDS_VERSION } from './migrations/run.js';
import { HEADER, OWN_STORE, PROOF } from './own-store.js';
import type { DeviceKey } from './sealed-storage.js';

const MAGIC = '0fc-vault';
const CHECK_BYTES = 8;
/** The last version whose sealed key is one cell, and whose proof names no version. */
const ONE_CELL_LAST = 3;
/** The last version that knows no key table. */
const NO_TABLE_LAST = 5;

/** Bytes and numbers; which of them a version writes is asked where they are opened, before any work. */
export const passphraseSeal = v.strictObject({
  salt: bytes(0, 64),
  cost: v.strictObject({ m: integer(0), t: integer(0), p: integer(0) }),
  sealed: bytes(0, 1_024),
});
const sealedVaultKey = v.strictObject({ lock: passphraseSeal, slots: v.array(bytes(0, 1_024)) });
const device = v.strictTuple([bytes(TABLE_ID_BYTES, TABLE_ID_BYTES), integer(1)]);

export interface VaultHeader {
  /** of the vault's records (migrations/); an older client says so and stops */
  readonly version: number;
  /** the vault key; bytes up to version 3 */
  readonly sealed: Bytes | SealedVaultKey;
  /** id of the key table, and number of the entry that is beside the passphrase; null up to version 5 */
  readonly device: { readonly table: Bytes; readonly number: number } | null;
}

type Sealer = Pick<Platform, 'crypto' | 'passphrases'>;

// Over public bytes only: the check is against damage, not against a forger, who gains nothing.
const checkOf = async (hash: Hash, header: VaultHeader): Promise<Bytes> =>
  (await hash.sha256(encodeCbor(partsOf(header)))).slice(0, CHECK_BYTES);

export const encodeHeader = async (hash: Hash, header: VaultHeader): Promise<Bytes> =>
  encodeCbor([...partsOf(header), await checkOf(hash, header)]);

const partsOf = ({ version, sealed, device }: VaultHeader) => [
  MAGIC,
  version,
  plain(sealed),
  ...(device === null ? [] : [[device.table, device.number]]),
];

const plain = (sealed: Bytes | SealedVaultKey) =>
  sealed instanceof Uint8Array
    ? sealed
    : { lock: { ...sealed.lock, cost: { ...sealed.lock.cost } }, slots: sealed.slots };

/** Rejects with VAULT_DAMAGED, or UNSUPPORTED_VERSION for a later client's vault. */
export async function decodeHeader(hash: Hash, header: Bytes): Promise<VaultHeader> {
  const value = damagedUnless(() => decodeCbor(header));
  if (!Array.isArray(value) || value[0] !== MAGIC) throw damaged();
  const [, version, sealed] = value as readonly unknown[];
  if (typeof version !== 'number' || version < 1) throw damaged();
  if (version > RECORDS_VERSION) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version });
  const hasTable = version > NO_TABLE_LAST;
  const check: unknown = value.at(-1);
  if (value.length !== (hasTable ? 5 : 4) || !(check instanceof Uint8Array)) throw damaged();
  const inOneCell = version <= ONE_CELL_LAST;
  if (inOneCell !== sealed instanceof Uint8Array) throw damaged();
  const found: VaultHeader = {
    version,
    sealed: sealed instanceof Uint8Array ? sealed : damagedUnless(() => parse(sealedVaultKey, sealed)),
    device: hasTable ? damagedUnless(() => deviceOf(value[3])) : null,
  };
  if (!equalBytes(check, await checkOf(hash, found))) throw damaged();
  return found;
}

function deviceOf(value: unknown): { readonly table: Bytes; readonly number: number } {
  const [table, number] = parse(device, value);
  return { table, number };
}

/**
 * Rejects with WRONG_PASSPHRASE, or VAULT_DAMAGED for what no client of that version wrote.
 *
 * @param beside the entry of the key table that the header names; undefined for one that names none
 */
export const openHeader = (
  passphrases: Passphrases,
  { sealed }: VaultHeader,
  passphrase: string,
  beside?: ErasableKey,
): Promise<VaultKey> =>
  failing(async () =>
    sealed instanceof Uint8Array
      ? openEarlierVaultKey(passphrase, sealed)
      : await openVaultKey(passphrases, passphrase, sealed, beside),
  );

/** Both records of a vault of today's version, the header last. Rejects with PASSPHRASE_WEAK for an empty passphrase. */
export const ownRecords = (
  { crypto: { hash, random }, passphrases }: Sealer,
  key: VaultKey,
  passphrase: string,
  table: Bytes,
  { number, key: beside }: DeviceKey,
): Promise<readonly StorageChange[]> =>
  failing(async () => {
    const proof = sealRecord(key, OWN_STORE, PROOF, proofText(RECORDS_VERSION));
    const sealed = await sealVaultKey(random, passphrases, passphrase, key, beside);
    const header = await encodeHeader(hash, { version: RECORDS_VERSION, sealed, device: { table, number } });
    return [
      { store: OWN_STORE, key: PROOF, value: proof },
      { store: OWN_STORE, key: HEADER, value: header },
    ];
  });

/** Throws VAULT_DAMAGED where the records are of another vault or of another version than the header says. */
export function assertProof(key: VaultKey, { version }: VaultHeader, sealed: Bytes): void {
  let proof: Bytes;
  try {
    proof = openRecord(key, OWN_STORE, PROOF, sealed);
  } catch (error) {
    throw ClientError.from(error);
  }
  if (!equalBytes(proof, proofText(version))) throw damaged();
}

const proofText = (version: number): Bytes =>
  utf8(version <= ONE_CELL_LAST ? '0fc vault' : `0fc vault ${String(version)}`);

/** As it ends, but that an error is the client's own. */
async function failing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw ClientError.from(error);
  }
}

function damagedUnless<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ProtocolError ? damaged(error) : ClientError.from(error);
  }
}

const damaged = (cause?: unknown): ClientError => new ClientError(ERROR_CODES.VAULT_DAMAGED, {}, { cause });
