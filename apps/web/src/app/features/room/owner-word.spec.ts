import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import { provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { Preferences } from '../../core/preferences';

// Whole screens are drawn; a busy machine takes its time.
async function open(scenario: string, language: 'en' | 'fr'): Promise<HTMLElement> {
  provideApp(scenario, routes);
  TestBed.inject(Preferences).chooseLanguage(language);
  const { fixture } = await visit('/room/room-rive');
  await settle(fixture, 8);
  return fixture.nativeElement as HTMLElement;
}

const textsOf = (root: HTMLElement, selector: string): readonly string[] =>
  [...root.querySelectorAll(selector)].map((element) => element.textContent.replace(/ +/g, ' ').trim());

describe('what only an owner has said', () => {
  it.each([
    ['en', 'whether earlier ones are missing'],
    ['fr', 'impossible de dire s’il en manque avant'],
  ] as const)(
    'of lines before the first one is marked at the first one, and nowhere else (%s)',
    async (language, words) => {
      const marks = textsOf(await open('orderunknown', language), '[data-testid="order-unknown"]');
      expect(marks).toHaveLength(1);
      expect(marks[0]).toContain(words);
    },
  );

  it.each([
    [
      'en',
      [
        'Tomás Prado does not get it yet',
        '220 members do not get it yet',
        'without you',
        '372 new keys in a row',
      ],
    ],
    [
      'fr',
      [
        'Tomás Prado ne l’a pas encore',
        '220 membres ne l’ont pas encore',
        'sans vous',
        '372 nouvelles clés de suite',
      ],
    ],
  ] as const)('of keys is one line with a count (%s)', async (language, words) => {
    const lines = textsOf(await open('events', language), '[data-event="rotated"]');
    for (const part of words) expect(lines.filter((line) => line.includes(part)).length).toBeGreaterThan(0);
    // Each event is drawn twice, as somebody else's and as one's own: a line each, whatever its number.
    expect(lines).toHaveLength(2 * 5);
  });

  it.each([
    ['en', 'You can forget the room'],
    ['fr', 'Vous pouvez oublier la salle'],
  ] as const)(
    'admits nobody: who is on no list of members can forget the room (%s)',
    async (language, words) => {
      const root = await open('unlisted', language);
      expect(textsOf(root, '[data-testid="room-ended"]').join()).toContain(words);
      expect(root.querySelectorAll('[data-testid="forget-room"]')).toHaveLength(1);
      expect(root.querySelectorAll('zfc-composer')).toHaveLength(0);
    },
  );
});
