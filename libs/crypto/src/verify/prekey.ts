/** Prekeys: what a rotation encrypts the new key to (docs/protocol.md section 7). */
import { decodeBody, equalBytes, type Body, type Bytes, type MemberId, type RoomId } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import { verifyContainer } from './container.js';
import type { Hash } from '../ports.js';
import { parsePublicKey } from './identity.js';
import { isEncapsulationKey } from './kem-key.js';

/** Two public keys of one holder, who signs them together. */
export interface HybridPublicKey {
  /** 45 bytes, canonical */
  readonly key: Bytes;
  /** of ML-KEM-768, 1,184 bytes */
  readonly ek: Bytes;
}

/** A prekey of somebody else, by its number. */
export interface HybridPrekey extends HybridPublicKey {
  readonly k: number;
}

export interface PrekeyOwner {
  readonly roomId: RoomId;
  readonly memberId: MemberId;
  /** canonical public key of that member */
  readonly key: Bytes;
}

/**
 * A prekey that its owner signed for this room. Whether its point lies on the curve shows
 * only in use. Throws BAD_SIGNATURE, BAD_KEY, BAD_ENTRY, MALFORMED.
 */
export function checkPrekey(owner: PrekeyOwner, container: Bytes): Body<'prekey'> {
  const { body } = decodeBody(verifyContainer(owner.key, container), 'prekey');
  if (body.roomId !== owner.roomId || body.memberId !== owner.memberId) {
    throw new CryptoError('BAD_ENTRY', 'the prekey of another room or member');
  }
  parsePublicKey(body.key);
  return body;
}

/**
 * What travels beside a signed prekey, by the hash in it. Throws BAD_KEY for another key than that, and for what is no
 * encapsulation key: nobody could encrypt to it.
 */
export async function checkEncapsulationKey(
  hash: Hash,
  prekey: Pick<Body<'prekey'>, 'ekHash'>,
  ek: Bytes,
): Promise<void> {
  if (!equalBytes(await hash.sha256(ek), prekey.ekHash))
    throw new CryptoError('BAD_KEY', 'another key than signed');
  if (!isEncapsulationKey(ek)) throw new CryptoError('BAD_KEY', 'not an encapsulation key');
}
