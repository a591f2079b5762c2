/** Changes of a room's settings, which a relay takes only so many of (docs/protocol.md section 4). */
import { decodeBody, ROSTER_KINDS } from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import type { RoomSnapshot } from '../state/draft.js';

/** Settings entries of the whole chain. */
export function settingsEntries({ chain }: RoomSnapshot): number {
  let count = 0;
  for (const container of chain.values()) {
    if (decodeBody(containerBody(container), ...ROSTER_KINDS).kind === 'settings') count += 1;
  }
  return count;
}

/** When each that was read here was placed, by the relay's clock (Unix ms), oldest first. */
export function settingsTimes({ log }: RoomSnapshot): readonly number[] {
  const times: number[] = [];
  for (const { items, time } of log.oldestFirst()) {
    if (items.some((item) => item.type === 'system' && item.event === 'settings')) times.push(time);
  }
  return times;
}
