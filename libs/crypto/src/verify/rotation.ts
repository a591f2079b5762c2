/** The clear part of a rotation, which relay and members check alike (docs/protocol.md section 7). */
import { decodeBody, equalBytes, type Body, type Bytes, type MemberId } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import type { Hash } from '../ports.js';
import { verifyContainer } from './container.js';
import { parsePublicKey } from './identity.js';
import { memberOf, type Roster } from './roster.js';

/**
 * The verified body of a rotation out of `epoch` on this roster.
 *
 * Throws BAD_SIGNATURE (not by the owner), STALE_EPOCH or EPOCH_AHEAD (not to
 * `epoch + 1`), STALE_HEAD, ROOM_CLOSED, BAD_KEY (ephemeral key), BAD_ENTRY, MALFORMED.
 */
export async function verifyRotation(
  hash: Hash,
  roster: Roster,
  epoch: number,
  clear: Bytes,
  payload: Bytes,
): Promise<Body<'rotation'>> {
  const { body } = decodeBody(verifyContainer(memberOf(roster, roster.owner).key, clear), 'rotation');
  if (roster.closed) throw new CryptoError('ROOM_CLOSED', 'rotation after close');
  if (body.roomId !== roster.roomId) throw new CryptoError('BAD_ENTRY', 'rotation of another room');
  if (body.owner !== roster.owner) throw new CryptoError('BAD_ENTRY', 'rotation of another owner');
  if (body.newEpoch <= epoch) throw new CryptoError('STALE_EPOCH', 'rotation to an old epoch');
  if (body.newEpoch > epoch + 1) throw new CryptoError('EPOCH_AHEAD', 'rotation skips an epoch');
  if (!equalBytes(body.head, roster.head)) throw new CryptoError('STALE_HEAD', 'rotation on another head');
  parsePublicKey(body.ephemeral);
  if (!equalBytes(body.payload, await hash.sha256(payload))) {
    throw new CryptoError('BAD_ENTRY', 'rotation of another payload');
  }
  return body;
}

/**
 * Every member of the roster has either a wrap or a place among the unwrapped, nobody
 * has both, nobody else has one, and the owner has a wrap. Throws BAD_WRAPS.
 */
export function checkWraps(roster: Roster, rotation: Body<'rotation'>, wrapIds: Iterable<MemberId>): void {
  const seen = new Set<MemberId>();
  const wrapped = [...wrapIds];
  for (const memberId of [...wrapped, ...rotation.unwrapped]) {
    if (!roster.members.has(memberId)) throw new CryptoError('BAD_WRAPS', 'wrap for somebody else');
    if (seen.has(memberId)) throw new CryptoError('BAD_WRAPS', 'member named twice');
    seen.add(memberId);
  }
  if (seen.size !== roster.members.size) throw new CryptoError('BAD_WRAPS', 'member without a wrap');
  if (!wrapped.includes(roster.owner)) throw new CryptoError('BAD_WRAPS', 'owner without a wrap');
}
