import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCRIPT_NAMES, scripts } from './scripts.js';

const FOLDER = import.meta.dirname;
const luaFiles = (folder: string): string[] => readdirSync(folder).filter((file) => file.endsWith('.lua'));
const commands = luaFiles(FOLDER);
const libraries = luaFiles(join(FOLDER, 'lib')).map((file) => `lib/${file}`);

const listed = (text: string, field: string): string[] =>
  new RegExp(`^-- ${field}: (.+)$`, 'm').exec(text)?.[1]?.split(', ') ?? [];

test('each file is a command of the store, and each command a file', () => {
  const camel = (file: string) =>
    file.replace('.lua', '').replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  expect(commands.map(camel).toSorted()).toEqual([...SCRIPT_NAMES].toSorted());
});

test('each file of lib/ is part of a script, once, behind what it includes', () => {
  const includedBy = Object.values(scripts).map(({ atOnce: { lua } }) =>
    [...lua.matchAll(/^-- from (\S+):\d+$/gm)].map(([, path]) => path),
  );
  for (const paths of includedBy) expect(new Set(paths).size).toBe(paths.length);
  expect([...new Set(includedBy.flat())].toSorted()).toEqual([...commands, ...libraries].toSorted());
  for (const path of libraries) {
    const needed = listed(readFileSync(join(FOLDER, path), 'utf8'), 'include').map((name) => `${name}.lua`);
    for (const paths of includedBy.filter((all) => all.includes(path))) {
      expect(paths.slice(0, paths.indexOf(path))).toEqual(expect.arrayContaining(needed));
    }
  }
});

describe.each([...commands, ...libraries])('%s', (path) => {
  const text = readFileSync(join(FOLDER, path), 'utf8');
  const code = text.replaceAll(/^--.*$/gm, '');

  test('names in its header the keys and limits that it uses, and no others', () => {
    const keys = listed(text, 'keys').map((key) => key.toUpperCase());
    expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(code))).toEqual([]);
    const limits = [...code.matchAll(/\bLIMITS\.(\w+)/g)].map(([, limit]) => limit);
    expect(listed(text, 'limits').toSorted()).toEqual([...new Set(limits)].toSorted());
  });
});
