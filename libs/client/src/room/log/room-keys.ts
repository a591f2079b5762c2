/** When a room key may be used, and when it goes (docs/protocol.md sections 4, 6 and 7; G8, G10, G18). */
import type { RoomSnapshot, RoomDraft } from '../state/draft.js';
import { set } from '../state/changes.js';

/**
 * Not before one's own admission was read; not after a departure was read whose rotation was not; not without the epoch's key; and not as the owner who has
 * stored a removal, since the epoch ends with it, whether the relay lets it through or not.
 */
export function maySeal(snapshot: RoomSnapshot): boolean {
  const { core, roster } = snapshot;
  if (!roster.members.has(core.me)) return false;
  if (core.stage !== 'member' || core.paused || (snapshot.key(core.epoch)?.key ?? null) === null)
    return false;
  if (!snapshot.isOwner) return true;
  const { pending, tasks } = core;
  const departing = (pending?.entry ?? null) !== null && (pending?.rotation ?? null) !== null;
  return !departing && tasks.removals.length === 0;
}

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
