/** When a room key may be used, and when it is deleted (docs/protocol.md sections 4, 6 and 7; G8, G10, G18). */
import { type RoomSnapshot, type RoomDraft, set } from '../state/draft.js';

/**
 * Whether this client may seal. It may not: before it has read its own admission; between a departure and the
 * rotation after it; without the key of the epoch; and as the owner with a stored removal, since the removal ends the
 * epoch, whether the relay accepts it or not.
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
 * Deletes the key of an epoch once this client has processed the rotation after the one that ended it (G8), unless an
 * answered join still needs it.
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
