import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import { element, fill, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { onInvite } from '../../core/invite-fragment';
import { Preferences } from '../../core/preferences';

describe('a link that a mail program changed', () => {
  afterEach(() => {
    // The app of the last test listens no more: the next one is opened by its link.
    onInvite(null);
    history.replaceState(null, '', '/');
  });

  it.each([
    ['en', 'Your mail program changed this link'],
    ['fr', 'Votre messagerie a modifié ce lien'],
  ] as const)('is told in plain words, with the field to paste it into, and joins nothing (%s)', async (language, title) => {
    history.pushState(null, '', '/join%23stay-omF2AWZyb29tSWRQ8b0Qw5m5n3yWc0K2dQ7nfWV0b2tl');
    dispatchEvent(new PopStateEvent('popstate'));
    const client = provideApp('empty', routes);
    const preview = jest.spyOn(client, 'previewInvite');
    TestBed.inject(Preferences).chooseLanguage(language);
    const { fixture } = await visit('/join');
    await settle(fixture, 10);
    expect(element(fixture, 'link-changed').textContent).toContain(title);
    expect(location.href).not.toContain('omF2');
    expect(preview).not.toHaveBeenCalled();
    fill(fixture, 'paste-invite', 'https://chat.example/join#stay');
    element(fixture, 'paste-invite')
      .closest('form')
      ?.dispatchEvent(new Event('submit', { cancelable: true }));
    await settle(fixture, 10);
    expect(preview).toHaveBeenCalledWith('https://chat.example/join#stay');
    expect(maybe(fixture, 'link-changed')).toBeNull();
    expect(element(fixture, 'join-name')).not.toBeNull();
  }); // prettier-ignore

  it('is not told of where nothing was changed', async () => {
    provideApp('empty', routes);
    const { fixture } = await visit('/join');
    await settle(fixture, 4);
    expect(maybe(fixture, 'link-changed')).toBeNull();
    expect(element(fixture, 'paste-invite')).not.toBeNull();
  });
});
