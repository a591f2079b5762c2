import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readConfig } from '../config/environment.js';
import { AddressCounter, type ConnectionLimits } from './connections.js';

const RESERVED = 256;

/** Opens up to so many; returns how many there was room for. */
function open(counter: AddressCounter, address: string, most = Infinity): number {
  let opened = 0;
  for (; opened < most && !counter.isFull(address); opened++) counter.opened(address);
  return opened;
}

const asConfigured = (environment: Record<string, string> = {}): ConnectionLimits => {
  const { connectionsPerAddress, connections } = readConfig(environment, { webDir: 'web' });
  return { perAddress: connectionsPerAddress, all: connections };
};

describe('how many connections an address may have', () => {
  test('as configured without a word: alone 2,000, which are 180 people with 11 rooms', () => {
    expect(open(new AddressCounter(asConfigured()), 'school')).toBe(2_000);
  });

  test('500 people with 11 rooms have theirs where the relay takes 27,500', () => {
    expect(open(new AddressCounter(asConfigured({ MAX_CONNECTIONS: '27500' })), 'school')).toBe(5_500);
  });

  test('no more than the operator says, however much is free', () => {
    expect(open(new AddressCounter(asConfigured({ MAX_CONNECTIONS_PER_ADDRESS: '256' })), 'a')).toBe(256);
    expect(open(new AddressCounter(asConfigured({ MAX_CONNECTIONS_PER_ADDRESS: '2' })), 'a')).toBe(2);
  });

  test('alone a fifth of all, and 256 where that is less, as long as there are any', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50_000 }), (all) => {
        const most = Math.min(all, Math.max(RESERVED, Math.ceil(all / 5)));
        expect(open(new AddressCounter({ perAddress: all, all }), 'a')).toBe(most);
      }),
      { numRuns: 50 },
    );
  });

  test('several that want all they can get, in turns, have the same: all / (4 + k)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), (k) => {
        const all = 10_000;
        const counter = new AddressCounter({ perAddress: all, all });
        const counts = new Map(Array.from({ length: k }, (_, n) => [String(n), 0]));
        for (let more = true; more;) {
          more = false;
          for (const [address, count] of counts) {
            const opened = open(counter, address, 1);
            counts.set(address, count + opened);
            more ||= opened > 0;
          }
        }
        for (const count of counts.values()) {
          expect(count).toBeGreaterThanOrEqual(Math.floor(all / (4 + k)));
          expect(count).toBeLessThanOrEqual(Math.ceil(all / (4 + k)) + 1);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('one after the other, all they can get: the fifteenth finds what is left', () => {
    const counter = new AddressCounter(asConfigured());
    const got = Array.from({ length: 16 }, (_, n) => open(counter, String(n)));
    expect(got.slice(0, 3)).toEqual([2_000, 1_600, 1_280]);
    expect(got.slice(10, 14)).toEqual([256, 256, 256, 256]);
    expect(got.slice(14)).toEqual([10_000 - got.slice(0, 14).reduce((sum, one) => sum + one, 0), 0]);
  });

  test('whatever the order of opening and closing: who has fewer than 256 gets in unless all is full, and no count drifts', () => {
    const step = fc.record({
      address: fc.integer({ min: 0, max: 11 }).map(String),
      opens: fc.boolean(),
      many: fc.integer({ min: 1, max: 700 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4_000 }),
        fc.integer({ min: RESERVED, max: 4_000 }),
        fc.array(step, { maxLength: 60 }),
        (all, perAddress, steps) => {
          const counter = new AddressCounter({ perAddress, all });
          const counts = new Map<string, number>();
          let total = 0;
          const of = (address: string): number => counts.get(address) ?? 0;
          for (const { address, opens, many } of steps) {
            for (let n = 0; n < many && (opens || of(address) > 0); n++) {
              const mine = of(address);
              if (opens) {
                const full = counter.isFull(address);
                if (mine < RESERVED) expect(full).toBe(total >= all);
                else expect(full).toBe(total >= all || mine >= perAddress || 4 * mine >= all - total);
                if (full) break;
                counter.opened(address);
              } else counter.closed(address);
              counts.set(address, mine + (opens ? 1 : -1));
              total += opens ? 1 : -1;
            }
          }
          expect(total).toBeLessThanOrEqual(all);
          for (const [address, count] of counts) for (let n = 0; n < count; n++) counter.closed(address);
          const fresh = open(new AddressCounter({ perAddress, all }), 'new');
          expect(open(counter, '0')).toBe(fresh);
        },
      ),
      { numRuns: 100 },
    );
  });
});
