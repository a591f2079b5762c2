/** The threat model's table is what the hostile suite's tests are called: a test that was renamed or is new is found here. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  attacksInSources,
  CODES,
  differences,
  DOCUMENT,
  tableIn,
  tableOf,
  withTable,
} from '../../tools/support/hostile-table.mjs';

const attacks = attacksInSources();
const text = readFileSync(DOCUMENT, 'utf8');

describe('the table of attacks', () => {
  test('has the tests of the hostile suite, each held (npm run hostile -- --write)', () => {
    expect(
      differences(
        tableIn(text),
        tableOf(attacks, () => 'held'),
      ),
    ).toEqual([]);
  });

  test('has each guarantee and each weakness', () => {
    expect(CODES.filter((code) => !attacks.some(({ codes }) => codes.includes(code)))).toEqual([]);
  });

  test('shows what is missing and what is stale', () => {
    const [first, ...others] = attacks;
    const without = tableOf(others, () => 'held');
    const due = tableOf([first!], () => 'held')
      .split('\n')
      .slice(2);
    expect(differences(tableIn(withTable(text, without)), tableIn(text))).toEqual(
      due.map((line) => `+ ${line}`),
    );
    expect(differences(tableIn(text), without)).toEqual(due.map((line) => `- ${line}`));
    expect(() => tableIn('no markers')).toThrow('markers');
  });
});
