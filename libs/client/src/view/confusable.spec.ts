/** Names that look the same (docs/protocol.md section 6). */
import { describe, expect, test } from '@jest/globals';
import type { MemberId } from '@0fc/protocol';
import { confusableMembers, skeletonsOf } from './confusable.js';

const person = (letter: string, name: string) => ({ memberId: `${letter.repeat(21)}A` as MemberId, name });
const alike = (a: string, b: string): boolean =>
  confusableMembers([person('A', a), person('B', b)]).size === 2;

describe('names that look alike', () => {
  test.each([
    ['Amina', 'Amina'],
    ['Amina', 'amina'],
    ['Amina', 'Аmina'], // Cyrillic A
    ['Lucie', 'Luсіе'], // Cyrillic c, i, e
    ['Nora', 'Νora'], // Greek Nu
    ['Ilya', 'llya'],
    ['Ilya', '1lya'],
    ['Tom', 'T0m'],
    ['Maryam', 'rnaryarn'],
    ['Zoé', 'Zoe'],
    ['Zoé', 'Zoe\u0301'],
    ['Jonas Weber', 'Jonas\u00a0 Weber'],
    ['Jonas', 'Jo\u200bnas\u2060'],
    ['Jonas', '\u202eJonas'],
    ['Jonas', 'Ｊｏｎａｓ'],
    ['Jonas', '𝐉𝐨𝐧𝐚𝐬'],
    ['Will', 'vvill'],
    ['Amina', 'Amina\u2800'], // a blank of Braille
    ['Amina', 'Ami\u3164na'], // a filler of Hangul
    ['Amina', '\uffa0Amina\u115f'],
    ['Amina', 'Ami\u202ena'],
  ])('%s and %s', (a, b) => {
    expect(alike(a, b)).toBe(true);
  });

  test.each([
    ['Amina', 'Lucie'],
    ['Jonas', 'Jona'],
    ['Amina B.', 'Amina C.'],
    ['سلمى', 'ليلى'],
    ['李', '王'],
    ['', ''],
  ])('%s and %s are told apart', (a, b) => {
    expect(alike(a, b)).toBe(false);
  });

  test('only those who look alike are named', () => {
    const found = confusableMembers([person('A', 'Amina'), person('B', 'Lucie'), person('C', 'Аmina')]);
    expect([...found].sort()).toEqual([person('A', '').memberId, person('C', '').memberId]);
  });

  test('two names of nothing visible are alike too', () => {
    expect([...skeletonsOf('\u200b')]).toEqual(['']);
    expect(alike('\u200b', '\u2060\u00ad')).toBe(true);
  });
});
