import { describe, expect, it } from '@jest/globals';
import type { TimelineItem } from '@0fc/client/api';

import { message } from '../../../test-support/fake-data';
import { longTimeline } from '../../../test-support/fake-timeline';
import { firstUnread, mergeTimeline } from './timeline';

const item = (id: string, order: number, text = id): TimelineItem => message(id, order, order, 1, text);
const change = (items: readonly TimelineItem[], removed: readonly string[] = [], reset = false) =>
  ({ type: 'timeline', roomId: 'r', reset, items, removed }) as const;

/** Slow and obvious. */
function naive(current: readonly TimelineItem[], { reset, items, removed }: ReturnType<typeof change>) {
  const byId = new Map((reset ? [] : current).map((one) => [one.id, one]));
  for (const id of removed) byId.delete(id);
  for (const one of items) byId.set(one.id, one);
  return [...byId.values()].sort((a, b) => a.order - b.order || a.time - b.time);
}

describe('the merging of what the worker tells', () => {
  it('is what a plain map and sort would give, whatever comes in whatever order', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return Math.floor((state / 2 ** 31) * limit);
    };
    let merged: readonly TimelineItem[] = [];
    let expected: readonly TimelineItem[] = [];
    // The last step may empty it.
    let longest = 0;
    for (let step = 0; step < 300; step++) {
      // Orders of one's own: two items never share one, as in a room.
      const items = Array.from({ length: below(6) }, () => {
        const n = below(60);
        return item(`i${String(n)}`, n + 60 * below(3), `at ${String(step)}`);
      });
      const removed = Array.from({ length: below(3) }, () => `i${String(below(60))}`);
      const next = change(items, removed, below(40) === 0);
      merged = mergeTimeline(merged, next);
      expected = naive(expected, next);
      if (JSON.stringify(merged) !== JSON.stringify(expected))
        throw new Error(`step ${String(step)} of seed ${String(seed)} differs`);
      longest = Math.max(longest, merged.length);
    }
    expect(longest).toBeGreaterThan(0);
  });

  it('keeps the very items that did not change', () => {
    const long = longTimeline(1_000);
    const merged = mergeTimeline(long, change([item('new', 5_000)]));
    expect(merged).toHaveLength(1_001);
    expect(long.every((one, index) => one === merged[index])).toBe(true);
  });

  it('moves a message from the end to its place once the log has it', () => {
    const pending = [item('a', 1), item('mine', 9_999)];
    const merged = mergeTimeline(pending, change([item('b', 2), item('mine', 3)]));
    expect(merged.map(({ id }) => id)).toEqual(['a', 'b', 'mine']);
  });
});

describe('the unread line', () => {
  const mine = message('mine', 5, 5, 0, 'mine');
  it('stands before the first message of others that is new', () => {
    const items = [item('a', 1), mine, item('b', 6), item('c', 7)];
    expect(firstUnread(items, 4)?.id).toBe('b');
    expect(firstUnread(items, 8)).toBeNull();
    expect(firstUnread(items, null)).toBeNull();
  });
});
