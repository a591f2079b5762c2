/** Only room/state writes room state (room-state.ts): over the repository, and over writes that are planted. */
import { describe, expect, test } from '@jest/globals';
import { repositoryRoot } from './cruise.js';
import { checkRoomState } from './room-state.js';
import { CASTS, CHANGES, filesOf, MENTIONS, READS } from './room-state-plants.js';

const kinds = [
  { kind: 'changes', says: 'changes room state', files: filesOf(CHANGES, 'changes') },
  { kind: 'casts', says: 'casts readonly away', files: filesOf(CASTS, 'casts') },
  { kind: 'mentions', says: 'mentions', files: filesOf(MENTIONS, 'mentions') },
];
const reads = filesOf(READS, 'reads');
const planted = new Map(
  [...kinds.map(({ files }) => files), reads]
    .flatMap((files) => [...files.values()])
    .map(({ path, text }) => [path, text]),
);
const report = checkRoomState(repositoryRoot, Object.fromEntries(planted));
const findingsIn = (path = ''): readonly string[] =>
  report.findings.filter(({ file }) => file === path).map(({ what }) => what);

describe.each(kinds)('what is planted and $kind', ({ says, files }) => {
  test.each([...files.keys()])('is reported: %s', (name) => {
    expect(findingsIn(files.get(name)?.path)).toEqual(
      expect.arrayContaining([expect.stringContaining(says)]),
    );
  });
});

describe('what is planted and only reads', () => {
  test.each([...reads.keys()])('is let pass: %s', (name) => {
    expect(findingsIn(reads.get(name)?.path)).toEqual([]);
  });
});

describe('the repository', () => {
  test('writes room state in room/state alone', () => {
    expect(report.files).toBeGreaterThan(planted.size + 50);
    expect(report.findings.filter(({ file }) => !planted.has(file))).toEqual([]);
  });

  test('has what writes told from what reads', () => {
    const writing = [
      'applyChange',
      'Log.put',
      'Table.set',
      'Writes.slice',
      'LayeredMap.delete',
      'RoomState.write',
    ];
    expect(report.writers).toEqual(expect.arrayContaining(writing));
    const reading = /^(RoomSnapshot|LogView|Walkable)\.|^(loadCore|encodeRecord|countedIn|set|append)$/;
    expect(report.writers.filter((name) => reading.test(name))).toEqual([]);
  });
});
