import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { provideTransloco } from '@jsverse/transloco';

import { FakeClient } from '../../../../test-support/fake-client';
import { element, fill, provideApp, render, settle, visit } from '../../../../test-support/render';
import { App } from '../../app';
import { routes } from '../../app.routes';
import { OPEN_CLIENT } from '../../core/client-connection';
import { Preferences } from '../../core/preferences';

const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');

describe('a browser without room for a vault', () => {
  it.each([
    ['en', 'Use an ordinary window'],
    ['fr', 'Utilisez une fenêtre ordinaire'],
  ] as const)('says what to do where storage is refused altogether (%s)', async (language, remedy) => {
    const client = new FakeClient('absent', 0);
    // As a worker in a private window fails: with the code as its whole text.
    const connection = {
      api: client,
      subscribe: () => Promise.reject(new Error('VAULT_UNAVAILABLE')),
      close: () => client.close(),
    };
    TestBed.configureTestingModule({
      providers: [
        provideRouter([]),
        provideTransloco({ config: { availableLangs: ['fr', 'en'], defaultLang: 'en', prodMode: true } }),
        { provide: OPEN_CLIENT, useValue: () => connection },
      ],
    });
    TestBed.inject(Preferences).chooseLanguage(language);
    const fixture = await render(App);
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('VAULT_UNAVAILABLE');
    expect(texts(element(fixture, 'error'))).toContain(remedy);
  });

  it.each([
    ['VAULT_FULL', 'Free some'],
    ['VAULT_UNAVAILABLE', 'Use an ordinary window'],
  ])('keeps the first passphrase on screen on %s, and says what to do', async (code, remedy) => {
    const client = provideApp('absent', routes);
    client.createVault = () => Promise.resolve({ ok: false, error: { code } });
    const { fixture } = await visit('/');
    for (const id of ['passphrase', 'passphrase-again']) fill(fixture, id, 'marbre onze tilleul rivage');
    element(fixture, 'passphrase')
      .closest('form')
      ?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settle(fixture, 8);
    expect(element(fixture, 'error').dataset.code).toBe(code);
    expect(texts(element(fixture, 'error'))).toContain(remedy);
    expect((element(fixture, 'passphrase') as HTMLInputElement).value).toBe('marbre onze tilleul rivage');
  });

  it('says where to go on when another tab holds the vault, and looks again when asked', async () => {
    const client = provideApp('elsewhere', routes);
    const { fixture } = await visit('/');
    expect(texts(element(fixture, 'elsewhere'))).toContain('close that tab and come back');
    let starts = 0;
    const subscribe = client.subscribe.bind(client);
    client.subscribe = (listener) => {
      starts += 1;
      return subscribe(listener);
    };
    element(fixture, 'elsewhere').querySelector('button')!.click();
    await settle(fixture, 4);
    expect(starts).toBe(1);
  });
});
