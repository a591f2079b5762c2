/** Changes of a room's settings, which a relay takes only so many of (docs/protocol.md section 4). */
import { decodeBody, ROSTER_KINDS } from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import { set } from '../state/changes.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';

/** Within this a relay counts changes of the settings, in milliseconds: older ones are not kept. */
export const HOUR_MS = 3_600_000;

/** Settings entries of the whole chain. */
export function settingsEntries({ chain }: RoomSnapshot): number {
  let count = 0;
  for (const container of chain.values()) {
    if (decodeBody(containerBody(container), ...ROSTER_KINDS).kind === 'settings') count += 1;
  }
  return count;
}

/** `time`: when the relay placed one that was read just now, Unix ms. */
export function noteSettings(draft: RoomDraft, time: number): void {
  const recent = draft.core.settingsPlaced.filter((placed) => placed > time - HOUR_MS);
  draft.apply(set({ settingsPlaced: [...recent, time] }));
}
