/** Only room/outgoing sends (requests.ts): over the repository, and over requests that are planted. */
import { describe, expect, test } from '@jest/globals';
import { repositoryRoot } from './cruise.js';
import { checkRequests } from './requests.js';
import { filesOf, KEEPS, SENDS } from './requests-plants.js';

const sends = filesOf(SENDS, 'sends');
const keeps = filesOf(KEEPS, 'keeps');
const planted = new Map([...sends.values(), ...keeps.values()].map(({ path, text }) => [path, text]));
const report = checkRequests(repositoryRoot, Object.fromEntries(planted));
const findingsIn = (path = ''): readonly string[] =>
  report.findings.filter(({ file }) => file === path).map(({ what }) => what);

describe('what is planted and sends', () => {
  test.each([...sends.keys()])('is reported: %s', (name) => {
    expect(findingsIn(sends.get(name)?.path)).not.toEqual([]);
  });
});

describe('what is planted and does not send', () => {
  test.each([...keeps.keys()])('is let pass: %s', (name) => {
    expect(findingsIn(keeps.get(name)?.path)).toEqual([]);
  });
});

describe('the repository', () => {
  test('sends in room/outgoing alone', () => {
    expect(report.files).toBeGreaterThan(planted.size + 50);
    expect(report.findings.filter(({ file }) => !planted.has(file))).toEqual([]);
  });
});
