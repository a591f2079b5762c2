/** A map over another one: to whoever reads it, it is a plain map; the one below stays as it is. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LayeredMap } from './immutable.js';

const key = fc.integer({ min: 0, max: 7 });
const value = fc.option(fc.string({ maxLength: 3 }), { nil: undefined });
const step = fc.oneof(
  fc.record({ act: fc.constant('set' as const), key, value }),
  fc.record({ act: fc.constant('delete' as const), key, value }),
);

type Values = ReadonlyMap<number, string | undefined>;

/** Everything that a reader can ask of a map, the order of its entries left out. */
function readable(map: Values): unknown {
  const visited: unknown[] = [];
  map.forEach((item, at, whole) => visited.push([at, item, whole === map]));
  const keys = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  return {
    size: map.size,
    has: keys.map((at) => map.has(at)),
    get: keys.map((at) => map.get(at)),
    entries: [...map.entries()].sort(byKey),
    iterated: [...map].sort(byKey),
    keys: [...map.keys()].sort(),
    // In one order, whichever way they are walked.
    paired: [...map.values()].map((item, at) => [[...map.keys()][at], item]).sort(byKey),
    visited: visited.sort(byKey),
  };
}

const byKey = (a: unknown, b: unknown): number => (a as [number])[0] - (b as [number])[0];

describe('a layered map', () => {
  test('over any map, under any sets and deletions, reads as a plain map does, and changes nothing below', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, value)),
        fc.array(step, { maxLength: 20 }),
        fc.array(step, { maxLength: 20 }),
        (below, steps, above) => {
          const base: Values = new Map(below);
          const before = [...base];
          const plain = new Map(base);
          const lower = new LayeredMap(base);
          run(lower, plain, steps);
          // A draft of a draft lies over a layered one.
          const lowerBefore = [...lower];
          const upper = new LayeredMap(lower);
          run(upper, plain, above);
          expect([...lower]).toEqual(lowerBefore);
          expect([...base]).toEqual(before);
        },
      ),
    );
  });

  test('walks what is below in its order, and what is new behind it', () => {
    const map = new LayeredMap(new Map([[3, 'c'], [1, 'a'], [2, 'b']])); // prettier-ignore
    map.set(9, 'new').set(1, 'changed').set(0, 'newer');
    map.delete(2);
    expect([...map]).toEqual([[3, 'c'], [1, 'changed'], [9, 'new'], [0, 'newer']]); // prettier-ignore
  });
});

interface Step {
  readonly act: 'set' | 'delete';
  readonly key: number;
  readonly value: string | undefined;
}

function run(
  layered: LayeredMap<number, string | undefined>,
  plain: Map<number, string | undefined>,
  steps: readonly Step[],
): void {
  expect(readable(layered)).toEqual(readable(plain));
  for (const { act, key: at, value: item } of steps) {
    if (act === 'set') expect(layered.set(at, item)).toBe(layered);
    else expect(layered.delete(at)).toBe(plain.has(at));
    if (act === 'set') plain.set(at, item);
    else plain.delete(at);
    expect(readable(layered)).toEqual(readable(plain));
  }
}
