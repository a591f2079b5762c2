import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Dice } from '../../../../test/support/random.js';
import { Heartbeat, type HeartbeatTarget } from './heartbeat.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A connection as the heartbeat sees it: when something went out on it. */
class Sending implements HeartbeatTarget {
  readonly at: number[] = [];
  lastSent = performance.now();

  beat(): void {
    this.lastSent = performance.now();
    this.at.push(this.lastSent);
  }
}

const connections = (count: number): Map<string, Sending> =>
  new Map(Array.from({ length: count }, (_, n) => [String(n), new Sending()]));
/** The same choices in each run. */
const seeded = (): (() => number) => {
  const dice = new Dice(1);
  return () => dice.below(1_000_000) / 1_000_000;
};
const gapsOf = ({ at }: Sending): number[] => at.slice(1).map((time, n) => time - at[n]!);

describe('the heartbeat', () => {
  it.each([500, 2_000, 60_000])('of %d ms leaves no gap that is longer', (interval) => {
    const busy = new Sending();
    const idle = connections(50);
    const heartbeat = new Heartbeat(interval, new Map([...idle, ['busy', busy]]), seeded());
    for (let n = 1; n <= 100; n++) {
      jest.advanceTimersByTime(interval / 8);
      busy.beat();
    }
    // Who is sent something anyway is sent no heartbeats.
    expect(busy.at).toHaveLength(100);
    const gaps = [...idle.values()].flatMap(gapsOf);
    expect(gaps.length).toBeGreaterThan(500);
    expect(Math.max(...gaps)).toBeLessThan(interval);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.6 * interval);
    heartbeat.end();
    const sent = [...idle.values()].map(({ at }) => at.length);
    jest.advanceTimersByTime(10 * interval);
    expect([...idle.values()].map(({ at }) => at.length)).toEqual(sent);
  });

  it('that a stall has put in step sends to a quarter at most at one time, and is out of step soon', () => {
    const all = connections(1_000);
    new Heartbeat(2_000, all, seeded());
    // As after a stall: nothing has gone out for long.
    for (const one of all.values()) one.lastSent -= 5_000;
    const most = (): number => {
      const counts = new Map<number, number>();
      for (const { at } of all.values()) counts.set(at.at(-1) ?? 0, (counts.get(at.at(-1) ?? 0) ?? 0) + 1);
      return Math.max(...counts.values());
    };
    jest.advanceTimersByTime(500);
    expect([...all.values()].every(({ at }) => at.length === 1)).toBe(true);
    expect(most()).toBe(250);
    jest.advanceTimersByTime(60_000);
    expect(most()).toBeLessThan(120);
  });
});
