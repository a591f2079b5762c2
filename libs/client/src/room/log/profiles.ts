/** Names of members and of the room, as their makers signed them (docs/protocol.md sections 5.6, 6 and 7). */
import {
  comparePositions, decodeBody, equalBytes, ERROR_CODES, LIMITS, ROSTER_KINDS, type Body, type Bytes, type MemberId,
} from '@0fc/protocol'; // prettier-ignore
import { openProfile } from '@0fc/crypto/keys';
import { containerBody } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import { set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import { keyOfAnyMember } from './room-keys.js';
import { knownContent } from '../../vault/content.js';
import { upserted } from './roster-effects.js';

/** From the log: a profile only of oneself (the signature says so), the room's name only by its owner (G3). */
export function applyNames(draft: RoomDraft, body: Body<'message'>, proof: Bytes): void {
  // What can neither be kept nor handed on is no name: unknown fields of its signed body may be long.
  if (proof.length > LIMITS.containerBytes) return;
  const content = knownContent(body.content);
  // A name that arrives late, after a loss, does not replace a later one.
  const counts = (known: Bytes | null): boolean => compareNamePlacements(body, known) >= 0;
  if (content?.type === 'profile' && counts(proofOf(draft, body.sender))) {
    setName(draft, body.sender, content.name, proof);
  }
  const named = content?.type === 'roomName' && body.sender === draft.roster.owner;
  if (named && counts(draft.core.roomName?.proof ?? null)) {
    draft.apply(set({ roomName: { name: content.name, proof } }));
  }
}

/**
 * Applies a name that another member forwards, if its maker's signature verifies. It counts only if it was made later
 * than the known one, since a forwarded name may be old.
 */
export function applyForwardedName(draft: RoomDraft, container: Bytes): void {
  try {
    const { sender } = decodeBody(containerBody(container), 'message').body;
    const key = keyOfAnyMember(draft.roster, sender);
    if (key === null) return;
    const body = openProfile(key, draft.core.roomId, container);
    const content = knownContent(body.content);
    const newer = (known: Bytes | null): boolean => compareNamePlacements(body, known) > 0;
    if (content?.type === 'profile' && draft.roster.members.has(sender) && newer(proofOf(draft, sender))) {
      setName(draft, sender, content.name, container);
    }
    const named = content?.type === 'roomName' && ownersOf(draft, body.epoch).includes(sender);
    if (named && newer(draft.core.roomName?.proof ?? null)) {
      draft.apply(set({ roomName: { name: content.name, proof: container } }));
    }
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
  }
}

function setName(draft: RoomDraft, memberId: MemberId, name: string, proof: Bytes): void {
  const people = upserted(draft.core.people, (person) => person.memberId === memberId, {
    memberId,
    name,
    proof,
  });
  draft.apply(set({ people }));
}

const proofOf = ({ core }: RoomSnapshot, member: MemberId): Bytes | null =>
  core.people.find(({ memberId }) => memberId === member)?.proof ?? null;

/**
 * Positive where a name was made after the known one: compared by epoch, then by what its maker had read, then by
 * counter where both have one instance. Zero where neither is known to be later.
 */
function compareNamePlacements(body: Body<'message'>, known: Bytes | null): number {
  if (known === null) return 1;
  const before = decodeBody(containerBody(known), 'message').body;
  if (body.epoch !== before.epoch) return body.epoch - before.epoch;
  const seen = comparePositions(body.seen.position, before.seen.position);
  if (seen !== 0) return seen;
  const same = body.sender === before.sender && equalBytes(body.instance, before.instance);
  return same ? body.n - before.n : 0;
}

/** Every member that owned the room during an epoch: a name that an earlier owner gave to the room stays valid. */
function ownersOf({ chain }: RoomSnapshot, epoch: number): readonly MemberId[] {
  let owners: MemberId[] = [];
  for (const container of chain.values()) {
    const signed = decodeBody(containerBody(container), ...ROSTER_KINDS);
    if (signed.kind === 'genesis') continue;
    if (signed.body.epoch > epoch) return owners.length === 0 ? [signed.body.owner] : owners;
    if (owners.length === 0) owners = [signed.body.owner];
    if (signed.kind !== 'transfer') continue;
    // After a transfer in an earlier epoch only the new owner owned it for all of this one.
    owners = signed.body.epoch < epoch ? [signed.body.to] : [...owners, signed.body.to];
  }
  return owners;
}
