import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import fc from 'fast-check';

import { provideApp } from '../../../test-support/render';
import { rowsOf } from '../features/room/rows';
import { groupedFingerprint } from '../ui/fingerprint';
import { monogram, tintOf } from '../ui/avatar';
import { firstSign } from '../features/room/reaction-picker';
import { isolated, named } from './names';
import { wholeOf } from '../features/members/room-settings';
import { groupedDigits } from '../ui/safety-number';
import { tokensOf } from '../ui/rich-text';
import { message } from '../../../test-support/fake-data';
import { Format } from './format';
import { I18n } from './i18n';
import { LANGUAGES, Preferences } from './preferences';
import { firstUnread, mergeTimeline } from './timeline';

const EARLIEST = Date.UTC(2020, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
const extreme = [2 ** 53 - 1, -(2 ** 53), 8.64e15, 8.64e15 + 1, Infinity, -Infinity, NaN, -1, -0, 0, 1e300];
const anyNumber = fc.oneof(fc.constantFrom(...extreme), fc.double(), fc.maxSafeInteger());
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('http://', 'https://[', 'mailto:', 'http://%', '\ud800', '((((', 'http://x'.repeat(50)),
);

describe('formatters', () => {
  it.each(LANGUAGES)('take any number for a time, show what lies in 2020–2100, and never throw (%s)', (language) => {
    provideApp('empty');
    TestBed.inject(Preferences).chooseLanguage(language);
    const format = TestBed.inject(Format);
    fc.assert(
      fc.property(anyNumber, anyNumber, (time, now) => {
        const shown = [
          format.time(time),
          format.seconds(time),
          format.day(time),
          format.short(time, now),
          format.moment(time, now),
          format.relative(time, now),
          format.bytes(time),
        ];
        for (const text of shown) expect(text).not.toBe('');
        const iso = Date.parse(format.iso(time));
        expect(iso).toBeGreaterThanOrEqual(EARLIEST);
        expect(iso).toBeLessThanOrEqual(LATEST);
        expect(format.sameDay(time, time)).toBe(true);
        expect(typeof format.sameDay(time, now)).toBe('boolean');
      }),
      { numRuns: 500 },
    );
  }); // prettier-ignore

  it('take any number for a count', () => {
    provideApp('empty');
    const i18n = TestBed.inject(I18n);
    fc.assert(
      fc.property(anyNumber, (count) => {
        expect(i18n.number(count)).not.toBe('');
        expect(i18n.count('home.unread', count)).toContain('unread');
      }),
    );
  });

  it('take any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokensOf(text).map((token) => token.text).join('')).toBe(text);
        for (const { href } of tokensOf(text)) if (href !== null) expect(href).toMatch(/^(https?:\/\/|mailto:)/i);
        expect(text.startsWith(firstSign(text)) || text.trim().startsWith(firstSign(text))).toBe(true);
        expect(monogram(text)).not.toBe('');
        expect([1, 2, 3, 4, 5, 6]).toContain(tintOf(text));
        for (const shown of [groupedFingerprint(text), groupedDigits(text), isolated(text), named(text, 'none')])
          expect(typeof shown).toBe('string');
        expect(wholeOf(text, 1, 9) ?? 1).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  }); // prettier-ignore

  it('make links of a text as long as a message may be in no time, however it is built', () => {
    const pieces = ['http://', 'http://a', '(', ')', '[', 'mailto:', 'a@', '//', 'http://a.b/?', '!', '"', "'", '.', '*', '%', 'http://1.'];
    for (const piece of [...pieces, ...pieces.map((one) => `${one}http://x/`)]) {
      const begun = performance.now();
      tokensOf(piece.repeat(Math.ceil(16_384 / piece.length)).slice(0, 16_384));
      expect([piece, performance.now() - begun < 2_000]).toEqual([piece, true]);
    }
  }); // prettier-ignore

  it('order and part a conversation of any times', () => {
    provideApp('empty');
    const format = TestBed.inject(Format);
    fc.assert(
      fc.property(fc.array(anyNumber, { maxLength: 8 }), (times) => {
        const items = times.map((time, at) => message(`m${String(at)}`, at, time, 1, 'x'));
        const change = { type: 'timeline', roomId: 'r', reset: true, items, removed: [] } as const;
        const merged = mergeTimeline([], change);
        expect(merged).toHaveLength(items.length);
        const rows = rowsOf(merged, firstUnread(merged, 0), (a, b) => format.sameDay(a, b));
        expect(rows.filter(({ kind }) => kind === 'message')).toHaveLength(items.length);
      }),
    );
  });
});
