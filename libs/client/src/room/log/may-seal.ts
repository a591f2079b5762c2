/** Whether this member may seal anything now (docs/protocol.md sections 4, 6 and 7; G10, G18). */
import type { RoomSnapshot } from '../state/draft.js';

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
