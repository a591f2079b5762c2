/**
 * docs/architecture.md has a row for every folder of the sources, and none for a folder that is not there; a row names
 * what its folder imports, and words that stand in it. Its table of rules has each rule over imports, and its row of
 * the hostile suite that suite's folders.
 */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { filesOf } from './citations.js';
import { forbidden } from './rules.mjs';

const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['libs/protocol', 'libs/crypto', 'libs/client', 'apps/relay', 'apps/web'] as const;
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const map = read('docs/architecture.md');

/** What the map says of a package, from its heading to the next. */
function sectionOf(name: string): string {
  const [, after] = map.split(`\n## ${name}\n`);
  if (after === undefined) throw new Error(`no section of ${name}`);
  return after.split('\n## ')[0] ?? '';
}

const SOURCE = /\.(ts|lua)$/;
const isProduct = (path: string): boolean => !/\.(spec|spec-support|d)\.ts$/.test(path);

/** Of a package, from its own folder on: `src/room/log/entry.ts`. */
const productOf = (name: string): readonly string[] =>
  filesOf(ROOT, `${name}/src`)
    .filter(isProduct)
    .map((path) => path.slice(name.length + 1));

/** Folders with code: `src/room/log`, `src/catalogue`. */
const foldersOf = (name: string): readonly string[] => [
  ...new Set(
    productOf(name)
      .filter((path) => SOURCE.test(path))
      .map((path) => dirname(path)),
  ),
];

const quotedIn = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted);

interface Row {
  /** folders, and files that have a row of their own, as they are written */
  readonly names: readonly string[];
  /** by the title of its column; what is in backticks */
  readonly cells: ReadonlyMap<string, readonly string[]>;
}

function rowsOf(section: string): readonly Row[] {
  const [, titles = ''] = /^\| (folder .*) \|$/m.exec(section) ?? [];
  const columns = titles.split(' | ');
  return [...section.matchAll(/^\| (`[^|]*` \| .*) \|$/gm)].map(([, line = '']) => {
    const cells = line.split(' | ').map(quotedIn);
    return { names: cells[0] ?? [], cells: new Map(columns.map((title, at) => [title, cells[at] ?? []])) };
  });
}

/** From the package's folder on, whether it is written so or from `src/` on. */
const placeOf = (name: string): string => (/^src(\/|$)/.test(name) ? name : `src/${name}`);

/** The name in the first column that is nearest to a file; undefined: none has it. */
const nameOf = (rows: readonly Row[], path: string): string | undefined =>
  rows
    .flatMap(({ names }) => names)
    .filter((name) => [path, `${path}.ts`].includes(placeOf(name)) || path.startsWith(`${placeOf(name)}/`))
    .sort((a, b) => placeOf(b).length - placeOf(a).length)[0];

/**
 * What a file imports, as the column names it: `room/log` of its own package, `crypto/keys` of another one. The
 * protocol is everybody's, and what is not of this repository is in the rules.
 */
const importsOf = (name: string, rows: readonly Row[], path: string): readonly string[] =>
  ts.preProcessFile(read(`${name}/${path}`)).importedFiles.flatMap(({ fileName }) => {
    if (fileName.startsWith('.')) {
      const target = join(dirname(path), fileName).replace(/\.js$/, '.ts');
      return [nameOf(rows, target)?.replace(/^src\/(app\/)?/, '') ?? `${target} of no row`];
    }
    const [, door = 'protocol'] = /^@0fc\/(.+)$/.exec(fileName) ?? [];
    return door === 'protocol' ? [] : [door];
  });

/** A name stands in a text as a whole; `…` is for anything. */
function standsIn(text: string, word: string): boolean {
  const parts = word.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return parts.every((part, at) => {
    const before = at === 0 && /^\w/.test(part) ? '(?<!\\w)' : '';
    const after = at === parts.length - 1 && /\w$/.test(part) ? '(?!\\w)' : '';
    return new RegExp(`${before}${part}${after}`).test(text);
  });
}

describe.each(PACKAGES)('the map of %s', (name) => {
  const rows = rowsOf(sectionOf(name));
  const names = rows.flatMap((row) => row.names);
  const folders = foldersOf(name);
  const known = new Set(names.map(placeOf));

  test('has a row for each of its folders', () => {
    expect(folders.length).toBeGreaterThan(0);
    // Shared pieces of one folder, in a folder of their own, are part of its row. So are the files of a folder of
    // folders, which have rows by their names.
    const missing = folders.filter(
      (folder) =>
        !known.has(folder) &&
        !(folder.endsWith('/lib') && known.has(dirname(folder))) &&
        !names.some((row) => row.endsWith('.ts') && dirname(`src/${row}`) === folder),
    );
    expect(missing).toEqual([]);
  });

  test('has rows of what is there only', () => {
    const there = new Set(
      filesOf(ROOT, name)
        .map((path) => path.slice(name.length + 1))
        .flatMap((path) => [path, dirname(path), dirname(dirname(path))]),
    );
    expect(names.filter((row) => !there.has(row) && !there.has(`src/${row}`))).toEqual([]);
  });

  test('names what each folder imports, no more and no less', () => {
    const code = productOf(name).filter((path) => path.endsWith('.ts'));
    const wrong = rows.flatMap((row) => {
      const column = row.cells.get('imports');
      if (column === undefined) return [];
      const real = new Set(
        code
          .filter((path) => row.names.includes(nameOf(rows, path) ?? ''))
          .flatMap((path) => importsOf(name, rows, path))
          .filter((imported) => !row.names.some((own) => own.replace(/^src\/(app\/)?/, '') === imported)),
      );
      const [is, written] = [[...real].sort().join(', '), [...column].sort().join(', ')];
      return is === written ? [] : [{ row: row.names.join(', '), is, written }];
    });
    expect(wrong).toEqual([]);
  });

  test('names words of a folder that stand in it', () => {
    const files = productOf(name).filter((path) => /\.(ts|lua|json|css)$/.test(path));
    const absent = rows.flatMap((row) => {
      const own = files.filter((path) => row.names.includes(nameOf(rows, path) ?? ''));
      const text = own.map((path) => `${path}\n${read(`${name}/${path}`)}`).join('\n');
      const words = row.cells.get('tell-tale words') ?? [];
      return words.filter((word) => !standsIn(text, word)).map((word) => `${row.names.join(', ')}: ${word}`);
    });
    expect(absent).toEqual([]);
  });
});

test('the table of rules over imports has each of them, and no other', () => {
  const [, section = ''] = map.split('\n## Rules that are checked\n');
  const table = section.split('| rules over imports |')[1]?.split('\n\n')[0] ?? '';
  const named = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => quotedIn(cell));
  expect([...named].sort()).toEqual(forbidden.map(({ name }) => name).sort());
});

test('the row of the hostile suite has each of its folders, and no spec lies beside them', () => {
  const [row = ''] = /^\| `test\/hostile` \|.*$/m.exec(map) ?? [];
  const [, ...named] = quotedIn(row);
  const folders = filesOf(ROOT, 'test/hostile')
    .filter((path) => path.endsWith('.ts'))
    .map((path) => path.split('/').slice(2));
  expect(folders.filter(([first = '']) => first.endsWith('.spec.ts'))).toEqual([]);
  const there = new Set(folders.flatMap(([first = '', ...below]) => (below.length === 0 ? [] : [first])));
  expect([...named].sort()).toEqual([...there].sort());
});
