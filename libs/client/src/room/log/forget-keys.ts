/** When a room key goes (docs/protocol.md section 7, G8). */
import { set } from '../state/changes.js';
import type { RoomDraft } from '../state/draft.js';

/**
 * A room key goes when the rotation after the one that ended its epoch has been
 * processed (G8), unless a join that was answered under it still needs it.
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
