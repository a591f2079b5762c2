/** Times of somebody else's (docs/protocol.md section 2): any number, never thrown at. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { clampTime, TIMES } from './times.js';

describe('a time that is shown or computed with', () => {
  it('lies between 2020 and 2100, whatever number it comes from', () => {
    expect(new Date(TIMES.earliest).toISOString()).toBe('2020-01-01T00:00:00.000Z');
    expect(new Date(TIMES.latest).toISOString()).toBe('2100-01-01T00:00:00.000Z');
    const extreme = [2 ** 53 - 1, -(2 ** 53), 8.64e15, 8.64e15 + 1, Infinity, -Infinity, NaN, 0, -0, -1];
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...extreme), fc.double(), fc.maxSafeInteger()), (ms) => {
        const shown = clampTime(ms);
        expect(shown).toBeGreaterThanOrEqual(TIMES.earliest);
        expect(shown).toBeLessThanOrEqual(TIMES.latest);
        expect(() => new Date(shown).toISOString()).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });

  it('is left as it is in between', () => {
    fc.assert(
      fc.property(fc.integer({ min: TIMES.earliest, max: TIMES.latest }), (ms) => {
        expect(clampTime(ms)).toBe(ms);
      }),
    );
  });
});
