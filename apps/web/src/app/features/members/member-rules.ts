import type { RoomView, TimelineItem } from '@0fc/client/api';

const CHANGES = new Set(['created', 'admitted', 'removed', 'left', 'transferred', 'settings', 'closed']);

/**
 * Whether the newest roster entry in view is a departure: only then does it matter who has not
 * applied it (G10): those may still encrypt for the member who has left.
 */
export function endsInDeparture(items: readonly TimelineItem[]): boolean {
  const last = items.findLast((item) => item.type === 'system' && CHANGES.has(item.event));
  return last?.type === 'system' && (last.event === 'removed' || last.event === 'left');
}

/** Whether this client may still act in the room. */
export function mayAct(room: RoomView): boolean {
  return room.stage === 'member' && !room.closing;
}
