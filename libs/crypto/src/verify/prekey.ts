/** Prekeys: what a rotation encrypts the new key to (docs/protocol.md section 7). */
import { decodeBody, type Body, type Bytes, type MemberId, type RoomId } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import { verifyContainer } from './container.js';
import { parsePublicKey } from './identity.js';

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
