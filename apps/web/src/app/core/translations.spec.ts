import { describe, expect, it } from '@jest/globals';
import { ALARM_CODES, ERROR_CODES } from '@0fc/protocol';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { PAGE_CODES } from './page-codes';
import { TRANSLATIONS } from './translations';

type Tree = { readonly [key: string]: string | Tree };

function flat(tree: Tree, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string' ? [[prefix + key, value] as const] : [...flat(value, `${prefix}${key}.`)],
    ),
  );
}

const languages = { en: flat(TRANSLATIONS.en), fr: flat(TRANSLATIONS.fr) };
const blanks = (text: string): string[] => [...new Set(text.match(/\{\{\w+\}\}/g) ?? [])].sort();

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') && !path.endsWith('.spec.ts') ? [readFileSync(path, 'utf8')] : [];
  });
}

describe('the sentences', () => {
  it('are the same set in both languages, none empty', () => {
    expect([...languages.fr.keys()].sort()).toEqual([...languages.en.keys()].sort());
    for (const texts of Object.values(languages))
      expect([...texts.values()].filter((text) => text.trim() === '')).toEqual([]);
  });

  it('take the same values in both languages', () => {
    for (const [key, text] of languages.en)
      expect([key, blanks(languages.fr.get(key) ?? '')]).toEqual([key, blanks(text)]);
  });

  it('keep French punctuation with its word', () => {
    const loose = [...languages.fr.values()].filter((text) => /\u0020[:;?!»]|«\u0020/.test(text));
    expect(loose).toEqual([]);
  });

  it('keep the thousands of a French number together', () => {
    const loose = [...languages.fr.values()].filter((text) => /\d\u0020\d{3}/.test(text));
    expect(loose).toEqual([]);
  });

  it('explain every error and every alarm', () => {
    const wanted = [
      ...Object.keys({ ...ERROR_CODES, ...PAGE_CODES }).map((code) => `errors.${code}`),
      ...Object.keys(ALARM_CODES).flatMap((code) => [`alarms.${code}.title`, `alarms.${code}.text`]),
    ];
    expect(wanted.filter((key) => !languages.en.has(key))).toEqual([]);
  });

  it('explain no code that does not exist', () => {
    const known = new Set<string>([
      ...Object.keys({ ...ERROR_CODES, ...PAGE_CODES, ...ALARM_CODES }),
      'UNKNOWN',
    ]);
    const explained = [...Object.keys(TRANSLATIONS.en.errors), ...Object.keys(TRANSLATIONS.en.alarms)];
    expect(explained.filter((code) => !known.has(code))).toEqual([]);
  });

  it('exist for every key that the code names', () => {
    const code = sources(join(dirname(expect.getState().testPath ?? ''), '..')).join('\n');
    const areas = Object.keys(TRANSLATIONS.en).join('|');
    const named = [...code.matchAll(new RegExp(`['\`]((?:${areas})\\.[\\w.]+)['\`]`, 'g'))].map(
      ([, key = '']) => key,
    );
    const exists = (key: string): boolean =>
      languages.en.has(key) || ['other', 'title'].some((end) => languages.en.has(`${key}.${end}`));
    // A key that ends in a dot, or that more is added to, is the beginning of several.
    const whole = named.filter((key) => !key.endsWith('.'));
    expect(whole.filter((key) => !exists(key))).toEqual([]);
  });
});
