/** G6, G7: compares what another member had read when it sealed a message or signal with what this client has read. */
import {
  ALARM_CODES,
  comparePositions,
  equalBytes,
  type Body,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { setSender, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { StoredItem } from '../../vault/records.js';
import { alarm } from './items.js';

export type Seen = Body<'message'>['seen'];

/**
 * How long after this client learned of a generation another member may still not know of it, in milliseconds between
 * two clocks. The clocks of a signal are within 30 s of each other; those of a message are not compared.
 */
const ANNOUNCED_WITHIN_MS = { signal: 60_000, message: 600_000 };

/** When a message or signal was made, by the signed time of its sender (Unix ms), and which of both it is. */
export interface Made {
  readonly kind: keyof typeof ANNOUNCED_WITHIN_MS;
  readonly at: number;
}

/**
 * 'unknown': before the records that this client keeps, or in a tail that the relay has lost: unverifiable, no alarm.
 * 'ahead': after `upTo`, the last position that can precede it.
 */
export function compareSeen(
  snapshot: RoomSnapshot,
  seen: Seen,
  made: Made,
  upTo: Position = snapshot.core.position,
): 'same' | 'unknown' | 'ahead' | 'differs' {
  if (comparePositions(seen.position, upTo) > 0) return 'ahead';
  const known = snapshot.transcriptAt(seen.position);
  if (known === null) {
    // A relay that invents a loss for this client alone would put every position into a lost tail.
    const ended = generationEndedAt(snapshot, seen.position);
    return ended !== null && made.at > ended + ANNOUNCED_WITHIN_MS[made.kind] ? 'differs' : 'unknown';
  }
  return equalBytes(known, seen.t) ? 'same' : 'differs';
}

/** When (Unix ms, this clock) this client learned that a position cannot exist; null: it may. */
export function generationEndedAt({ core }: RoomSnapshot, { g, s }: Position): number | null {
  return core.starts.find(({ position }) => position.g > g && position.s < s)?.time ?? null;
}

/** The alarm that this client and `sender` have different histories: one per sender. */
export function forkItems(draft: RoomDraft, sender: MemberId, position: Position): readonly StoredItem[] {
  if (draft.sender(sender).forked) return [];
  draft.apply(setSender(sender, { forked: true }));
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
  if (compared === 'ahead' || compared === 'differs') items.push(...forkItems(draft, sender, seen.position));
  return items;
}
