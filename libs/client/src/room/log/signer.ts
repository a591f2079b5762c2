/** The signer of an entry (docs/protocol.md section 6): the only member that a line names as its actor. */
import { decodeBody, ROSTER_KINDS, type Entry, type MemberId, type Bytes } from '@0fc/protocol';
import { containerBody, memberIdOf, type Hash, type Roster } from '@0fc/crypto/verify';
import { rotationIn } from './trimmed.js';

/**
 * For a verified entry. A roster entry and a rotation name their signer in the signed body, whatever sender the relay
 * writes beside them. A message and a leave request verify under the key of that sender alone.
 */
export async function signerOf(
  hash: Hash,
  { kind, sender, clear, payload }: Pick<Entry, 'kind' | 'sender' | 'clear' | 'payload'>,
): Promise<MemberId> {
  switch (kind) {
    case 'roster': {
      const signed = decodeBody(containerBody(payload), ...ROSTER_KINDS);
      return signed.kind === 'genesis' ? memberIdOf(hash, signed.body.ownerKey) : signed.body.owner;
    }
    case 'rotation':
      return rotationIn(clear).owner;
    case 'message':
    case 'leaveRequest':
      return sender;
  }
}

/** The key of a current or former member; null: there is no such member. */
export const keyOfAnyMember = ({ members, former }: Roster, memberId: MemberId): Bytes | null =>
  (members.get(memberId) ?? former.get(memberId))?.key ?? null;
