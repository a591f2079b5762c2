/** The header record of a vault: `CBOR['0fc-vault', version, sealed vault key, check]`. */
import type { Hash } from '@0fc/crypto/keys';
import { decodeCbor, encodeCbor, equalBytes, ERROR_CODES, ProtocolError, type Bytes } from '@0fc/protocol';
import { ClientError } from './errors.js';

const MAGIC = '0fc-vault';
/** Raised when the layout of the vault's records changes; an older client then says so and stops. */
export const VAULT_VERSION = 1;
const CHECK_BYTES = 8;

// Over public bytes only: the check is against damage, not against a forger, who gains nothing.
const checkOf = async (hash: Hash, sealed: Bytes): Promise<Bytes> =>
  (await hash.sha256(encodeCbor([MAGIC, VAULT_VERSION, sealed]))).slice(0, CHECK_BYTES);

export const encodeHeader = async (hash: Hash, sealed: Bytes): Promise<Bytes> =>
  encodeCbor([MAGIC, VAULT_VERSION, sealed, await checkOf(hash, sealed)]);

/** The sealed vault key. Throws VAULT_DAMAGED, or UNSUPPORTED_VERSION for a later client's vault. */
export async function decodeHeader(hash: Hash, header: Bytes): Promise<Bytes> {
  const damaged = (cause?: unknown): ClientError => new ClientError(ERROR_CODES.VAULT_DAMAGED, {}, { cause });
  let value: unknown;
  try {
    value = decodeCbor(header);
  } catch (error) {
    throw error instanceof ProtocolError ? damaged(error) : ClientError.from(error);
  }
  if (!Array.isArray(value) || value[0] !== MAGIC) throw damaged();
  const [, version, sealed, check] = value as readonly unknown[];
  if (typeof version === 'number' && version > VAULT_VERSION) {
    throw new ClientError(ERROR_CODES.UNSUPPORTED_VERSION, { version });
  }
  const whole = value.length === 4 && version === VAULT_VERSION;
  if (!whole || !(sealed instanceof Uint8Array) || !(check instanceof Uint8Array)) throw damaged();
  if (!equalBytes(check, await checkOf(hash, sealed))) throw damaged();
  return sealed;
}
