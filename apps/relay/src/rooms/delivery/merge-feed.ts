/**
 * What a subscription gets next, out of a page of the log and of what the feed brought meanwhile: each entry once, in
 * the order of the log, or word that something is missing (docs/protocol.md G16). Pure: nothing is sent, read or kept.
 */
import { comparePositions, type GenerationStart, type Position } from '@0fc/protocol';
import type { FeedEntry, ReadEntry, RoomEvent } from '../port/room-store.js';
import { follows } from './shared-entries.js';

/** Events that have a place in the order of the log. */
export type OrderedEvent = Extract<
  RoomEvent,
  { readonly type: 'entries' | 'generation' | 'role' | 'closed' | 'tip' }
>;

/** A page that was read from the log after the subscription's position. */
export interface ReadPage {
  /** entries at or before this are gone from the log */
  readonly trimmed: Position;
  readonly generations: readonly GenerationStart[];
  readonly entries: readonly ReadEntry[];
}

/** To be carried out in order. */
export type DeliveryStep =
  /** of a page: as this member reads them */
  | { readonly type: 'read'; readonly entries: readonly ReadEntry[] }
  /** of the feed: the list of the event itself where all of it is due */
  | { readonly type: 'entries'; readonly entries: readonly FeedEntry[] }
  | { readonly type: 'generation'; readonly start: GenerationStart }
  | Extract<OrderedEvent, { readonly type: 'role' | 'closed' }>
  /** the feed was broken: events without a position may be lost */
  | { readonly type: 'resumed' };

export interface Merged {
  readonly steps: readonly DeliveryStep[];
  /** the subscription's position after the steps */
  readonly position: Position;
  /**
   * - `live`: nothing is missing.
   * - `resync`: something is missing after `position`; the log is to be read from there, then `held` merged.
   * - `trimmed`: what is missing is gone from the log; nothing of the page or of the feed is delivered.
   */
  readonly outcome:
    | { readonly kind: 'live' | 'trimmed' }
    | { readonly kind: 'resync'; readonly held: readonly OrderedEvent[] };
}

/**
 * @param from the last position that the subscription has
 * @param page read after `from`; null: none was
 * @param held what the feed brought since before the page was read, in its order
 */
export function mergeFeed(from: Position, page: ReadPage | null, held: readonly OrderedEvent[]): Merged {
  if (page !== null && comparePositions(page.trimmed, from) > 0) {
    return { steps: [], position: from, outcome: { kind: 'trimmed' } };
  }
  const steps: DeliveryStep[] = [];
  let position = page === null ? from : takePage(from, page, steps);
  const resync = (rest: readonly OrderedEvent[]): Merged => ({
    steps,
    position,
    outcome: { kind: 'resync', held: rest },
  });

  for (const [at, event] of held.entries()) {
    switch (event.type) {
      case 'generation': {
        const { generation, from: before } = event;
        if (generation <= position.g) break;
        // By its generation too: of two that began at one entry the first may be what was lost.
        if (comparePositions(before, position) !== 0) return resync(held.slice(at));
        position = { g: generation, s: before.s };
        steps.push({ type: 'generation', start: { generation, from: before } });
        break;
      }
      case 'entries': {
        const { due, complete } = dueAfter(position, event.entries);
        position = due.at(-1)?.position ?? position;
        if (due.length > 0) steps.push({ type: 'entries', entries: due });
        if (!complete) return resync(held.slice(at));
        break;
      }
      case 'tip':
        if (event.resumed) steps.push({ type: 'resumed' });
        // The tip itself is not held: after a failover the store may be behind it, and stay there.
        if (event.tip === null || comparePositions(event.tip, position) > 0)
          return resync(held.slice(at + 1));
        break;
      case 'role':
      case 'closed':
        steps.push(event);
        break;
    }
  }
  return { steps, position, outcome: { kind: 'live' } };
}

/** Adds what the page has; the position that it ends at. */
function takePage(from: Position, { generations, entries }: ReadPage, steps: DeliveryStep[]): Position {
  for (const start of generations) steps.push({ type: 'generation', start });
  if (entries.length > 0) steps.push({ type: 'read', entries });
  const last = generations.at(-1);
  return entries.at(-1)?.position ?? (last === undefined ? from : { g: last.generation, s: last.from.s });
}

/** Entries beyond a position, up to the first that does not follow. */
function dueAfter(
  from: Position,
  entries: readonly FeedEntry[],
): { readonly due: readonly FeedEntry[]; readonly complete: boolean } {
  const due: FeedEntry[] = [];
  let last = from;
  for (const entry of entries) {
    if (comparePositions(entry.position, last) <= 0) continue;
    if (!follows(entry.position, last)) return { due, complete: false };
    due.push(entry);
    last = entry.position;
  }
  return { due: due.length === entries.length ? entries : due, complete: true };
}
