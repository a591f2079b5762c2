/** Entries of the feed that are the same for every member. */
import { LIMITS, type Position } from '@0fc/protocol';
import type { FeedEntry } from '../port/room-store.js';

export const follows = (next: Position, last: Position): boolean =>
  next.g === last.g && next.s === last.s + 1;

/** False: each member has its own (the wraps of a rotation), or they are not one event, or do not follow each other. */
export function isShared(entries: readonly FeedEntry[]): boolean {
  const bytes = entries.reduce((sum, { clear, payload }) => sum + clear.length + payload.length, 0);
  if (entries.length === 0 || entries.length > LIMITS.pageEntries || bytes > LIMITS.pageBytes) return false;
  return entries.every(({ kind, position }, at) => {
    const before = entries[at - 1];
    return kind !== 'rotation' && (before === undefined || follows(position, before.position));
  });
}
