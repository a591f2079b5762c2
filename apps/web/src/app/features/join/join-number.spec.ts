import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import { SAFETY_NUMBER } from '../../../../test-support/fake-data';
import { element, fill, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { Invites } from '../../core/invites';
import { Preferences } from '../../core/preferences';

describe('the safety number with the owner', () => {
  it.each([
    ['en', 'Your number with the owner'],
    ['fr', 'Votre numéro avec qui vous invite'],
  ] as const)('is there to compare as soon as there is a key of one’s own (%s)', async (language, title) => {
    provideApp('empty', routes);
    TestBed.inject(Preferences).chooseLanguage(language);
    TestBed.inject(Invites).offer('stay');
    const { fixture } = await visit('/join');
    await settle(fixture, 10);
    expect(maybe(fixture, 'safety-number')).toBeNull();
    fill(fixture, 'join-name', 'Inès');
    element(fixture, 'join-name')
      .closest('form')
      ?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settle(fixture, 10);
    expect(element(fixture, 'safety-number').dataset.digits).toBe(SAFETY_NUMBER);
    expect((fixture.nativeElement as HTMLElement).textContent).toContain(title);
  });

  it.each([
    ['en', 'Only comparing the safety number'],
    ['fr', 'Seule la comparaison du numéro de sécurité'],
  ] as const)(
    'alone shows a link that leads into another room: said before anything is asked (%s)',
    async (language, words) => {
      provideApp('empty', routes);
      TestBed.inject(Preferences).chooseLanguage(language);
      TestBed.inject(Invites).offer('stay');
      const { fixture } = await visit('/join');
      await settle(fixture, 10);
      expect(element(fixture, 'join-start')).not.toBeNull();
      expect(element(fixture, 'join-compare').textContent).toContain(words);
    },
  );
});
