import { describe, expect, it, jest } from '@jest/globals';
import { LiveAnnouncer } from '@angular/cdk/a11y';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';

import { joinView } from '../../../test-support/fake-data';
import { element, fill, maybe, provideApp, settle, visit } from '../../../test-support/render';
import { routes } from '../app.routes';
import { AppStore } from '../core/app-store';
import { Invites } from '../core/invites';
import { Preferences } from '../core/preferences';

const submit = (field: HTMLElement): boolean =>
  field.closest('form')?.dispatchEvent(new Event('submit', { cancelable: true })) ?? false;
const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');

describe('unlock', () => {
  it('asks for the first passphrase twice, refuses a weak or a different one, then opens', async () => {
    const client = provideApp('absent', routes);
    const { fixture } = await visit('/');
    expect(TestBed.inject(Router).url).toBe('/unlock');
    fill(fixture, 'passphrase', 'abc');
    submit(element(fixture, 'passphrase'));
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('PASSPHRASE_WEAK');
    expect(texts(fixture.nativeElement as HTMLElement)).toContain(
      'Too weak. It would be guessed in moments. It is too short',
    );
    fill(fixture, 'passphrase', 'marbre onze tilleul rivage');
    fill(fixture, 'passphrase-again', 'marbre onze tilleul');
    submit(element(fixture, 'passphrase'));
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('PASSPHRASES_DIFFER');
    expect(client.calls).toEqual([]);
    fill(fixture, 'passphrase-again', 'marbre onze tilleul rivage');
    submit(element(fixture, 'passphrase'));
    await settle(fixture, 8);
    expect(client.calls).toEqual(['open marbre onze tilleul rivage']);
    expect(TestBed.inject(Router).url).toBe('/');
  });

  it('rates one text at a time, and of those typed meanwhile only the newest', async () => {
    const client = provideApp('absent', routes);
    const { fixture } = await visit('/');
    expect(client.rated).toEqual([]);
    for (const text of ['m', 'ma', 'mar', 'marb']) {
      fill(fixture, 'passphrase', text);
      TestBed.tick();
    }
    await settle(fixture);
    expect(client.rated).toEqual(['m', 'marb']);
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('Too weak.');
  });

  it('takes a refusal back once something else is typed', async () => {
    provideApp('absent', routes);
    const { fixture } = await visit('/');
    fill(fixture, 'passphrase', 'abc');
    submit(element(fixture, 'passphrase'));
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('PASSPHRASE_WEAK');
    fill(fixture, 'passphrase', 'abcd');
    await settle(fixture);
    expect(maybe(fixture, 'error')).toBeNull();
  });

  it('says that a wrong passphrase changed nothing, and goes where the address led once it is right', async () => {
    provideApp('locked', routes);
    const { fixture } = await visit('/settings');
    fill(fixture, 'passphrase', 'wrong');
    submit(element(fixture, 'passphrase'));
    await settle(fixture);
    expect(element(fixture, 'error').dataset.code).toBe('WRONG_PASSPHRASE');
    expect(texts(element(fixture, 'error'))).toContain('Nothing was changed or erased');
    fill(fixture, 'passphrase', 'right');
    submit(element(fixture, 'passphrase'));
    await settle(fixture, 8);
    expect(TestBed.inject(Router).url).toBe('/settings');
  });

  it('a passphrase has a name for password managers while it is hidden, and none once it is shown', async () => {
    provideApp('locked', routes);
    const { fixture } = await visit('/');
    const field = element(fixture, 'passphrase') as HTMLInputElement;
    expect([field.type, field.autocomplete]).toEqual(['password', 'current-password']);
    field.parentElement?.querySelector('button')?.click();
    await settle(fixture);
    expect([field.type, field.autocomplete]).toEqual(['text', 'off']);
  });

  it('erases only once the word is typed', async () => {
    provideApp('locked', routes);
    const { fixture } = await visit('/');
    element(fixture, 'erase').click();
    await settle(fixture);
    const confirm = element(fixture, 'erase-confirm') as HTMLButtonElement;
    expect(confirm.disabled).toBe(true);
    fill(fixture, 'erase-word', 'erase');
    await settle(fixture);
    expect(confirm.disabled).toBe(false);
    submit(element(fixture, 'erase-word'));
    await settle(fixture, 8);
    expect(TestBed.inject(AppStore).vault()).toBe('absent');
  });

  it('says what erasing does not reach, where the browser cannot overwrite', async () => {
    for (const overwrites of [true, false]) {
      const client = provideApp('locked', routes);
      client.pushApp({ overwrites });
      const { fixture } = await visit('/');
      element(fixture, 'erase').click();
      await settle(fixture);
      expect(maybe(fixture, 'erase-leaves') === null).toBe(overwrites);
      TestBed.resetTestingModule();
    }
  });
});

describe('home', () => {
  it('creates a room with what was asked, and opens it', async () => {
    const client = provideApp('rooms', routes);
    const { fixture } = await visit('/new');
    fill(fixture, 'room-name', ' Jeudi ');
    fill(fixture, 'display-name', 'Inès');
    fill(fixture, 'rotate-every', '0');
    submit(element(fixture, 'room-name'));
    await settle(fixture);
    expect(client.calls).toEqual([]);
    fill(fixture, 'rotate-every', '1');
    submit(element(fixture, 'room-name'));
    await settle(fixture, 8);
    expect(client.calls[0]).toBe(
      'createRoom {"name":"Jeudi","displayName":"Inès","rotateEvery":1,"approval":true}',
    );
    expect(TestBed.inject(Router).url).toBe('/room/room-new');
  });

  it('says which room this device cannot read any more, and deletes it once that is confirmed', async () => {
    const client = provideApp('rooms', routes);
    const { fixture } = await visit('/');
    client.pushApp({ damaged: [{ roomId: 'room-broken', store: 'slices' }] });
    await settle(fixture);
    expect(texts(element(fixture, 'damaged-room'))).toContain('This room cannot be opened');
    expect(texts(element(fixture, 'damaged-room'))).toContain('slices');
    element(fixture, 'forget-room').click();
    await settle(fixture);
    element(fixture, 'forget-confirm').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('forgetRoom');
  });

  it('speaks the chosen language at once', async () => {
    provideApp('empty', routes);
    const { fixture } = await visit('/');
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('No room yet');
    TestBed.inject(Preferences).chooseLanguage('fr');
    await settle(fixture);
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('Pas encore de salle');
    expect(document.documentElement.lang).toBe('fr');
  });
});

describe('join', () => {
  it('shows who invites, sends only when asked, follows each step and opens the room', async () => {
    const client = provideApp('empty', routes);
    TestBed.inject(Invites).offer('an-invite');
    client.pace = 5;
    const { fixture } = await visit('/join');
    await settle(fixture, 10);
    expect(texts(fixture.nativeElement as HTMLElement)).toContain('3E91 B07C 5D22 A84F');
    expect(maybe(fixture, 'join-refused')).toBeNull();
    fill(fixture, 'join-name', 'Inès');
    submit(element(fixture, 'join-name'));
    await settle(fixture, 40);
    const states = [
      ...(fixture.nativeElement as HTMLElement).querySelectorAll<HTMLElement>('[data-testid="join-step"]'),
    ];
    expect(states.map(({ dataset }) => dataset.step)).toEqual([
      'invite',
      'relay',
      'claim',
      'request',
      'ownerReply',
      'keyReceived',
      'confirmed',
      'admitted',
    ]);
    expect(new Set(states.map(({ dataset }) => dataset.state))).toEqual(new Set(['done']));
    expect(TestBed.inject(Router).url).toBe('/join?room=room-join');
    element(fixture, 'join-enter').click();
    await settle(fixture, 8);
    expect(TestBed.inject(Router).url).toBe('/room/room-join');
    expect(TestBed.inject(Invites).pending()).toBeNull();
  });

  it.each(['INVITE_EXPIRED', 'INVITE_USED', 'JOIN_DECLINED', 'ROOM_FULL'])(
    'ends with its own words on %s',
    async (code) => {
      provideApp('empty', routes);
      TestBed.inject(Invites).offer(code);
      const { fixture } = await visit('/join');
      await settle(fixture, 8);
      const refused = element(fixture, 'join-refused');
      expect(refused.dataset.code).toBe(code);
      expect(texts(refused)).not.toContain('The join stopped');
    },
  );

  it.each([
    ['en', 'The relay says that the owner declined', 'your key and the invite are kept'],
    ['fr', 'Le relais dit que l’entrée vous a été refusée', 'votre clé et l’invitation sont gardées'],
  ] as const)(
    'takes a refusal for the relay’s word, and keeps the join but for its user’s own act (%s)',
    async (language, title, kept) => {
      const client = provideApp('empty', routes);
      TestBed.inject(Preferences).chooseLanguage(language);
      client.pushApp({ joins: [joinView({ failure: { code: 'JOIN_DECLINED' } })] });
      const abandon = jest.spyOn(client, 'abandonJoin');
      const { fixture } = await visit('/join?room=room-join');
      await settle(fixture, 8);
      expect(texts(element(fixture, 'join-refused'))).toContain(title);
      expect(texts(element(fixture, 'join-kept'))).toContain(kept);
      element(fixture, 'join-home').click();
      await settle(fixture, 8);
      expect(TestBed.inject(Router).url).toBe('/');
      expect(abandon).not.toHaveBeenCalled();
      TestBed.inject(Preferences).chooseLanguage('en');
    },
  );

  it('goes on with a join that was refused when its link is opened again', async () => {
    const client = provideApp('empty', routes);
    client.pushApp({ joins: [joinView({ failure: { code: 'JOIN_DECLINED' } })] });
    const preview = await client.previewInvite('an-invite');
    if (!preview.ok) throw new Error('no preview');
    jest
      .spyOn(client, 'previewInvite')
      .mockResolvedValue({ ok: true, value: { ...preview.value, resumes: true } });
    const join = jest.spyOn(client, 'join');
    TestBed.inject(Invites).offer('an-invite stay');
    const { fixture } = await visit('/join');
    await settle(fixture, 10);
    expect(join).toHaveBeenCalledTimes(1);
    expect(TestBed.inject(Router).url).toBe('/join?room=room-join');
  });

  it.each([
    ['ownerFingerprint', ''],
    ['relayFingerprint', 'NaN'],
    ['expires', Number.NaN],
  ] as const)('has no button where a fact cannot be drawn, and says so: %s', async (field, value) => {
    const client = provideApp('empty', routes);
    const preview = await client.previewInvite('an-invite');
    if (!preview.ok) throw new Error('no preview');
    const broken = { ...preview.value, [field]: value };
    jest.spyOn(client, 'previewInvite').mockResolvedValue({ ok: true, value: broken });
    TestBed.inject(Invites).offer('an-invite');
    const { fixture } = await visit('/join');
    await settle(fixture, 10);
    expect(maybe(fixture, 'join-start')).toBeNull();
    expect(element(fixture, 'join-refused').dataset.code).toBe('INVITE_MALFORMED');
  });

  it('stops at another relay key, shows both, and offers no way on', async () => {
    provideApp('empty', routes);
    TestBed.inject(Invites).offer('RELAY_DIFFERS');
    const { fixture } = await visit('/join');
    await settle(fixture, 8);
    const refused = element(fixture, 'join-refused');
    expect(refused.dataset.code).toBe('RELAY_KEY_MISMATCH');
    expect([...refused.querySelectorAll('del')].map((part) => part.textContent)).toEqual([
      '44D0',
      'E19B',
      '2C07',
    ]);
    expect(maybe(fixture, 'join-start')).toBeNull();
  });
});

describe('members', () => {
  it('makes an invite, shows the count to the next key, decides joins and renews', async () => {
    const client = provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive/members');
    await settle(fixture, 8);
    expect(element(fixture, 'key-epoch').dataset.epoch).toBe('7');
    expect(texts(element(fixture, 'key-count'))).toContain('63 messages until key 8');
    submit(element(fixture, 'make-invite'));
    await settle(fixture, 8);
    expect((element(fixture, 'invite-link') as HTMLInputElement).value).toMatch(
      /^https:\/\/rive\.example\/join#/,
    );
    // As text first: an opened link stays in a browser's history.
    const asText = element(fixture, 'copy-invite-text');
    const { DOCUMENT_POSITION_FOLLOWING } = Node;
    expect(asText.compareDocumentPosition(element(fixture, 'invite-link'))).toBe(DOCUMENT_POSITION_FOLLOWING);
    const copied: string[] = [];
    const clipboard = { writeText: async (text: string) => void copied.push(text) };
    Object.defineProperty(navigator, 'clipboard', { configurable: true, value: clipboard });
    element(fixture, 'copy-invite-text').click();
    await settle(fixture, 2);
    Reflect.deleteProperty(navigator, 'clipboard');
    // Nothing that a program makes a link of holds the secret.
    expect(copied[0]).toMatch(
      / https:\/\/rive\.example\/join and paste this whole message there: #[\w-]{20,}$/,
    );
    element(fixture, 'admit-join').click();
    const announced: string[] = [];
    TestBed.inject(LiveAnnouncer).announce = (words: string) => {
      announced.push(words);
      return Promise.resolve();
    };
    element(fixture, 'rotate-now').click();
    await settle(fixture, 8);
    // The next one, whether or not the view that has it was there before the answer.
    expect(announced).toEqual(['Key 8 is in force.']);
    expect(client.calls).toContain('decideJoin i1 true');
    expect(element(fixture, 'key-epoch').dataset.epoch).toBe('8');
    expect(maybe(fixture, 'approval-request')).toBeNull();
  });

  it('offers a guest nothing that only the owner may do', async () => {
    provideApp('guest', routes);
    const { fixture } = await visit('/room/room-rive/members');
    await settle(fixture, 8);
    for (const id of ['make-invite', 'rotate-now', 'revoke-invite', 'admit-join'])
      expect(maybe(fixture, id)).toBeNull();
  });
});

describe('lock', () => {
  it('ends in the unlock screen with nothing of the room left', async () => {
    provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive');
    await settle(fixture, 8);
    void TestBed.inject(AppStore).lock();
    await settle(fixture, 2);
    expect(TestBed.inject(AppStore).timeline()).toEqual([]);
  });
});
