/** Secrets have kinds that the compiler keeps apart (secrets.ts), at every door that one goes in by. */
import { describe, expect, test } from '@jest/globals';
import { repositoryRoot } from './cruise.js';
import { CASTS, DOORS, KINDS } from './secrets-plants.js';
import { checkSecrets } from './secrets.js';

const report = checkSecrets(repositoryRoot);

describe.each(Object.entries(DOORS))('%s', (door, { takes }) => {
  test.each(KINDS)('as %s', (kind) => {
    const refusal = report.refusal(door, kind);
    if (takes.includes(kind)) expect(refusal).toBeNull();
    else expect(refusal).toMatch(/is not assignable to|is missing in type/);
  });
});

describe('a cast to a secret', () => {
  test.each(Object.keys(CASTS))('is reported: %s', (name) => {
    expect(report.casts.filter(({ planted }) => planted === name)).not.toEqual([]);
  });

  test('is nowhere in the libraries but in the guards', () => {
    expect(report.files).toBeGreaterThan(150);
    expect(report.casts.filter(({ planted }) => planted === null)).toEqual([]);
  });
});
