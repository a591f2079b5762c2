import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CATALOGUE } from './catalogue.js';
import { catalogueSection } from './table.js';

describe('docs/protocol.md', () => {
  test('holds the tables of the catalogue as it is (npm run docs writes them)', async () => {
    const text = await readFile(join(import.meta.dirname, '../../../docs/protocol.md'), 'utf8');
    expect(text).toContain(catalogueSection());
  });

  test('names every message', () => {
    for (const kind of Object.keys(CATALOGUE)) expect(catalogueSection()).toContain(`\`${kind}\``);
  });
});
