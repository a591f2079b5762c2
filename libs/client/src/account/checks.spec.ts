/** What is typed here is checked before anything is done with it. */
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { displayName, encodeCbor, ProtocolError } from '@0fc/protocol';
import { checkedName, checkedText } from './checks.js';
import { failureOf } from '../contract/errors.js';

const codeOf = (run: () => unknown): string | null => {
  try {
    run();
    return null;
  } catch (error) {
    return failureOf(error).code;
  }
};

describe('a name that is typed', () => {
  test.each([
    ['Amina', 'Amina'],
    ['  Amina   B. ', 'Amina B.'],
    ['Zoé ❤\ufe0f', 'Zoé ❤\ufe0f'],
    ['علی\u200cرضا', 'علی\u200cرضا'],
    ['half \ud800', 'half \ufffd'],
  ])('%j is taken as %j', (typed, taken) => {
    expect(checkedName(typed)).toBe(taken);
  });

  test.each([
    ['', 'NAME_EMPTY'],
    ['   ', 'NAME_EMPTY'],
    ['\u2800', 'NAME_INVISIBLE'],
    ['\u202eanimA', 'NAME_INVISIBLE'],
    ['Ami\u200bna', 'NAME_INVISIBLE'],
    ['Amina\u3164', 'NAME_INVISIBLE'],
    ['Ami\u0007na', 'NAME_INVISIBLE'],
    ['x'.repeat(65), 'NAME_TOO_LONG'],
  ])('%j is refused: %s', (typed, code) => {
    expect(codeOf(() => checkedName(typed))).toBe(code);
  });

  test('is refused by a code, or drawn for everybody as it was typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (typed) => {
        const code = codeOf(() => checkedName(typed));
        if (code !== null) {
          expect(code).toMatch(/^NAME_(EMPTY|INVISIBLE|TOO_LONG)$/);
          return;
        }
        const name = checkedName(typed);
        expect(displayName(name)).toBe(name);
        expect(name.length).toBeLessThanOrEqual(64);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a text that is typed', () => {
  test('has an encoding, whatever it is: no half of a character reaches the outbox', () => {
    expect(checkedText('x\ud800y')).toBe('x\ufffdy');
    expect(codeOf(() => checkedText(' \n'))).toBe('TEXT_EMPTY');
    expect(codeOf(() => checkedText('é'.repeat(8_193)))).toBe('TEXT_TOO_LONG');
    const units = fc.array(fc.nat(0xffff), { minLength: 1 });
    fc.assert(
      fc.property(units, (codes) => {
        const typed = `.${String.fromCharCode(...codes)}`;
        expect(() => encodeCbor(checkedText(typed))).not.toThrow(ProtocolError);
      }),
    );
  });
});
