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
 * 'unknown': older than what is kept here, or in a tail that the relay has lost: unverifiable,
 * no alarm. 'ahead': beyond `upTo`, the last position that can have been before it.
 */
export function compareSeen(
  state: RoomState,
  seen: Seen,
  upTo: Position = state.core.position,
): 'same' | 'unknown' | 'ahead' | 'differs' {
  if (comparePositions(seen.position, upTo) > 0) return 'ahead';
  const known = state.transcriptAt(seen.position);
  if (known === null) return 'unknown';
  return equalBytes(known, seen.t) ? 'same' : 'differs';
}

/** The alarm that this client and `sender` have different histories: once per sender. */
export function forkItems(state: RoomState, sender: MemberId, position: Position): readonly StoredItem[] {
  const { core } = state;
  if (core.forked.includes(sender)) return [];
  core.forked.push(sender);
  return [alarm(ALARM_CODES.ALARM_FORK, sender, { position: position.s })];
}
