/** docs/architecture.md has a row for every folder of the sources, and none for a folder that is not there. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesOf } from './citations.js';

const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['libs/protocol', 'libs/crypto', 'libs/client', 'apps/relay', 'apps/web'] as const;
const map = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');

/** What the map says of a package, from its heading to the next. */
function sectionOf(name: string): string {
  const [, after] = map.split(`\n## ${name}\n`);
  if (after === undefined) throw new Error(`no section of ${name}`);
  return after.split('\n## ')[0] ?? '';
}

/** Folders with code, as the rows name them: `room/log`, `src/catalogue`. */
const foldersOf = (name: string): readonly string[] => [
  ...new Set(
    filesOf(ROOT, `${name}/src`)
      .filter((path) => /\.(ts|lua)$/.test(path) && !/\.(spec|spec-support|d)\.ts$/.test(path))
      .map((path) => dirname(path).slice(name.length + 1)),
  ),
];

/** First cells of the rows: what each is about. */
const rowsOf = (section: string): readonly string[] =>
  [...section.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, folder = '']) => folder),
  );

describe.each(PACKAGES)('the map of %s', (name) => {
  const rows = rowsOf(sectionOf(name));
  const folders = foldersOf(name);
  const known = new Set([...rows, ...rows.map((row) => `src/${row}`)]);

  test('has a row for each of its folders', () => {
    expect(folders.length).toBeGreaterThan(0);
    // Shared pieces of one folder, in a folder of their own, are part of its row. So are the files of a folder of
    // folders, which have rows by their names.
    const missing = folders.filter(
      (folder) =>
        !known.has(folder) &&
        !(folder.endsWith('/lib') && known.has(dirname(folder))) &&
        !rows.some((row) => row.endsWith('.ts') && dirname(`src/${row}`) === folder),
    );
    expect(missing).toEqual([]);
  });

  test('has rows of what is there only', () => {
    const there = new Set(
      filesOf(ROOT, name)
        .map((path) => path.slice(name.length + 1))
        .flatMap((path) => [path, dirname(path), dirname(dirname(path))]),
    );
    expect(rows.filter((row) => !there.has(row) && !there.has(`src/${row}`))).toEqual([]);
  });
});
