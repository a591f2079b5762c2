/** What the documents cite exists: a test that was renamed, or a file that moved, is found here. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** `file` “name of a test”, wherever it stands in a document. */
const citations = (text: string): readonly { readonly file: string; readonly name: string }[] =>
  [...text.matchAll(/`([\w./-]+\.spec\.ts)` “([^”]+)”/g)].map(([, file = '', name = '']) => ({ file, name }));

describe.each(['docs/protocol.md', 'docs/threat-model.md'])('%s', (document) => {
  const cited = citations(read(document));

  test('cites tests that are there', () => {
    expect(cited.length).toBeGreaterThan(0);
    const missing = cited.filter(
      ({ file, name }) => !existsSync(join(ROOT, file)) || !read(file).includes(name),
    );
    expect(missing).toEqual([]);
  });
});

test('the seed text has 24 steps, each with its test', () => {
  const text = read('docs/protocol.md');
  const section = text.slice(text.indexOf('## 13.'));
  const steps = [...section.matchAll(/^\| (\d+) \|.*$/gm)];
  expect(steps.map(([, step]) => Number(step))).toEqual(Array.from({ length: 24 }, (_, n) => n + 1));
  for (const [row] of steps) expect(citations(row)).toHaveLength(1);
});
