import type { ClientEvent, TimelineItem } from '@0fc/client/api';

export type TimelineChange = Extract<ClientEvent, { readonly type: 'timeline' }>;

/** What the page shows of a room after `change`, in the room's order (docs/protocol.md section 6). */
export function mergeTimeline(
  current: readonly TimelineItem[],
  change: TimelineChange,
): readonly TimelineItem[] {
  const byId = new Map<string, TimelineItem>(change.reset ? [] : current.map((item) => [item.id, item]));
  for (const id of change.removed) byId.delete(id);
  for (const item of change.items) byId.set(item.id, item);
  return [...byId.values()].sort((a, b) => a.order - b.order || a.time - b.time);
}

/** The first of the last `unread` messages of others: where the unread line goes. */
export function firstUnread(items: readonly TimelineItem[], unread: number): TimelineItem | null {
  let left = unread;
  for (const item of items.toReversed()) {
    if (item.type !== 'message' || item.mine) continue;
    left -= 1;
    if (left === 0) return item;
  }
  return null;
}
