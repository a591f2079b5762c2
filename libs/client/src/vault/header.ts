/** The header record of a vault: `CBOR['0fc-vault', version, sealed vault key, check]`. */
import type { Hash } from '@0fc/crypto/keys';
import { decodeCbor, encodeCbor, equalBytes, ERROR_CODES, ProtocolError, type Bytes } from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import { RECORDS_VERSION } from './migrations/run.js';

const MAGIC = '0fc-vault';
const CHECK_BYTES = 8;

export interface VaultHeader {
  /** of the vault's records (migrations/); an older client says so and stops */
  readonly version: number;
  /** the vault key, sealed under the passphrase */
  readonly sealed: Bytes;
}

// Over public bytes only: the check is against damage, not against a forger, who gains nothing.
const checkOf = async (hash: Hash, { version, sealed }: VaultHeader): Promise<Bytes> =>
  (await hash.sha256(encodeCbor([MAGIC, version, sealed]))).slice(0, CHECK_BYTES);

export const encodeHeader = async (hash: Hash, header: VaultHeader): Promise<Bytes> =>
  encodeCbor([MAGIC, header.version, header.sealed, await checkOf(hash, header)]);

/** Throws VAULT_DAMAGED, or UNSUPPORTED_VERSION for a later client's vault. */
export async function decodeHeader(hash: Hash, header: Bytes): Promise<VaultHeader> {
  const damaged = (cause?: unknown): ClientError => new ClientError(ERROR_CODES.VAULT_DAMAGED, {}, { cause });
  let value: unknown;
  try {
    value = decodeCbor(header);
  } catch (error) {
    throw error instanceof ProtocolError ? damaged(error) : ClientError.from(error);
  }
  if (!Array.isArray(value) || value[0] !== MAGIC) throw damaged();
  const [, version, sealed, check] = value as readonly unknown[];
  if (typeof version !== 'number' || version < 1) throw damaged();
  if (version > RECORDS_VERSION) throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version });
  if (value.length !== 4 || !(sealed instanceof Uint8Array) || !(check instanceof Uint8Array))
    throw damaged();
  if (!equalBytes(check, await checkOf(hash, { version, sealed }))) throw damaged();
  return { version, sealed };
}
