/** The list of mutants (npm run test:mutation) cannot rot: what it changes and what it runs is there. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GUARANTEES, occurrences, type NamedTest } from '../mutation/mutant.js';
import { MUTANTS } from '../mutation/mutants.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** A spec with the contracts that it runs, and those that they run. */
function withSupport(path: string, seen = new Set<string>()): string {
  if (seen.has(path)) return '';
  seen.add(path);
  const text = read(path);
  const support = [...text.matchAll(/from '(\.{1,2}\/[^']*spec-support)\.js'/g)].map(([, name = '']) =>
    withSupport(join(dirname(path), `${name}.ts`), seen),
  );
  return [text, ...support].join('\n');
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** Titles as they stand in a source, behind a table too; `$name` and `%s` of a table stand for anything. */
const titlesIn = (text: string): readonly RegExp[] =>
  [...text.matchAll(/(?:\b(?:it|test)|\))\(\s*(['`])(.+?)\1,\s*(?:async\b|\()/gs)].map(([, , title = '']) => {
    const parts = title.split(/\$\w+|%[sjdio]/).map(escaped);
    return new RegExp(`^${parts.join('.+')}$`);
  });

const isThere = ({ path, name }: NamedTest): boolean =>
  existsSync(join(ROOT, path)) && titlesIn(withSupport(path)).some((title) => title.test(name));

describe.each(MUTANTS.map((mutant) => ({ ...mutant })))('mutant: $name', ({ name, changes, tests }) => {
  test('changes what is there once', () => {
    const wrong = changes.filter(({ file, find }) => occurrences(read(file), find) !== 1);
    expect(wrong.map(({ file, find }) => `${name}: in ${file}, not once: ${find}`)).toEqual([]);
    expect(changes.filter(({ find, put }) => find === put)).toEqual([]);
  });

  test('names tests that are there', () => {
    expect(tests.filter((named) => !isThere(named))).toEqual([]);
  });
});

test('mutants have names of their own, and every guarantee has one', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  const broken = new Set<string>(MUTANTS.flatMap(({ breaks }) => [...breaks]));
  expect(GUARANTEES.filter((code) => !broken.has(code))).toEqual([]);
});
