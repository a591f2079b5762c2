/** What the oracle of the random actors calls a line that was sealed for somebody else, by hand (G18). */
import { describe, expect, test } from '@jest/globals';
import type { MemberId } from '@0fc/protocol';
import { sealedTwice } from './oracle.js';
import type { Opened } from './relay-record.js';

const SETTLED = 10_000;

/** One sealing of a line, handed over so long after its writer has seen it in the log, in milliseconds. */
const sealed = (epoch: number, after: number, within: number | null = null): Opened => ({
  id: 'line',
  sender: 'writer' as MemberId,
  epoch,
  content: { type: 'text', text: 'bonjour' },
  seen: { g: 1, s: 1 },
  time: SETTLED + after,
  within,
});

const judged = (...lines: readonly Opened[]): readonly string[] =>
  sealedTwice(lines, { settled: new Map([['line', SETTLED]]) });

describe('a line of which its writer has seen that the log holds it', () => {
  test.each([
    ['once', [sealed(2, -100)]],
    ['for its own epoch again', [sealed(2, -100), sealed(2, 5_000)]],
    [
      'for the next epoch as well, since the first had ended before the log took it',
      [sealed(2, -200), sealed(3, -100)],
    ],
    ['so, and for the next epoch again', [sealed(2, -200), sealed(3, -100), sealed(3, 5_000)]],
    ['inside a message of the next epoch', [sealed(2, -100), sealed(2, 5_000, 3)]],
  ] as const)('may be sealed %s', (_, lines) => {
    expect(judged(...lines)).toEqual([]);
  });

  test.each([
    ['for an epoch behind its own', [sealed(2, -100), sealed(3, 5_000)]],
    ['for one behind both', [sealed(2, -200), sealed(3, -100), sealed(4, 5_000)]],
    ['inside a message of the epoch after the next', [sealed(2, -100), sealed(2, 5_000, 4)]],
  ] as const)('may not be sealed %s, in whatever order it is read', (_, lines) => {
    expect(judged(...lines)).toHaveLength(1);
    expect(judged(...[...lines].reverse())).toHaveLength(1);
  });
});
