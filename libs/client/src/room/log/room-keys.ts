/**
 * Whose key proves an entry; when a room key may be used, and when it is deleted (docs/protocol.md sections 4, 6 and 7;
 * G8, G10, G18).
 */
import { ClientError } from '../../contract/errors.js';
import { type RoomSnapshot, type RoomDraft, set } from '../state/draft.js';
import {
  decodeBody,
  ERROR_CODES,
  ROSTER_KINDS,
  type Body,
  type Entry,
  type MemberId,
  type Bytes,
} from '@0fc/protocol';
import { containerBody, memberIdOf, verifyContainer, type Hash, type Roster } from '@0fc/crypto/verify';

/**
 * The room has a version, an entry or a rotation with fields, that this client does not know: it reads on, and neither
 * seals nor signs anything. An earlier version may have stored that of a rotation which this one knows.
 */
export const needsNewer = ({ roster, current }: Pick<RoomSnapshot, 'roster' | 'current'>): boolean =>
  roster.newer || (current.newer === true && current.rotation !== null && hasUnknownFields(current.rotation));

/**
 * Whether this client may seal. It may not: before it has read its own admission; between a departure and the
 * rotation after it; without the key of the epoch; and as the owner with a stored removal, since the removal ends the
 * epoch, whether the relay accepts it or not.
 */
export function maySeal(snapshot: RoomSnapshot): boolean {
  const { core, roster } = snapshot;
  if (!roster.members.has(core.me) || needsNewer(snapshot)) return false;
  if (core.stage !== 'member' || core.paused || (snapshot.key(core.epoch)?.key ?? null) === null)
    return false;
  if (!snapshot.isOwner) return true;
  const { pending, tasks } = core;
  const departing = (pending?.entry ?? null) !== null && (pending?.rotation ?? null) !== null;
  return !departing && tasks.removals.length === 0;
}

/**
 * Deletes the key of an epoch once this client has processed the rotation after the one that ended it (G8), unless an
 * answered join still needs it.
 */
export function forgetKeys(draft: RoomDraft): void {
  const needed = new Set<number>();
  for (const invite of draft.invites.values()) {
    if (invite.stage !== 'replied' && invite.stage !== 'confirmed') continue;
    for (const reply of invite.replies) needed.add(reply.epoch);
  }
  const { core } = draft;
  const kept = core.keys.filter((key) => key.epoch >= core.epoch - 1 || needed.has(key.epoch));
  if (kept.length < core.keys.length) draft.apply(set({ keys: kept }));
}

/** Whether a rotation has signed fields that this version does not know; its signature is not verified. */
export const hasUnknownFields = (clear: Bytes): boolean =>
  Object.keys(decodeBody(containerBody(clear), 'rotation').unknown).length > 0;

/** Whether a container verifies under a key. Throws what says nothing about the container. */
export function isSignedBy(key: Bytes, container: Bytes): boolean {
  try {
    verifyContainer(key, container);
    return true;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return false;
  }
}

/** The signed body of a rotation, not verified. */
export const rotationIn = (clear: Bytes): Body<'rotation'> =>
  decodeBody(containerBody(clear), 'rotation').body;

/**
 * The signer of an entry (section 6): the only member that a line names as its actor. For a verified entry. A roster entry and a rotation name their signer in the signed body, whatever sender the relay
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
