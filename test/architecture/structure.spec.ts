/** Folders and their floors (structure.ts): over a small house, with each fault planted. */
import { describe, expect, test } from '@jest/globals';
import { planOf, shown, sound, type House } from './structure.js';

const HOUSE: House = {
  root: 'src',
  floors: [['ground'], ['left', 'right'], ['.']],
  most: { arrows: 3, crossings: 4 },
};
const FILES = ['src/main.ts', 'src/left/a.ts', 'src/left/b.ts', 'src/right/c.ts', 'src/ground/d.ts'];
const DOWN = [
  { from: 'src/main.ts', to: 'src/left/a.ts' },
  { from: 'src/main.ts', to: 'src/right/c.ts' },
  { from: 'src/left/a.ts', to: 'src/left/b.ts' },
  { from: 'src/left/a.ts', to: 'src/ground/d.ts' },
  { from: 'src/left/b.ts', to: 'src/ground/d.ts' },
];

describe('a sound house', () => {
  test('is counted: files, arrows once each, imports that cross', () => {
    const plan = planOf(
      HOUSE,
      [...FILES, 'src/left/a.spec.ts', 'other/e.ts'],
      [...DOWN, { from: 'src/ground/d.spec.ts', to: 'src/main.ts' }],
    );
    expect(sound(plan)).toBe(true);
    expect(Object.fromEntries(plan.files)).toEqual({ '.': 1, left: 2, right: 1, ground: 1 });
    expect(plan.arrows).toEqual(['. -> left', '. -> right', 'left -> ground']);
    expect(plan.crossings).toBe(4);
    expect(shown(plan)).toContain(
      '3 arrows (at most 3), 4 imports that cross a folder (at most 4), 0 upward, 0 circles',
    );
  });
});

describe('a fault', () => {
  test.each([
    ['an arrow upward', { from: 'src/ground/d.ts', to: 'src/right/c.ts' }, { upward: ['ground -> right'] }],
    [
      'an arrow to the same floor',
      { from: 'src/left/a.ts', to: 'src/right/c.ts' },
      { upward: ['left -> right'] },
    ],
  ])('is found: %s', (_, fault, found) => {
    const plan = planOf(HOUSE, FILES, [...DOWN, fault]);
    expect(plan).toMatchObject(found);
    expect(sound(plan)).toBe(false);
  });

  test('is found: a circle of three', () => {
    const ways = [
      { from: 'src/left/a.ts', to: 'src/right/c.ts' },
      { from: 'src/right/c.ts', to: 'src/ground/d.ts' },
      { from: 'src/ground/d.ts', to: 'src/left/a.ts' },
    ];
    const { circles } = planOf(HOUSE, FILES, ways);
    expect(circles).toHaveLength(3);
  });

  test('is found: an arrow, or an import across folders, more than there may be', () => {
    const plan = planOf(HOUSE, FILES, DOWN);
    expect(sound({ ...plan, most: { arrows: 2, crossings: 4 } })).toBe(false);
    expect(sound({ ...plan, most: { arrows: 3, crossings: 3 } })).toBe(false);
  });

  test('is found: a folder on no floor, and a floor without a folder', () => {
    const { undeclared } = planOf(
      HOUSE,
      ['src/main.ts', 'src/left/a.ts', 'src/ground/d.ts', 'src/new/e.ts'],
      [],
    );
    expect(undeclared).toEqual(['new', 'right']);
  });
});
