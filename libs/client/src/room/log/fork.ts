/** G6, G7: what another member had taken in when it sealed something, against what was taken in here. */
import {
  ALARM_CODES,
  comparePositions,
  equalBytes,
  type Body,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { setSender } from '../state/changes.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';
import type { StoredItem } from '../../vault/records.js';
import { alarm } from './items.js';

export type Seen = Body<'message'>['seen'];

/**
 * How long after a generation was told here somebody may still not have been told, in milliseconds
 * between two clocks: a signal's are within 30 s of each other, a message's are not compared.
 */
const ANNOUNCED_WITHIN_MS = { signal: 60_000, message: 600_000 };

/** When something was made, by its sender's signed word (Unix ms), and what it is. */
export interface Made {
  readonly kind: keyof typeof ANNOUNCED_WITHIN_MS;
  readonly at: number;
}

/**
 * 'unknown': older than what is kept here, or in a tail that the relay has lost: unverifiable,
 * no alarm. 'ahead': beyond `upTo`, the last position that can have been before it.
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
    // In a lost tail is also where everything would be if the relay had made the loss up for this client alone.
    const ended = generationEndedAt(snapshot, seen.position);
    return ended !== null && made.at > ended + ANNOUNCED_WITHIN_MS[made.kind] ? 'differs' : 'unknown';
  }
  return equalBytes(known, seen.t) ? 'same' : 'differs';
}

/** When (Unix ms, this clock) this client learned that a position cannot exist; null: it may. */
export function generationEndedAt({ core }: RoomSnapshot, { g, s }: Position): number | null {
  return core.starts.find(({ position }) => position.g > g && position.s < s)?.time ?? null;
}

/** The alarm that this client and `sender` have different histories: once per sender. */
export function forkItems(draft: RoomDraft, sender: MemberId, position: Position): readonly StoredItem[] {
  if (draft.sender(sender).forked) return [];
  draft.apply(setSender(sender, { forked: true }));
  return [alarm(ALARM_CODES.ALARM_FORK, sender, { position: position.s })];
}

/** G6, G7: what the sender had when it sealed a message, against what was read here before it. */
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
  // Before the rotation that began the epoch, it could not have had the key.
  if (fell || comparePositions(seen.position, floor) < 0) {
    items.push(alarm(ALARM_CODES.ALARM_SEEN_REGRESSED, sender, { position: seen.position.s }));
  }
  if (!fell) draft.apply(setSender(sender, { seen: seen.position }));
  const compared = compareSeen(draft, seen, { kind: 'message', at: body.sentAt }, before);
  if (compared === 'ahead' || compared === 'differs') items.push(...forkItems(draft, sender, seen.position));
  return items;
}
