/** G6, G7: what another member had taken in when it sealed something, against what was taken in here. */
import {
  ALARM_CODES,
  comparePositions,
  equalBytes,
  type Body,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { alarm } from './items.js';
import type { StoredItem } from './records.js';
import type { RoomState } from './state.js';

export type Seen = Body<'message'>['seen'];

/**
 * How long after a generation was told here somebody may still not have been told, in milliseconds
 * between two clocks: a signal's are within 30 s of each other, a message's are not compared.
 */
const TOLD_WITHIN_MS = { signal: 60_000, message: 600_000 };

/** When something was made, by its sender's signed word (Unix ms), and what it is. */
export interface Made {
  readonly kind: keyof typeof TOLD_WITHIN_MS;
  readonly at: number;
}

/**
 * 'unknown': older than what is kept here, or in a tail that the relay has lost: unverifiable,
 * no alarm. 'ahead': beyond `upTo`, the last position that can have been before it.
 */
export function compareSeen(
  state: RoomState,
  seen: Seen,
  made: Made,
  upTo: Position = state.core.position,
): 'same' | 'unknown' | 'ahead' | 'differs' {
  if (comparePositions(seen.position, upTo) > 0) return 'ahead';
  const known = state.transcriptAt(seen.position);
  if (known === null) {
    // In a lost tail is also where everything would be if the relay had made the loss up for this client alone.
    const over = overSince(state, seen.position);
    return over !== null && made.at > over + TOLD_WITHIN_MS[made.kind] ? 'differs' : 'unknown';
  }
  return equalBytes(known, seen.t) ? 'same' : 'differs';
}

/**
 * Since when (Unix ms, this clock) there can be no such place: the generation had ended before it, the
 * relay has said. Null: it may be one.
 */
export function overSince({ log }: RoomState, { g, s }: Position): number | null {
  const start = log.find(({ at }) => at?.relayed === null && at.position.g > g && at.position.s < s);
  return start?.time ?? null;
}

/** The alarm that this client and `sender` have different histories: once per sender. */
export function forkItems(state: RoomState, sender: MemberId, position: Position): readonly StoredItem[] {
  const { core } = state;
  if (core.forked.includes(sender)) return [];
  core.forked.push(sender);
  return [alarm(ALARM_CODES.ALARM_FORK, sender, { position: position.s })];
}
