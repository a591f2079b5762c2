import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import { TRANSLOCO_TRANSPILER } from '@jsverse/transloco';
import fc from 'fast-check';

import { provideApp } from '../../../test-support/render';
import { I18n } from './i18n';
import { LANGUAGES, Preferences } from './preferences';
import { TRANSLATIONS } from './translations';

type Tree = { readonly [key: string]: string | Tree };

const flat = (tree: Tree, prefix = ''): readonly (readonly [string, string])[] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value] as const] : flat(value, `${prefix}${key}.`),
  );

/** A sentence is its own words and the blanks between them, in turn. */
const cut = (sentence: string): readonly string[] => sentence.split(/\{\{(\w+)\}\}/);

/** What an interpreter of templates, of replacements or of objects would read in somebody's text. */
const BAIT = [
  '{{common.you}}', '{{name}}', '{{text}}', '{{ user.name }}', '{{member}}', '{{actor}}', '{{sender}}', '{{count}}',
  '{{a{{b}}c}}', '{{', '}}', '{{}}', '$&', '$1', '$$', '$`', "$'", '$<name>', '__proto__', 'constructor', 'toString',
  '{{__proto__}}', '{{constructor}}', '${name}', '<b>x</b>', '\\', '\u2068', '\u2069',
]; // prettier-ignore
const names = [...new Set(LANGUAGES.flatMap((language) => flat(TRANSLATIONS[language]).flatMap(([, text]) => cut(text).filter((_part, at) => at % 2 === 1))))]; // prettier-ignore
const anyText = fc.oneof(
  fc.constantFrom(...BAIT, ...names.map((name) => `{{${name}}}`)),
  fc.array(fc.oneof(fc.constantFrom(...BAIT), fc.string({ unit: 'binary', maxLength: 4 }))).map((parts) => parts.join('')),
); // prettier-ignore

// The first failure ends a run: to shrink it, a translation that reads values again would run without end.
const runs = (numRuns: number) => ({ numRuns, endOnFailure: true });

describe('a value that is put into a sentence', () => {
  it.each(LANGUAGES)('is put in once, whole, and never read again: every sentence in %s', (language) => {
    provideApp('empty');
    TestBed.inject(Preferences).chooseLanguage(language);
    const i18n = TestBed.inject(I18n);
    for (const [key, sentence] of flat(TRANSLATIONS[language])) {
      const parts = cut(sentence);
      fc.assert(
        fc.property(fc.array(anyText, { minLength: parts.length, maxLength: parts.length }), (texts) => {
          const params = Object.fromEntries(parts.flatMap((name, at) => (at % 2 === 1 ? [[name, texts[at] ?? '']] : []))); // prettier-ignore
          const wanted = parts.map((part, at) => (at % 2 === 1 ? (params[part] ?? '') : part)).join('');
          expect([key, i18n.t(key, params)]).toEqual([key, wanted]);
        }),
        { ...runs(25), examples: BAIT.map((bait) => [parts.map(() => bait)]) },
      );
    }
  });

  it('stands out whole where a sentence is cut at its names, whatever is in it', () => {
    provideApp('empty');
    const i18n = TestBed.inject(I18n);
    fc.assert(
      fc.property(anyText, anyText, (member, actor) => {
        const parts = i18n.parts('room.system.admitted', { member, actor });
        const bare = (text: string): string => text.replace(/[\u2066-\u2069\u202a-\u202e]/g, '');
        expect(parts.filter(({ strong }) => strong).map(({ text }) => text)).toEqual(
          [bare(member), bare(actor)].filter((text) => text !== ''),
        );
        expect(parts.map(({ text }) => text).join('')).toBe(`${bare(member)} admitted by ${bare(actor)}`);
      }),
      runs(500),
    );
  });

  it('is an own one: what every object has is none, and a blank without a value stays empty', () => {
    provideApp('empty');
    const i18n = TestBed.inject(I18n);
    expect(i18n.t('home.last', { text: 'x' })).toBe(': x');
    const params = Object.create({ sender: 'inherited' }) as Record<string, string>;
    const value = '{{sender}}{{constructor}}{{toString}}{{__proto__}}';
    const transpiler = TestBed.inject(TRANSLOCO_TRANSPILER);
    expect(transpiler.transpile({ value, params, translation: {}, key: 'x' })).toBe('');
    expect(i18n.has('constructor')).toBe(false);
    expect(i18n.has('toString')).toBe(false);
  });
});
