/** Signed statements of members outside the roster chain (docs/protocol.md sections 4 and 7). */
import { decodeBody, type Body, type Bytes, type MemberId, type PublishedPrekey } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import { verifyContainer } from './container.js';
import { parsePublicKey } from './identity.js';
import type { Hash } from '../ports.js';
import { isEncapsulationKey } from './kem-key.js';
import { checkEncapsulationKey, checkPrekey, type HybridPrekey } from './prekey.js';
import { checkAcceptance, checkLeaveRequest, memberOf, type Roster } from './roster.js';

const bad = (detail: string): CryptoError => new CryptoError('BAD_ENTRY', detail);

/** A member's prekey, both halves. Throws BAD_SIGNATURE, BAD_KEY, BAD_ENTRY, MALFORMED. */
export async function verifyPrekey(
  hash: Hash,
  roster: Roster,
  memberId: MemberId,
  { prekey, ek }: PublishedPrekey,
): Promise<HybridPrekey> {
  const { key } = memberOf(roster, memberId);
  const body = checkPrekey({ roomId: roster.roomId, memberId, key }, prekey);
  await checkEncapsulationKey(hash, body, ek);
  return { k: body.k, key: body.key, ek };
}

/** A member's request to leave. Throws BAD_SIGNATURE, BAD_ENTRY (also for the owner's), MALFORMED. */
export function verifyLeaveRequest(
  roster: Roster,
  memberId: MemberId,
  container: Bytes,
): Body<'leaveRequest'> {
  if (memberId === roster.owner) throw bad('the owner cannot leave');
  return checkLeaveRequest(roster, memberId, container);
}

/** The owner's offer of the room to a member. Throws BAD_SIGNATURE, BAD_ENTRY, MALFORMED. */
export function verifyTransferOffer(roster: Roster, container: Bytes): Body<'transferOffer'> {
  const { body } = decodeBody(
    verifyContainer(memberOf(roster, roster.owner).key, container),
    'transferOffer',
  );
  if (body.roomId !== roster.roomId || body.old !== roster.owner) throw bad('offer of something else');
  if (body.new === roster.owner) throw bad('offer to the owner');
  memberOf(roster, body.new);
  return body;
}

/** A member's acceptance of the owner's offer. Throws BAD_SIGNATURE, BAD_ENTRY, MALFORMED. */
export const verifyTransferAcceptance = (roster: Roster, container: Bytes): Body<'transferAcceptance'> =>
  checkAcceptance(roster, container);

/** A member's request for the current key. Throws BAD_SIGNATURE, BAD_KEY, BAD_ENTRY, MALFORMED. */
export function verifyKeyRequest(roster: Roster, memberId: MemberId, container: Bytes): Body<'needKey'> {
  const { body } = decodeBody(verifyContainer(memberOf(roster, memberId).key, container), 'needKey');
  if (body.roomId !== roster.roomId || body.memberId !== memberId) throw bad('another request for a key');
  parsePublicKey(body.prekey);
  if (!isEncapsulationKey(body.ek)) throw new CryptoError('BAD_KEY', 'not an encapsulation key');
  return body;
}

/**
 * The answer to a needKey: by the owner, or by anybody if the owner asked.
 * Throws BAD_SIGNATURE, BAD_KEY, BAD_ENTRY, MALFORMED.
 */
export function verifyKeyGrant(roster: Roster, granter: MemberId, container: Bytes): Body<'keyGrant'> {
  const { body } = decodeBody(verifyContainer(memberOf(roster, granter).key, container), 'keyGrant');
  if (body.roomId !== roster.roomId || body.granter !== granter) throw bad('another grant');
  memberOf(roster, body.memberId);
  if (granter === body.memberId) throw bad('a grant to oneself');
  if (granter !== roster.owner && body.memberId !== roster.owner) throw bad('a grant between members');
  parsePublicKey(body.ephemeral);
  return body;
}
