import type { RoomView, TimelineItem } from '@0fc/client/api';

const MARKS = /[\u2066-\u2069\u202a-\u202e]/g;

/** A name for a sentence: in its own direction, and unable to change that of the words around it. */
export function isolated(name: string): string {
  return `\u2068${name.replace(MARKS, '')}\u2069`;
}

/** The same, where the name may not have come yet. */
export function named(name: string | undefined, nameless: string): string {
  return isolated(name === undefined || name === '' ? nameless : name);
}

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
export function acts(room: RoomView): boolean {
  return room.stage === 'member' && !room.closing;
}
