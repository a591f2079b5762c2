/** Whose signature an entry bears (docs/protocol.md section 6): what a line names as its actor, and nothing else does. */
import { decodeBody, ROSTER_KINDS, type Entry, type MemberId, type Bytes } from '@0fc/protocol';
import { containerBody, memberIdOf, type Hash, type Roster } from '@0fc/crypto/verify';
import { rotationIn } from './trimmed.js';

/**
 * Of an entry that has proved itself: a roster entry and a rotation name their signer in what is signed, whatever
 * sender the relay writes beside them; a message and a request to leave prove themselves under that sender's key alone.
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

/** The key of a member of now or of before; null: it never was one. */
export const keyOfAnyMember = ({ members, former }: Roster, memberId: MemberId): Bytes | null =>
  (members.get(memberId) ?? former.get(memberId))?.key ?? null;
