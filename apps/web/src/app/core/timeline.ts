import type { ClientEvent, TimelineItem } from '@0fc/client/api';

export type TimelineChange = Extract<ClientEvent, { readonly type: 'timeline' }>;

const inOrder = (a: TimelineItem, b: TimelineItem): number => a.order - b.order || a.time - b.time;

/**
 * What the page shows of a room after `change`, in the room's order (docs/protocol.md section 6).
 * Only the change is sorted: one message more costs one walk, however long the conversation.
 */
export function mergeTimeline(
  current: readonly TimelineItem[],
  change: TimelineChange,
): readonly TimelineItem[] {
  const changed = new Map(change.items.map((item) => [item.id, item]));
  const gone = new Set(change.removed);
  const kept = change.reset ? [] : current.filter(({ id }) => !changed.has(id) && !gone.has(id));
  const added = [...changed.values()].sort(inOrder);
  const merged: TimelineItem[] = [];
  let next = 0;
  for (const item of kept) {
    for (let other = added[next]; other !== undefined && inOrder(other, item) < 0; other = added[next]) {
      merged.push(other);
      next += 1;
    }
    merged.push(item);
  }
  return merged.concat(added.slice(next));
}

/** The first message of others at or above `from`, an order: where the unread line goes. */
export function firstUnread(items: readonly TimelineItem[], from: number | null): TimelineItem | null {
  if (from === null) return null;
  return items.find((item) => item.type === 'message' && !item.mine && item.order >= from) ?? null;
}
