/** Other people's text: what may be sealed, and what may be drawn as a name (docs/protocol.md section 6). */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { displayName, wellFormed } from './text.js';
import { utf8 } from './bytes.js';

/** Any string that JavaScript can hold, lone surrogates included; half of them made of what names abuse. */
const hidden = [
  '\u200b', '\u200c', '\u200d', '\u2060', '\u00ad', '\ufeff', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066',
  '\u2067', '\u2068', '\u2069', '\u200e', '\u200f', '\u061c', '\u0000', '\u001b', '\u007f', '\u009b', '\u2800', '\u3164',
  '\u115f', '\u1160', '\uffa0', '\u034f', '\u180e', '\ufe0e', '\ufe0f', '\u{e0100}', '\u{e0041}', '\ufff9', '\ufffc',
  '\u{1d159}', '\uffff', '\u206a',
]; // prettier-ignore
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff).map((unit) => String.fromCharCode(unit))).map((units) => units.join('')),
  fc
    .array(
      fc.constantFrom(
        ...hidden,
        'A',
        'é',
        'ن',
        'क',
        '\u094d',
        '\u0301',
        '❤',
        '👩',
        '\u{1f3fd}',
        ' ',
        '\ud83d',
        '\udc00',
      ),
    )
    .map((units) => units.join('')),
);

/** A joiner is left only where it shapes what is seen: in an emoji, between Arabic letters, after a virama. */
const SHAPING =
  /(?<=\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?)\u200d(?=\p{Extended_Pictographic})|(?<=\p{Extended_Pictographic})\ufe0f|(?<=\p{sc=Arab})[\u200c\u200d](?=\p{sc=Arab})|(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])[\u200c\u200d]/gu;

describe('well-formed text', () => {
  it('is any text with U+FFFD for each half of a character, and has an encoding', () => {
    expect(wellFormed('x\ud800y')).toBe('x\ufffdy');
    expect(wellFormed('\udc00\ud83d\ude00')).toBe('\ufffd\u{1f600}');
    fc.assert(
      fc.property(anyText, (text) => {
        const whole = wellFormed(text);
        expect(whole.isWellFormed()).toBe(true);
        expect(whole).toHaveLength(text.length);
        expect(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(utf8(whole))).toBe(whole);
        if (text.isWellFormed()) expect(whole).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a name as it is drawn', () => {
  it.each([
    ['Amina', 'Amina'],
    ['  Amina \t\n Belkacem\u00a0', 'Amina Belkacem'],
    ['\u202eanimA', 'animA'],
    ['Ami\u200bna\u2060', 'Amina'],
    ['Amina\u2800', 'Amina'],
    ['Amina\u3164', 'Amina'],
    ['\uffa0A\u115fm\u1160ina', 'Amina'],
    ['A\ufeffmina', 'Amina'],
    ['\u0301Amina', 'Amina'],
    ['Zoe\u0301', 'Zoe\u0301'],
    ['x\ud800y', 'x\ufffdy'],
    ['Nora\u009b31m', 'Nora31m'],
    ['line\u2028two\u0085three', 'line two three'],
    // What joiners are for stays: emoji, Persian, Devanagari.
    ['Zoé ❤\ufe0f', 'Zoé ❤\ufe0f'],
    ['\u{1f469}\u{1f3fd}\u200d\u{1f4bb} Ola', '\u{1f469}\u{1f3fd}\u200d\u{1f4bb} Ola'],
    ['علی\u200cرضا', 'علی\u200cرضا'],
    ['क\u094d\u200dष', 'क\u094d\u200dष'],
    // And nowhere else.
    ['Ola\ufe0f\u200d\u200c', 'Ola'],
  ])('%j is %j', (raw, shown) => {
    expect(displayName(raw)).toBe(shown);
  });

  it.each(['', ' ', '\u2800', '\u3164\u3164', '\u200b\u202e', '\u0301', '\u115f\u1160\uffa0', '\u0000', '\u{e0041}'])(
    '%j is nothing',
    (raw) => {
      expect(displayName(raw)).toBe('');
    },
  ); // prettier-ignore

  it('holds nothing that is not seen or that turns what stands beside it, whatever the name', () => {
    fc.assert(
      fc.property(anyText, (raw) => {
        const shown = displayName(raw);
        expect(displayName(shown)).toBe(shown);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown.replace(SHAPING, '')).not.toMatch(
          /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\ufffc]/u,
        );
        expect(shown).not.toMatch(/^[\s\p{M}]|\s$|\s\s|[^\S ](?<!\u00a0)/u);
        if (shown !== '') expect(shown).toMatch(/[\p{L}\p{N}\p{P}\p{S}]/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is the same with anything hidden put anywhere into it', () => {
    const name = 'Amina Belkacem';
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(name.length), fc.constantFrom(...hidden))), (insertions) => {
        const raw = insertions
          .reduce((letters, [at, sign]) => letters.toSpliced(at, 0, sign), Array.from(name))
          .join('');
        expect(displayName(raw)).toBe(name);
      }),
    );
  });
});
