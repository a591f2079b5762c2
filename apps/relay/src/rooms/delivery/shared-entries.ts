/** Entries of the feed that are the same for every member: one event, made and encoded once for all of them. */
import { LIMITS, type EventBody, type Position } from '@0fc/protocol';
import type { FeedEntry } from '../port/room-store.js';

const bodies = new WeakMap<readonly FeedEntry[], EventBody<'entries'> | null>();

export const follows = (next: Position, last: Position): boolean =>
  next.g === last.g && next.s === last.s + 1;

/** Null: each member has its own (the wraps of a rotation), or they are not one event, or do not follow each other. */
export function sharedBody(entries: readonly FeedEntry[]): EventBody<'entries'> | null {
  const known = bodies.get(entries);
  if (known !== undefined) return known;
  const body = isShared(entries) ? { entries: entries.map(({ wraps: _, ...entry }) => entry) } : null;
  bodies.set(entries, body);
  return body;
}

function isShared(entries: readonly FeedEntry[]): boolean {
  const bytes = entries.reduce((sum, { clear, payload }) => sum + clear.length + payload.length, 0);
  if (entries.length === 0 || entries.length > LIMITS.pageEntries || bytes > LIMITS.pageBytes) return false;
  return entries.every(({ kind, position }, at) => {
    const before = entries[at - 1];
    return kind !== 'rotation' && (before === undefined || follows(position, before.position));
  });
}
