import { beforeEach, describe, expect, test } from '@jest/globals';
import { WaitedReplicas } from './waited-replicas.js';

let now: number;
let told: string[];
let replicas: WaitedReplicas;
beforeEach(() => {
  now = 1_000;
  told = [];
  const news = {
    missing: (fields: object) => told.push(`missing ${JSON.stringify(fields)}`),
    found: (fields: object) => told.push(`found ${JSON.stringify(fields)}`),
  };
  replicas = new WaitedReplicas(2, news, () => now);
});

/** A WAIT as it is made at that primary, and whether it found enough. */
const wait = (count: number | null, { strict = true, primary = 'a' } = {}): boolean =>
  replicas.waited(primary, replicas.waitMs(primary, strict), count);

describe('replicas that are waited for', () => {
  test('are missing from the first WAIT that finds too few to the first that finds enough', () => {
    expect(wait(2)).toBe(true);
    expect(replicas.figures).toEqual({ wanted: 2, missing: false, failures: 0 });
    expect(wait(1)).toBe(false);
    expect(wait(null)).toBe(false);
    expect(replicas.figures).toEqual({ wanted: 2, missing: true, failures: 2 });
    expect(wait(3)).toBe(true);
    expect(replicas.figures).toEqual({ wanted: 2, missing: false, failures: 2 });
    expect(told).toEqual(['missing {"code":"REPLICAS","wanted":2,"primary":"a"}', 'found {"wanted":2}']);
  });

  test('are waited for in full, shortly while they are missing, and in full again after 5 s, however many ask', () => {
    expect([replicas.waitMs('a', true), replicas.waitMs('a', false)]).toEqual([2_000, 500]);
    wait(0);
    for (let n = 0; n < 50; n++) {
      expect([replicas.waitMs('a', true), replicas.waitMs('a', false)]).toEqual([100, 1]);
      // One that is further away than that would never be found by these.
      wait(1, { strict: n % 2 === 0 });
      now += 100;
    }
    now += 1;
    expect([replicas.waitMs('a', true), replicas.waitMs('a', false)]).toEqual([2_000, 500]);
    wait(0, { strict: false });
    // What is written is waited for as long as before: who is slow is there for it.
    expect([replicas.waitMs('a', true), replicas.waitMs('a', false)]).toEqual([2_000, 1]);
    wait(2, { strict: false });
    expect(replicas.waitMs('a', false)).toBe(500);
  });

  test('that answer within the time of a write alone lose no write to the reads beside it', () => {
    const slow = (strict: boolean): boolean => {
      const ms = replicas.waitMs('a', strict);
      return replicas.waited('a', ms, ms > 700 ? 2 : 0);
    };
    for (let n = 0; n < 200; n++) {
      slow(false);
      expect(slow(true)).toBe(true);
      now += 37;
    }
  });

  test('are not missing because a connection was lost', () => {
    expect(wait(null)).toBe(false);
    expect(replicas.figures).toEqual({ wanted: 2, missing: false, failures: 1 });
    expect([told, replicas.waitMs('a', true)]).toEqual([[], 2_000]);
  });

  test('of one primary say nothing of another’s', () => {
    wait(0, { primary: 'a' });
    expect(replicas.waitMs('b', true)).toBe(2_000);
    wait(2, { primary: 'b' });
    expect(replicas.figures.missing).toBe(true);
    wait(0, { primary: 'b' });
    wait(2, { primary: 'a' });
    expect(replicas.figures.missing).toBe(true);
    replicas.keepOnly(new Set(['a', 'c']));
    expect(replicas.figures.missing).toBe(false);
    expect(told).toHaveLength(2);
  });

  test('that a server lacks at the start are told of, and waited for in full', () => {
    replicas.startsWithout('a');
    expect(replicas.figures).toEqual({ wanted: 2, missing: true, failures: 0 });
    expect(told).toHaveLength(1);
    expect(replicas.waitMs('a', true)).toBe(2_000);
    wait(2);
    expect(replicas.figures.missing).toBe(false);
  });
});
