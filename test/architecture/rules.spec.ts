import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cruise, repositoryRoot, type Violation } from './cruise.js';
import { allowed, innocents, plants, writeTree } from './plants.js';
import { forbidden } from './rules.mjs';

const folders = ['libs', 'apps', 'test'] as const;
const ruleNames = forbidden.map((rule) => rule.name);

describe('the repository', () => {
  test('breaks no rule', async () => {
    const { modules, violations } = await cruise(repositoryRoot, folders);
    expect(modules).toBeGreaterThan(10);
    expect(violations.map(({ rule, from, to }) => `${rule}: ${from} -> ${to}`)).toEqual([]);
  });

  test('has an index.ts for each door in the exports, and no other barrel', async () => {
    for (const library of ['protocol', 'crypto', 'client']) {
      const folder = join(repositoryRoot, 'libs', library);
      const { exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
        exports: Record<string, Record<string, string>>;
      };
      const doors = Object.values(exports).map((door) => door['@0fc/source']?.replace('./src/', ''));
      const files = await readdir(join(folder, 'src'), { recursive: true });
      const barrels = files
        .map((file) => file.replaceAll('\\', '/'))
        .filter((file) => /(^|\/)index\.ts$/.test(file));
      expect(doors).toEqual(expect.arrayContaining(barrels));
    }
  });
});

describe('a tree of allowed imports', () => {
  test('is reported for nothing', async () => {
    const root = await writeTree(allowed);
    try {
      const { modules, violations } = await cruise(root, folders);
      expect(modules).toBeGreaterThanOrEqual(Object.keys(allowed).length);
      expect(violations).toEqual([]);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});

describe('a planted violation', () => {
  let root: string;
  let violations: readonly Violation[];

  beforeAll(async () => {
    root = await writeTree(allowed, ...Object.values(plants));
    ({ violations } = await cruise(root, folders));
  });

  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  test('exists for every rule', () => {
    expect(Object.keys(plants).toSorted()).toEqual(ruleNames.toSorted());
  });

  test.each(ruleNames)('of %s is reported by it', (name) => {
    const offenders = Object.keys(plants[name] ?? {}).filter((path) => !innocents.has(path));
    const reported = violations.filter(({ rule }) => rule === name).map(({ from }) => from);
    if (name === 'no-cycles') expect(offenders.some((path) => reported.includes(path))).toBe(true);
    else expect(reported).toEqual(expect.arrayContaining(offenders));
  });
});
