import { describe, expect, it } from '@jest/globals';
import type { ComponentFixture } from '@angular/core/testing';
import { TestBed } from '@angular/core/testing';
import { Router } from '@angular/router';

import type { FakeClient } from '../../../../test-support/fake-client';
import { message } from '../../../../test-support/fake-data';
import { element, fill, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';

const submit = (field: HTMLElement): boolean =>
  field.closest('form')?.dispatchEvent(new Event('submit', { cancelable: true })) ?? false;
const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ');
const press = (target: HTMLElement, key: string): boolean =>
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
const value = (fixture: ComponentFixture<unknown>): string =>
  (element(fixture, 'composer') as HTMLTextAreaElement).value;
const row = (fixture: ComponentFixture<unknown>, id: string): HTMLElement => {
  const found = (fixture.nativeElement as HTMLElement).querySelector<HTMLElement>(`[data-id="${id}"]`);
  if (found === null) throw new Error(`no message ${id}`);
  return found;
};

async function open(
  scenario: string,
): Promise<{ client: FakeClient; fixture: ComponentFixture<unknown>; root: HTMLElement }> {
  const client = provideApp(scenario, routes);
  const { fixture } = await visit('/room/room-rive');
  await settle(fixture, 8);
  return { client, fixture, root: fixture.nativeElement as HTMLElement };
}

describe('room', () => {
  it('shows rows, knots and alarms, and sends with Enter', async () => {
    const client = provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive');
    await settle(fixture, 8);
    const root = fixture.nativeElement as HTMLElement;
    expect(root.querySelectorAll('[data-testid="message"]')).toHaveLength(8);
    expect(texts(root)).toContain('Key 7 since');
    expect(element(fixture, 'alarm').dataset.code).toBe('ALARM_FORK');
    expect(texts(element(fixture, 'alarm'))).toContain('Jonas Weber');
    const link = root.querySelector<HTMLAnchorElement>('.msg__text a');
    expect([link?.href, link?.rel]).toEqual([
      'https://tribunal.example/role?salle=4',
      'noopener noreferrer nofollow',
    ]);
    fill(fixture, 'composer', 'two\nlines');
    const field = element(fixture, 'composer');
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', shiftKey: true, cancelable: true }));
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, cancelable: true }));
    await settle(fixture);
    expect(client.calls.some((call) => call.startsWith('sendText'))).toBe(false);
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', cancelable: true }));
    await settle(fixture, 8);
    expect(client.calls).toContain('sendText two\nlines');
    expect((field as HTMLTextAreaElement).value).toBe('');
  });

  it('gives the text back when it could not be stored', async () => {
    provideApp('rooms', routes);
    const { fixture } = await visit('/room/room-rive');
    await settle(fixture, 8);
    fill(fixture, 'composer', '/too-long');
    submit(element(fixture, 'composer'));
    await settle(fixture, 8);
    expect((element(fixture, 'composer') as HTMLTextAreaElement).value).toBe('/too-long');
    expect(element(fixture, 'error').dataset.code).toBe('TEXT_TOO_LONG');
  });

  it('never makes HTML of a message', async () => {
    const client = provideApp('quiet', routes);
    const { fixture } = await visit('/room/room-rive');
    await settle(fixture, 8);
    await client.sendText(
      'room-rive',
      '<img src=x onerror=alert(1)> javascript:alert(1) https://a.example/<b>',
    );
    await settle(fixture, 8);
    const text = (fixture.nativeElement as HTMLElement).querySelector('.msg__text');
    expect(text?.querySelectorAll('img, b, script')).toHaveLength(0);
    expect([...(text?.querySelectorAll('a') ?? [])].map((link) => link.getAttribute('href'))).toEqual([
      'https://a.example/',
    ]);
  });
});

describe('an answer', () => {
  it('quotes, is sent as one, and leads back to what it answers', async () => {
    const { client, fixture } = await open('rooms');
    const target = row(fixture, 'm6');
    target.focus();
    await settle(fixture);
    element(fixture, 'act-reply').click();
    await settle(fixture);
    expect(texts(element(fixture, 'writing'))).toContain('Reply to Tomás Prado');
    fill(fixture, 'composer', 'Until eight, then');
    press(element(fixture, 'composer'), 'Enter');
    await settle(fixture, 8);
    expect(client.calls).toContain('reply m6 Until eight, then');
    expect(maybe(fixture, 'writing')).toBeNull();
    const quote = row(fixture, 'sent1').querySelector<HTMLElement>('button[data-testid="quote"]');
    expect(quote?.textContent).toContain('Merci de m’accueillir');
    quote?.click();
    await settle(fixture);
    expect(document.activeElement).toBe(row(fixture, 'm6'));
  });

  it('is given up with Escape, and what was written stays', async () => {
    const { client, fixture } = await open('rooms');
    const target = row(fixture, 'm6');
    target.focus();
    press(target, 'r');
    await settle(fixture);
    expect(document.activeElement).toBe(element(fixture, 'composer'));
    fill(fixture, 'composer', 'half');
    press(element(fixture, 'composer'), 'Escape');
    await settle(fixture);
    expect(maybe(fixture, 'writing')).toBeNull();
    expect(value(fixture)).toBe('half');
    expect(client.calls.some((call) => call.startsWith('reply'))).toBe(false);
  });

  it('comes back as an answer when it could not be stored', async () => {
    const { fixture } = await open('rooms');
    const target = row(fixture, 'm6');
    target.focus();
    press(target, 'r');
    await settle(fixture);
    fill(fixture, 'composer', '/too-long');
    submit(element(fixture, 'composer'));
    await settle(fixture, 8);
    expect(value(fixture)).toBe('/too-long');
    expect(element(fixture, 'writing').dataset.kind).toBe('reply');
    expect(element(fixture, 'error').dataset.code).toBe('TEXT_TOO_LONG');
  });
});

describe('a change of a message', () => {
  it('begins with the last own one on ArrowUp in an empty field, and keeps the draft', async () => {
    const { client, fixture } = await open('rooms');
    press(element(fixture, 'composer'), 'ArrowUp');
    await settle(fixture);
    expect(value(fixture)).toBe('We can do it tonight at 7, Tomás?');
    fill(fixture, 'composer', 'We can do it at 8');
    press(element(fixture, 'composer'), 'Enter');
    await settle(fixture, 8);
    expect(client.calls).toContain('editMessage m8 We can do it at 8');
    expect(value(fixture)).toBe('');
    expect(texts(row(fixture, 'm8'))).toContain('We can do it at 8');
    expect(row(fixture, 'm8').querySelector('[data-testid="edited"]')).not.toBeNull();
  });

  it('is not lost where one types before the page has drawn it', async () => {
    const { client, fixture } = await open('rooms');
    press(element(fixture, 'composer'), 'ArrowUp');
    expect(value(fixture)).toBe('We can do it tonight at 7, Tomás?');
    fill(fixture, 'composer', 'We can do it at 8');
    await settle(fixture);
    press(element(fixture, 'composer'), 'Enter');
    await settle(fixture, 8);
    expect(client.calls).toContain('editMessage m8 We can do it at 8');
  });

  it('does not take ArrowUp from a text, and sends nothing when nothing changed', async () => {
    const { client, fixture } = await open('rooms');
    fill(fixture, 'composer', 'a draft');
    press(element(fixture, 'composer'), 'ArrowUp');
    await settle(fixture);
    expect(maybe(fixture, 'writing')).toBeNull();
    const mine = row(fixture, 'm5');
    mine.focus();
    press(mine, 'e');
    await settle(fixture);
    expect(value(fixture)).toContain('Take me, please');
    press(element(fixture, 'composer'), 'Enter');
    await settle(fixture);
    expect(value(fixture)).toBe('a draft');
    expect(client.calls.some((call) => call.startsWith('editMessage'))).toBe(false);
  });

  it('is not offered for what others said', async () => {
    const { fixture } = await open('rooms');
    const theirs = row(fixture, 'm6');
    theirs.focus();
    press(theirs, 'e');
    press(theirs, 'Delete');
    await settle(fixture);
    expect(maybe(fixture, 'writing')).toBeNull();
    expect(maybe(fixture, 'act-edit')).toBeNull();
    expect(maybe(fixture, 'act-delete')).toBeNull();
    expect(document.querySelector('dialog[open]')).toBeNull();
  });
});

describe('a deletion', () => {
  it('is asked about first, and leaves a line that says so', async () => {
    const { client, fixture } = await open('rooms');
    const mine = row(fixture, 'm5');
    mine.focus();
    press(mine, 'Delete');
    await settle(fixture);
    expect(client.calls.some((call) => call.startsWith('deleteMessage'))).toBe(false);
    element(fixture, 'delete-confirm').click();
    await settle(fixture, 8);
    expect(client.calls).toContain('deleteMessage m5');
    expect(texts(row(fixture, 'm5'))).toContain('You deleted this message');
    expect(texts(row(fixture, 'm5'))).not.toContain('Take me');
    expect(row(fixture, 'm5').querySelector('[data-testid="quote"]')).toBeNull();
  });

  it('says in the dialog why it failed', async () => {
    const { client, fixture } = await open('rooms');
    client.deleteMessage = () => Promise.resolve({ ok: false, error: { code: 'MESSAGE_UNKNOWN' } });
    const mine = row(fixture, 'm5');
    mine.focus();
    press(mine, 'Delete');
    await settle(fixture);
    element(fixture, 'delete-confirm').click();
    await settle(fixture, 8);
    const dialog = element(fixture, 'delete-confirm').closest('dialog');
    expect(dialog?.open).toBe(true);
    expect(dialog?.querySelector<HTMLElement>('[data-testid="error"]')?.dataset.code).toBe('MESSAGE_UNKNOWN');
  });
});

describe('a reaction', () => {
  it('is a toggle that names who reacted', async () => {
    const { client, fixture } = await open('rooms');
    const button = (): HTMLElement => element(row(fixture, 'm3'), 'reaction');
    expect(button().getAttribute('aria-pressed')).toBe('true');
    expect(button().title).toBe('Amina Belkacem, Jonas Weber, Tomás Prado');
    button().click();
    await settle(fixture, 8);
    expect(client.calls).toContain('react m3 👍 false');
    expect(button().getAttribute('aria-pressed')).toBe('false');
    expect(button().title).toBe('Jonas Weber, Tomás Prado');
  });

  it('is chosen by keyboard, from six or any other, and gives the focus back', async () => {
    const { client, fixture } = await open('rooms');
    const target = row(fixture, 'm6');
    target.focus();
    press(target, '+');
    await settle(fixture);
    expect(document.activeElement).toBe(element(target, 'pick'));
    fill(fixture, 'pick-other', ' 👩‍🚒 and more');
    submit(element(fixture, 'pick-other'));
    await settle(fixture, 8);
    expect(client.calls).toContain('react m6 👩‍🚒 true');
    expect(maybe(fixture, 'reaction-picker')).toBeNull();
    expect(document.activeElement).toBe(row(fixture, 'm6'));
  });
});

describe('the keys of the conversation', () => {
  it('go from message to message and alarm, into the tools, and back out', async () => {
    const { fixture, root } = await open('rooms');
    const feed = root.querySelector<HTMLElement>('.feed');
    if (feed === null) throw new Error('no feed');
    feed.focus();
    press(feed, 'ArrowUp');
    await settle(fixture);
    expect(document.activeElement).toBe(row(fixture, 'm8'));
    for (let step = 0; step < 3; step++) press(document.activeElement as HTMLElement, 'ArrowUp');
    await settle(fixture);
    expect(document.activeElement).toBe(element(fixture, 'alarm'));
    press(document.activeElement as HTMLElement, 'ArrowDown');
    await settle(fixture);
    press(row(fixture, 'm6'), 'Enter');
    expect(document.activeElement).toBe(element(fixture, 'act-reply'));
    press(element(fixture, 'act-reply'), 'ArrowRight');
    expect(document.activeElement).toBe(element(fixture, 'act-react'));
    press(element(fixture, 'act-react'), 'Escape');
    expect(document.activeElement).toBe(row(fixture, 'm6'));
  });

  it('are listed by ?, but not while one writes', async () => {
    const { fixture, root } = await open('rooms');
    press(element(fixture, 'composer'), '?');
    expect(document.querySelector('dialog[open]')).toBeNull();
    press(root, '?');
    await settle(fixture);
    const list = document.querySelector<HTMLElement>('dialog[open] [data-testid="shortcuts"]');
    expect(texts(list ?? root)).toContain('change your last message');
    expect(texts(list ?? root)).not.toContain('room.');
  });

  it('show the tools of one message only', async () => {
    const { fixture, root } = await open('rooms');
    for (const id of ['m3', 'm5', 'm6']) row(fixture, id).focus();
    await settle(fixture);
    expect(root.querySelectorAll('[role="toolbar"]')).toHaveLength(1);
    expect(row(fixture, 'm6').querySelector('[role="toolbar"]')).not.toBeNull();
  });
});

describe('what is being written', () => {
  it('comes from the vault, goes there when one turns away, and is in the list', async () => {
    const { client, fixture, root } = await open('drafts');
    expect(value(fixture)).toBe('I can also bring');
    fill(fixture, 'composer', 'I can also bring bread');
    element(fixture, 'composer').dispatchEvent(new Event('blur'));
    await settle(fixture, 8);
    expect(client.calls).toContain('setDraft I can also bring bread');
    await TestBed.inject(Router).navigateByUrl('/');
    await settle(fixture, 8);
    expect(texts(root)).toContain('Draft: I can also bring bread');
  });

  it('is taken out of the vault once it is sent, and the others hear of typing once', async () => {
    const { client, fixture } = await open('rooms');
    for (const text of ['o', 'on', 'one']) fill(fixture, 'composer', text);
    press(element(fixture, 'composer'), 'Enter');
    await settle(fixture, 8);
    expect(client.calls.filter((call) => call.startsWith('typing'))).toEqual(['typing room-rive']);
    expect(client.calls.filter((call) => call.startsWith('setDraft'))).toEqual(['setDraft ']);
  });
});

describe('names that look alike', () => {
  it('carry the beginning of the fingerprint', async () => {
    const { fixture } = await open('twins');
    expect(texts(row(fixture, 'm1'))).toContain('91D4 7A0E');
    expect(texts(row(fixture, 'm4'))).toContain('B6F2 3C18');
    expect(texts(row(fixture, 'm6'))).not.toContain('D81B');
  });
});

describe('a message of one’s own', () => {
  it('says how far it came, and who has read it', async () => {
    const { client, fixture } = await open('rooms');
    const state = (): HTMLElement => element(row(fixture, 'mine'), 'message-state');
    const put = async (changes: object): Promise<void> => {
      client.put(message('mine', 50, Date.now(), 0, 'Mine', changes));
      await settle(fixture);
    };
    await put({ state: 'sending', readBy: 0, readers: [] });
    expect(texts(state())).toBe('Sending…');
    await put({ state: 'relayed', readBy: 0, readers: [] });
    expect(texts(state())).toBe('With the relay');
    await put({ state: 'read', readBy: 2, readers: ['Lucie Marchand', 'Jonas Weber'] });
    expect(texts(state())).toBe('Read by 2 of 5');
    expect(state().title).toBe('Lucie Marchand, Jonas Weber');
  });
});
