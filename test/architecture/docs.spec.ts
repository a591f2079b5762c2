/** What documents and comments cite exists: a test that was renamed, a file that moved, a section that went. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../../libs/client/src/node/member/command-table.js';
import { SETTINGS } from '../../apps/relay/src/config/settings.js';
import { citedOf, filesOf, missingIn, proseOf, type Text } from './citations.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const cited = citedOf(ROOT);

/** `file` “name of a test”, wherever it stands in a document. */
const citations = (text: string): readonly { readonly file: string; readonly name: string }[] =>
  [...text.matchAll(/`([\w./-]+\.spec\.ts)` “([^”]+)”/g)].map(([, file = '', name = '']) => ({
    file,
    name: name.replace(/\s+/g, ' '),
  }));

/** Those that say “name of a test” as their proof. */
const PROVEN = filesOf(ROOT).filter((path) => path.endsWith('.md') && citations(read(path)).length > 0);

test('documents name tests as their proof', () => {
  expect(PROVEN).toEqual(expect.arrayContaining(['docs/protocol.md', 'docs/threat-model.md']));
});

describe.each(PROVEN)('%s', (document) => {
  test('cites tests that are there', () => {
    const missing = citations(read(document)).filter(
      ({ file, name }) => !existsSync(join(ROOT, file)) || !read(file).includes(name),
    );
    expect(missing).toEqual([]);
  });
});

test('the seed text has 24 steps, each with its test', () => {
  const text = read('docs/protocol.md');
  const section = text.slice(text.indexOf('## 13.'), text.indexOf('## 14.'));
  const steps = [...section.matchAll(/^\| (\d+) \|.*$/gm)];
  expect(steps.map(([, step]) => Number(step))).toEqual(Array.from({ length: 24 }, (_, n) => n + 1));
  for (const [row] of steps) expect(citations(row)).toHaveLength(1);
});

test('the weaknesses W1 to W15 are defined, and each that a test names is one of them', () => {
  const text = read('docs/protocol.md');
  const section = text.slice(text.indexOf('## 14.'));
  const defined = [...section.matchAll(/^\| W(\d+) \|/gm)].map(([, number]) => Number(number));
  expect(defined).toEqual(Array.from({ length: 15 }, (_, n) => n + 1));
  const named = filesOf(ROOT, 'test/hostile')
    .flatMap((path) => read(path).match(/\bW\d+\b/g) ?? [])
    .map((name) => Number(name.slice(1)));
  expect([...new Set(named)].sort((a, b) => a - b)).toEqual(defined);
});

test('no line of a sequence diagram has a semicolon, which would end it for mermaid', () => {
  const diagrams = filesOf(ROOT)
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => [...read(path).matchAll(/^```mermaid\nsequenceDiagram\n[\s\S]*?^```$/gm)])
    .map(([diagram]) => diagram);
  expect(diagrams.length).toBeGreaterThan(0);
  expect(diagrams.flatMap((diagram) => diagram.match(/^.*;.*$/gm) ?? [])).toEqual([]);
});

test.each([
  ['setting of the relay', 'docs/operations.md', Object.keys(SETTINGS)],
  ['command of a member without a screen', 'docs/member.md', COMMANDS.map(({ name }) => name)],
])('every %s stands in %s', (_what, document, names) => {
  const text = read(document);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

describe('what documents and comments cite', () => {
  const texts = filesOf(ROOT)
    .map((path): Text => ({ path, text: proseOf({ path, text: '' }) === null ? '' : read(path) }))
    .filter(({ text }) => text !== '');

  test('exists: paths, files, sections, decisions, scripts, settings and codes', () => {
    expect(texts.length).toBeGreaterThan(500);
    const missing = texts.flatMap((text) => missingIn(text, cited).map((what) => `${text.path}: ${what}`));
    expect(missing).toEqual([]);
  });

  /** Put together here: a name that stood in this file would stand in a source. */
  const NOWHERE = ['NO', 'SUCH', 'SETTING'].join('_');

  test.each([
    ['a path', 'docs/a.md', 'as in libs/client/src/room/gone.ts', 'libs/client/src/room/gone.ts'],
    ['a folder', 'docs/a.md', 'all of `apps/relay/src/nothing`', 'apps/relay/src/nothing'],
    ['one of several paths', 'docs/a.md', '`test/{e2e,gone}`', 'test/gone'],
    ['a file by its name', 'libs/a.ts', '// See gone-away.ts.', 'gone-away.ts'],
    ['a link', 'docs/a.md', '[so](gone.md)', 'gone.md'],
    ['a heading', 'docs/a.md', '[so](protocol.md#gone)', 'protocol.md#gone'],
    ['a section', 'libs/a.ts', '// (docs/protocol.md section 99)', 'section 99 (a.ts)'],
    [
      'a section over two lines',
      'libs/a.ts',
      '/**\n * see sections 4\n * and 99\n */',
      'sections 4 and 99 (a.ts)',
    ],
    ['a title', 'libs/a.lua', '-- section 6, "No such"', 'section 6, "No such" (a.lua)'],
    ['a decision', 'docs/a.md', 'decision 9999', '9999'],
    ['a script', 'tools/a.mjs', '// npm run gone', 'npm run gone'],
    ['a stage', 'README.md', 'npm test -- unit gone', 'stage gone'],
    ['a setting', 'docs/a.md', `set \`${NOWHERE}=1\``, NOWHERE],
  ])('is missed where it is not there: %s', (_what, path, text, missing) => {
    expect(missingIn({ path, text }, cited)).toContain(missing);
  });

  test.each([
    [
      'docs/a.md',
      '`libs/client/src/room/{log,state}`, docs/decisions/0014, section 5.8, `npm test -- unit e2e`',
    ],
    ['docs/a.md', '[goal](protocol.md#8-history-seed-text-historique-du-chat) `MAX_MEMBERS=5` `ALARM_GAP`'],
    ['libs/a.ts', "const path = 'libs/gone/src'; // room/outgoing/lane.ts"],
  ])('is not missed where it is there: %s', (path, text) => {
    expect(missingIn({ path, text }, cited)).toEqual([]);
  });
});
