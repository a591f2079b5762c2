import type { RoomView, TimelineItem } from '@0fc/client/api';

const CHANGES = new Set(['created', 'admitted', 'removed', 'left', 'transferred', 'settings', 'closed']);

/**
 * Whether the newest roster entry in view is a departure: only then does it matter who has not
 * taken it in (G10), since those may still send to the one who is gone.
 */
export function endsInDeparture(items: readonly TimelineItem[]): boolean {
  const last = items.findLast((item) => item.type === 'system' && CHANGES.has(item.event));
  return last?.type === 'system' && (last.event === 'removed' || last.event === 'left');
}

/** Whether this client may still act in the room. */
export function mayAct(room: RoomView): boolean {
  return room.stage === 'member' && !room.closing;
}
