/** Stages of an invite of the owner's, from its record alone (docs/protocol.md sections 5 and 12). */
import type { RoomSnapshot } from '../state/draft.js';
import type { OwnerInvite } from '../../vault/records.js';

/** Number of joins without proof of the token after which an invite ends. */
export const BAD_PROOFS = 5;

/** Whether the room is full: members count, and joins that have the key. */
export function isFull({ roster, invites }: RoomSnapshot): boolean {
  const answered = [...invites.values()].filter(({ stage }) => stage === 'replied' || stage === 'confirmed');
  return roster.members.size + answered.length >= roster.settings.maxMembers;
}

/**
 * An invite whose join is to be dropped at the relay. Unless it is open again afterwards, what would open a recorded
 * request or reply of it goes in this very write: a relay that refuses the drop keeps no secret alive.
 */
export function dropping(
  invite: OwnerInvite,
  dropReason: NonNullable<OwnerInvite['dropReason']>,
): OwnerInvite {
  const dropped: OwnerInvite = { ...invite, stage: 'dropping', dropReason };
  if (staysOpen(dropped)) return dropped;
  const joiner = invite.joiner === null ? null : { ...invite.joiner, joinKey: null };
  return { ...dropped, pair: null, token: null, joiner };
}

/** Whether an invite is open again after its join ends: no reply was sent, and further proofs may be tried. */
export const staysOpen = ({ replies, dropReason, badProofs }: OwnerInvite): boolean =>
  replies.length === 0 &&
  (dropReason === 'full' || (dropReason === 'badProof' && (badProofs?.times ?? 0) < BAD_PROOFS));

/** Whether a joiner has a reply with the key of this epoch. */
export const holdsKey = ({ replies }: OwnerInvite, epoch: number): boolean =>
  replies.some((reply) => reply.epoch === epoch);
