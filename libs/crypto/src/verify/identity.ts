/** Public keys and the ids derived from them (docs/protocol.md section 2). */
import { PublicKey } from 'wasm-themis';
import { LIMITS, toBase64Url, toHex, type Bytes, type MemberId } from '@0fc/protocol';
import { attempt, CryptoError } from '../errors.js';
import type { Hash } from '../ports.js';

/** `UEC2` and the container's length, big endian: what every canonical key begins with. */
const HEADER = Uint8Array.of(0x55, 0x45, 0x43, 0x32, 0, 0, 0, LIMITS.publicKeyBytes);
const POINT_AT = 12;

/**
 * The Themis object of a canonical key. Shape and point prefix are checked before Themis
 * sees it, its checksum by Themis; whether the point lies on the curve shows only in use.
 * Throws BAD_KEY.
 */
export function themisPublicKey(bytes: Bytes): PublicKey {
  const prefix = bytes[POINT_AT];
  if (
    bytes.length !== LIMITS.publicKeyBytes ||
    HEADER.some((byte, at) => byte !== bytes[at]) ||
    (prefix !== 2 && prefix !== 3)
  ) {
    throw new CryptoError('BAD_KEY', 'not a canonical public key');
  }
  return attempt('BAD_KEY', 'public key checksum', () => new PublicKey(bytes));
}

/** A copy of a canonical public key. Throws BAD_KEY. */
export function parsePublicKey(bytes: Bytes): Bytes {
  themisPublicKey(bytes);
  return Uint8Array.from(bytes);
}

/** `SHA-256(public key)[0..16]`, base64url. */
export async function memberIdOf(hash: Hash, publicKey: Bytes): Promise<MemberId> {
  return toBase64Url((await hash.sha256(publicKey)).subarray(0, 16)) as MemberId;
}

/** What people compare: the first 8 bytes of SHA-256 of the key, as 16 uppercase hex digits. */
export async function fingerprintOf(hash: Hash, publicKey: Bytes): Promise<string> {
  return toHex((await hash.sha256(publicKey)).subarray(0, 8)).toUpperCase();
}
