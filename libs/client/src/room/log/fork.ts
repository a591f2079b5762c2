/** G6, G7: compares what another member had read when it sealed a message or signal with what this client has read. */
import {
  ALARM_CODES,
  comparePositions,
  equalBytes,
  type Body,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { transcriptHash } from '@0fc/crypto/verify';
import { setSender, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { StoredItem } from '../../vault/records.js';
import { alarm } from './items.js';

export type Seen = Body<'message'>['seen'];

/**
 * How long after this client learned of a generation another member may still not know of it, in milliseconds between
 * two clocks. The clocks of a signal are within 30 s of each other; those of a message are not compared.
 */
export const LOSS_KNOWN_WITHIN_MS = 600_000;
const ANNOUNCED_WITHIN_MS = { signal: 60_000, message: LOSS_KNOWN_WITHIN_MS };

/** When a message or signal was made, by the signed time of its sender (Unix ms), and which of both it is. */
export interface Made {
  readonly kind: keyof typeof ANNOUNCED_WITHIN_MS;
  readonly at: number;
}

/**
 * 'unknown': before the records that this client keeps, in a tail that the relay has lost, or where one of both cannot
 * know its transcript: unverifiable, no alarm.
 * 'ahead': after `upTo`, the last position that can precede it.
 */
export function compareSeen(
  snapshot: RoomSnapshot,
  seen: Seen,
  made: Made,
  upTo: Position = snapshot.core.position,
): 'same' | 'unknown' | 'ahead' | 'differs' {
  if (comparePositions(seen.position, upTo) > 0) return 'ahead';
  if (seen.t === null || snapshot.core.provisional > 0) return 'unknown';
  const known = snapshot.transcriptAt(seen.position);
  if (known === null) {
    // A relay that invents a loss for this client alone would put every position into a lost tail.
    const ended = generationEndedAt(snapshot, seen.position);
    return ended !== null && made.at > ended + ANNOUNCED_WITHIN_MS[made.kind] ? 'differs' : 'unknown';
  }
  return equalBytes(transcriptHash(known), seen.t) ? 'same' : 'differs';
}

/** When (Unix ms, this clock) this client learned that a position cannot exist; null: it may. */
export function generationEndedAt({ core }: RoomSnapshot, { g, s }: Position): number | null {
  return core.starts.find(({ position }) => position.g > g && position.s < s)?.time ?? null;
}

/** What this client has read, as it seals it into a message or signal. */
export function seenOf({ core, current }: Pick<RoomSnapshot, 'core' | 'current'>): Seen {
  return {
    position: core.position,
    t: core.provisional > 0 ? null : transcriptHash(core.t),
    ...(current.differed === undefined ? {} : { differed: current.differed }),
  };
}

/**
 * Whether a member found the owner's last checkpoint to be another than its own history, and this client did not, or the
 * other way round. Who does not know its transcript where the epoch before began could not compare, and who does not know
 * it where it seals may be such a one: unverifiable, no alarm.
 */
export function isOtherSide(snapshot: RoomSnapshot, { differed, t }: Seen): boolean {
  const { differed: own, epoch } = snapshot.current;
  if (differed !== undefined && own !== undefined) return !equalBytes(differed, own);
  if (differed !== undefined) return (snapshot.key(epoch - 1)?.t ?? null) !== null;
  return own !== undefined && t !== null;
}

/** The alarm that this client and `sender` have different histories: one per sender and epoch. */
export function forkItems(draft: RoomDraft, sender: MemberId, position: Position): readonly StoredItem[] {
  const { epoch } = draft.core;
  if (draft.sender(sender).forkedIn === epoch) return [];
  draft.apply(setSender(sender, { forkedIn: epoch }));
  return [alarm(ALARM_CODES.ALARM_FORK, sender, { position: position.s })];
}

/**
 * G6, G7: compares what the sender had read when it sealed a message with what this client read before that message.
 */
export function checkSeen(
  draft: RoomDraft,
  body: Body<'message'>,
  before: Position,
  floor: Position,
): readonly StoredItem[] {
  const { sender, seen } = body;
  const items: StoredItem[] = [];
  const last = draft.sender(sender).seen;
  const fell = last !== null && comparePositions(seen.position, last) < 0;
  // Before the rotation that began the epoch, the sender had no key of it.
  if (fell || comparePositions(seen.position, floor) < 0) {
    items.push(alarm(ALARM_CODES.ALARM_SEEN_REGRESSED, sender, { position: seen.position.s }));
  }
  if (!fell) draft.apply(setSender(sender, { seen: seen.position }));
  const compared = compareSeen(draft, seen, { kind: 'message', at: body.sentAt }, before);
  if (compared === 'ahead' || compared === 'differs' || isOtherSide(draft, seen))
    items.push(...forkItems(draft, sender, seen.position));
  return items;
}
