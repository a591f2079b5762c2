/** Delivery as a value: whatever the feed lost, repeated or brought late, each entry comes once and in order (G16). */
import { describe, expect, test } from '@jest/globals';
import { comparePositions, type GenerationStart, type MemberId, type Position } from '@0fc/protocol';
import fc from 'fast-check';
import type { FeedEntry } from '../port/room-store.js';
import { mergeFeed, type DeliveryStep, type OrderedEvent, type ReadPage } from './merge-feed.js';

const ME = 'BBBBBBBBBBBBBBBBBBBBBA' as MemberId;
const GENESIS: Position = { g: 1, s: 0 };
const entry = (s: number, g = 1): FeedEntry => ({
  position: { g, s }, kind: 'message', sender: ME, time: s, clear: new Uint8Array(1), payload: new Uint8Array(1),
}); // prettier-ignore
const entries = (...list: FeedEntry[]): OrderedEvent => ({ type: 'entries', entries: list });
const page = (...list: FeedEntry[]): ReadPage => ({ trimmed: GENESIS, generations: [], entries: list });

/** Positions as a subscription meets them: of entries, and of beginnings of generations. */
const positionsOf = (steps: readonly DeliveryStep[]): Position[] =>
  steps.flatMap((step) => {
    if (step.type === 'generation') return [{ g: step.start.generation, s: step.start.from.s }];
    return step.type === 'read' || step.type === 'entries'
      ? step.entries.map(({ position }) => position)
      : [];
  });

describe('a page with what the feed brought meanwhile', () => {
  test('what the page has is left out of the feed, and the rest follows', () => {
    const merged = mergeFeed({ g: 1, s: 1 }, page(entry(2), entry(3)), [
      entries(entry(2)),
      entries(entry(3), entry(4)),
    ]);
    expect(positionsOf(merged.steps).map(({ s }) => s)).toEqual([2, 3, 4]);
    expect(merged).toMatchObject({ position: { g: 1, s: 4 }, outcome: { kind: 'live' } });
  });

  test('an event of which all is due keeps its own list: it is encoded once for all readers', () => {
    const list = [entry(2), entry(3)];
    const { steps } = mergeFeed({ g: 1, s: 1 }, null, [{ type: 'entries', entries: list }]);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toHaveProperty('entries', list);
    expect((steps[0] as { entries: unknown }).entries).toBe(list);
  });

  test('a gap ends what is due: the event and all after it are held while the log is read', () => {
    const held = [entries(entry(2)), entries(entry(4)), entries(entry(5))];
    const merged = mergeFeed({ g: 1, s: 1 }, null, held);
    expect(positionsOf(merged.steps).map(({ s }) => s)).toEqual([2]);
    expect(merged).toMatchObject({
      position: { g: 1, s: 2 },
      outcome: { kind: 'resync', held: held.slice(1) },
    });
  });

  test('a generation that began elsewhere than here is a gap; one that is known is none', () => {
    const start = (generation: number, s: number): OrderedEvent => ({
      type: 'generation',
      generation,
      from: { g: 1, s },
    });
    expect(mergeFeed({ g: 1, s: 3 }, null, [start(7, 2)]).outcome.kind).toBe('resync');
    expect(mergeFeed({ g: 7, s: 3 }, null, [start(7, 2)])).toMatchObject({
      steps: [],
      outcome: { kind: 'live' },
    });
    // Of two generations that began at one entry, the first was lost.
    const second: OrderedEvent = { type: 'generation', generation: 9, from: { g: 7, s: 3 } };
    expect(mergeFeed({ g: 1, s: 3 }, null, [second]).outcome).toEqual({ kind: 'resync', held: [second] });
    expect(mergeFeed({ g: 1, s: 3 }, null, [start(7, 3), entries(entry(4, 7))])).toMatchObject({
      position: { g: 7, s: 4 },
      outcome: { kind: 'live' },
    });
  });

  test('a tip beyond the subscription is a gap, and is not held itself', () => {
    const tip = (s: number | null, resumed = false): OrderedEvent => ({
      type: 'tip', tip: s === null ? null : { g: 1, s }, resumed,
    }); // prettier-ignore
    const later = entries(entry(9));
    expect(mergeFeed({ g: 1, s: 3 }, null, [tip(4), later]).outcome).toEqual({
      kind: 'resync',
      held: [later],
    });
    expect(mergeFeed({ g: 1, s: 3 }, null, [tip(null)]).outcome).toEqual({ kind: 'resync', held: [] });
    expect(mergeFeed({ g: 1, s: 3 }, null, [tip(2, true)])).toMatchObject({
      steps: [{ type: 'resumed' }],
      outcome: { kind: 'live' },
    });
  });

  test('what lies between the subscription and the page has been trimmed: nothing is delivered', () => {
    const read = { ...page(entry(6)), trimmed: { g: 1, s: 5 } };
    expect(mergeFeed({ g: 1, s: 3 }, read, [entries(entry(7))])).toEqual({
      steps: [],
      position: { g: 1, s: 3 },
      outcome: { kind: 'trimmed' },
    });
  });
});

interface Log {
  /** in order: entries, and beginnings of generations */
  readonly items: readonly (FeedEntry | GenerationStart)[];
}
const isEntry = (item: FeedEntry | GenerationStart): item is FeedEntry => 'position' in item;
const positionOf = (item: FeedEntry | GenerationStart): Position =>
  isEntry(item) ? item.position : { g: item.generation, s: item.from.s };

/** A log by its steps: true begins a generation, false adds an entry. */
function logOf(begins: readonly boolean[]): Log {
  let { g, s } = GENESIS;
  const items = begins.map((begin) => {
    if (!begin) return entry(++s, g);
    const from = { g, s };
    g += 10;
    return { generation: g, from };
  });
  return { items };
}

/** A page as the store reads it: generations first, and no entries of two of them unless none lies between. */
function read(
  { items }: Log,
  after: Position,
  most: number,
): { readonly page: ReadPage; readonly end: boolean } {
  const rest = items.filter((item) => comparePositions(positionOf(item), after) > 0);
  const first = rest.findIndex(isEntry);
  const leading = first < 0 ? rest : rest.slice(0, first);
  const list = first < 0 ? [] : rest.slice(first);
  const next = list.findIndex((item) => !isEntry(item));
  const following = (next < 0 ? list : list.slice(0, next)).slice(0, most) as FeedEntry[];
  return {
    page: { trimmed: GENESIS, generations: leading as GenerationStart[], entries: following },
    end: leading.length + following.length === rest.length,
  };
}

/** The log as the feed brings it: events of some entries each, of which some are lost and some come more than once. */
const feedOf = ({ items }: Log, sizes: readonly number[], copies: readonly number[]): OrderedEvent[] => {
  const events: OrderedEvent[] = [];
  for (let at = 0; at < items.length;) {
    const item = items[at]!;
    if (!isEntry(item)) {
      events.push({ type: 'generation', ...item });
      at++;
      continue;
    }
    const next = items.findIndex((other, index) => index > at && !isEntry(other));
    const size = sizes[events.length % sizes.length]!;
    const list = items.slice(at, Math.min(at + size, next < 0 ? items.length : next)) as FeedEntry[];
    events.push({ type: 'entries', entries: list });
    at += list.length;
  }
  // A repetition comes at once, or behind the event after it.
  const heard: OrderedEvent[] = [];
  events.forEach((event, index) => {
    const copy = copies[index % copies.length]!;
    if (copy > 0) heard.push(event);
    if (copy > 1) heard.push(event);
    if (copy > 2) heard.push(...events.slice(Math.max(0, index - 2), index + 1));
  });
  return heard;
};

test('whatever the feed lost or repeated, each entry comes once and in order, or the log is asked for', () => {
  const small = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 24 }),
      fc.array(small, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }),
      fc.nat(24),
      fc.nat(24),
      small,
      (begins, sizes, copies, startAt, heardFrom, most) => {
        const log = logOf(begins);
        const start =
          startAt === 0
            ? GENESIS
            : positionOf(log.items[Math.min(startAt, log.items.length) - 1] ?? entry(0));
        const wanted = log.items.map(positionOf).filter((position) => comparePositions(position, start) > 0);
        const feed = feedOf(log, sizes, copies).slice(heardFrom % 5);

        const delivered: Position[] = [];
        let from = start;
        let held: readonly OrderedEvent[] = feed;
        let next: ReadPage | null = read(log, from, most).page;
        // Each reading gets further or ends it: there is at most one for each item, and one that finds the end.
        for (let readings = 0; ; readings++) {
          expect(readings).toBeLessThanOrEqual(log.items.length + 1);
          const { steps, position, outcome } = mergeFeed(from, next, held);
          delivered.push(...positionsOf(steps));
          expect(delivered).toEqual(wanted.slice(0, delivered.length));
          expect(position).toEqual(delivered.at(-1) ?? start);
          from = position;
          if (outcome.kind === 'live') break;
          held = outcome.kind === 'resync' ? outcome.held : [];
          next = read(log, from, most).page;
        }
        // Live with less than all means only that the feed has not brought the rest: its last events were lost.
        const heard = feed.flatMap((event) =>
          event.type === 'entries' ? event.entries.map((one) => one.position)
          : event.type === 'generation' ? [{ g: event.generation, s: event.from.s }] : [],
        ); // prettier-ignore
        const furthest = heard.reduce((most, one) => (comparePositions(one, most) > 0 ? one : most), start);
        expect(comparePositions(from, furthest)).toBeGreaterThanOrEqual(0);
      },
    ),
    { numRuns: 2_000 },
  );
});
