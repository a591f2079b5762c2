import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Heartbeat, type Beating } from './heartbeat.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A connection as the heartbeat sees it: when something went out on it. */
class Sending implements Beating {
  readonly at: number[] = [];
  lastSent = performance.now();

  send(): void {
    this.lastSent = performance.now();
    this.at.push(this.lastSent);
  }

  beat(since: number): void {
    if (this.lastSent <= since) this.send();
  }
}

describe('the heartbeat', () => {
  it.each([500, 2_000, 60_000])('of %d ms leaves no gap that is longer', (pace) => {
    const busy = new Sending();
    const idle = [0, 1, 2].map(() => new Sending());
    const heartbeat = new Heartbeat(pace, () => [busy, ...idle]);
    const begun = performance.now();
    for (let n = 1; n <= 100; n++) {
      jest.advanceTimersByTime(pace / 8);
      busy.send();
    }
    // Who is sent something anyway is sent no beats.
    expect(busy.at).toHaveLength(100);
    for (const { at } of idle) {
      const gaps = at.map((time, n) => time - (at[n - 1] ?? begun));
      expect(Math.max(...gaps)).toBeLessThan(pace);
      // And none much sooner than it is due.
      expect(Math.min(...gaps)).toBeGreaterThan(0.85 * pace);
    }
    heartbeat.end();
    const [sent] = idle.map(({ at }) => at.length);
    jest.advanceTimersByTime(10 * pace);
    expect(idle[0]?.at).toHaveLength(sent ?? -1);
  });
});
