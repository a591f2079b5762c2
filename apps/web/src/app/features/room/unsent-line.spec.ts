import { describe, expect, it } from '@jest/globals';
import { LiveAnnouncer } from '@angular/cdk/a11y';
import type { ComponentFixture } from '@angular/core/testing';
import { TestBed } from '@angular/core/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { message } from '../../../../test-support/fake-data';
import { element, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { Preferences } from '../../core/preferences';

const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ').trim();
const press = (target: HTMLElement, key: string): boolean =>
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

interface Scene {
  readonly client: FakeClient;
  readonly fixture: ComponentFixture<unknown>;
  /** the row of a line; throws where there is none */
  readonly row: (id: string) => HTMLElement;
  readonly has: (id: string) => boolean;
}

async function open(): Promise<Scene> {
  const client = provideApp('unsent', routes);
  const { fixture } = await visit('/room/room-rive');
  await settle(fixture, 8);
  const find = (id: string): HTMLElement | null =>
    (fixture.nativeElement as HTMLElement).querySelector(`[data-id="${id}"]`);
  const row = (id: string): HTMLElement => {
    const found = find(id);
    if (found === null) throw new Error(`no message ${id}`);
    return found;
  };
  return { client, fixture, row, has: (id) => find(id) !== null };
}

const answers = (client: FakeClient): readonly string[] =>
  client.calls.filter((call) => /^(confirmSend|discard|resend|sendText) /.test(call));
const buttons = (row: HTMLElement): readonly string[] =>
  [...row.querySelectorAll<HTMLElement>('.unsent button')].map(texts);

async function choose({ fixture, row }: Scene, id: string, answer: string): Promise<void> {
  const button = element(row(id), answer);
  button.focus();
  button.click();
  await settle(fixture, 10);
}

describe('a line that is not with the others', () => {
  it('says in words what became of it, who would read it now, and offers what can be done', async () => {
    const { row } = await open();
    const why = (id: string): string => texts(element(row(id), 'unsent'));
    expect(why('w1')).toContain('Waiting for your decision: Tomás Prado and Noé joined after you wrote this');
    expect(why('x1')).toContain('The relay lost this message');
    expect(why('x1')).toContain('Tomás Prado joined after you wrote it');
    expect(why('x2')).toContain('because the room key has changed since');
    expect(buttons(row('w1'))).toEqual(['Send to all now', 'Discard']);
    expect(buttons(row('x1'))).toEqual(['Send again']);
    // One of a run says it too, and what waits behind it has nothing to answer.
    expect(buttons(row('w2'))).toEqual(['Send to all now', 'Discard']);
    expect(row('w3').querySelector('.unsent')).toBeNull();
  });

  it('has its sentences in French', async () => {
    const { fixture, row } = await open();
    TestBed.inject(Preferences).chooseLanguage('fr');
    await settle(fixture);
    expect(texts(row('w1'))).toContain('Tomás Prado et Noé sont arrivé·es après que vous l’avez écrit');
    expect(texts(row('w2'))).toContain('Noé est arrivé·e après que vous l’avez écrit');
    expect(buttons(row('x2'))).toEqual(['Renvoyer']);
    TestBed.inject(Preferences).chooseLanguage('en');
  });

  it('is a group with its reason as its name, and the reason belongs to each button', async () => {
    const { row } = await open();
    const group = element(row('w1'), 'unsent');
    const reason = group.querySelector<HTMLElement>('.unsent__why');
    expect([group.getAttribute('role'), group.getAttribute('aria-labelledby')]).toEqual([
      'group',
      reason?.id,
    ]);
    for (const button of group.querySelectorAll('button'))
      expect([button.type, button.getAttribute('aria-describedby')]).toEqual(['button', reason?.id]);
  });

  it('sends nothing by itself, whatever is pointed at, focused or pressed but its buttons', async () => {
    const { client, fixture, row } = await open();
    for (const id of ['w1', 'x1']) {
      row(id).focus();
      await settle(fixture);
      for (const key of ['Enter', ' ', 'r', 'e', 'Delete']) press(row(id), key);
      await settle(fixture);
    }
    element(fixture, 'show-held').click();
    await settle(fixture);
    expect(answers(client)).toEqual([]);
  });

  it('is offered neither for change nor, while it waits, for deletion', async () => {
    const { fixture, row } = await open();
    row('w1').focus();
    await settle(fixture);
    expect(maybe(fixture, 'act-edit')).toBeNull();
    expect(maybe(fixture, 'act-delete')).toBeNull();
    press(row('w1'), 'e');
    press(row('w1'), 'Delete');
    await settle(fixture);
    expect(maybe(fixture, 'writing')).toBeNull();
    expect(document.querySelector('dialog[open]')).toBeNull();
    row('x1').focus();
    await settle(fixture);
    expect(maybe(fixture, 'act-edit')).toBeNull();
    expect(maybe(fixture, 'act-delete')).not.toBeNull();
    // Neither is it the last line, which ArrowUp begins to change.
    press(element(fixture, 'composer'), 'ArrowUp');
    await settle(fixture);
    expect((element(fixture, 'composer') as HTMLTextAreaElement).value).toBe('Welcome, both of you.');
  });
});

describe('a line that its room’s end has left unsent', () => {
  it.each([
    ['en', 'Not sent', 'Copy the text'],
    ['fr', 'Pas envoyé', 'Copier le texte'],
  ] as const)('says so, and its text can be copied (%s)', async (language, why, words) => {
    const { client, fixture, row } = await open();
    TestBed.inject(Preferences).chooseLanguage(language);
    client.pushRoom({ stage: 'removed', held: [] });
    client.put(
      message('end', 2 ** 52 + 9, Date.now(), 0, 'Too late', { state: 'unsent', readBy: 0, readers: [] }),
    );
    await settle(fixture, 8);
    expect(texts(element(row('end'), 'unsent'))).toContain(why);
    expect(buttons(row('end'))).toEqual([words]);
    const copied: string[] = [];
    Object.defineProperty(navigator, 'clipboard', {
      configurable: true,
      value: { writeText: (text: string) => Promise.resolve(copied.push(text)) },
    });
    element(row('end'), 'copy-unsent').click();
    await settle(fixture, 4);
    expect(copied).toEqual(['Too late']);
    TestBed.inject(Preferences).chooseLanguage('en');
  });
});

describe('its sender’s answer', () => {
  it('sends a line to all, says so, and gives the focus back to it', async () => {
    const scene = await open();
    const said: string[] = [];
    TestBed.inject(LiveAnnouncer).announce = (words: string) => {
      said.push(words);
      return Promise.resolve();
    };
    await choose(scene, 'w1', 'confirmSend');
    expect(answers(scene.client)).toEqual(['confirmSend w1']);
    expect(scene.row('w1').dataset.state).toBe('sending');
    expect(buttons(scene.row('w1'))).toEqual([]);
    expect(document.activeElement).toBe(scene.row('w1'));
    expect(said).toEqual(['It will be sent to all']);
    expect(texts(element(scene.fixture, 'held'))).toContain('A message waits for your decision');
  });

  it('discards a line, which is gone, and so is what was being written about it', async () => {
    const scene = await open();
    press(scene.row('w2'), 'r');
    await settle(scene.fixture);
    expect(maybe(scene.fixture, 'writing')).not.toBeNull();
    await choose(scene, 'w2', 'discard');
    expect(answers(scene.client)).toEqual(['discard w2']);
    expect(scene.has('w2')).toBe(false);
    expect(maybe(scene.fixture, 'writing')).toBeNull();
    expect((document.activeElement as HTMLElement).classList).toContain('feed');
  });

  it('sends a lost line again, once however often it is pressed', async () => {
    const scene = await open();
    scene.client.pace = 5;
    const button = element(scene.row('x1'), 'resend');
    button.click();
    button.click();
    await settle(scene.fixture, 20);
    expect(answers(scene.client)).toEqual(['resend x1']);
    expect(scene.has('x1')).toBe(false);
    expect(texts(scene.row('sent1'))).toContain('The lawyer’s number is on the list.');
  });

  it('says why it failed, and can be given again', async () => {
    const scene = await open();
    scene.client.confirmSend = () => Promise.resolve({ ok: false, error: { code: 'MESSAGE_UNKNOWN' } });
    await choose(scene, 'w1', 'confirmSend');
    expect(element(scene.fixture, 'error').dataset.code).toBe('MESSAGE_UNKNOWN');
    expect(element(scene.row('w1'), 'confirmSend').getAttribute('aria-busy')).toBe('false');
  });

  it('to a line that was deleted while it waited can only be to discard it', async () => {
    const { client, fixture, row } = await open();
    const held = { state: 'waiting', newcomers: ['Noé'], deleted: true, readBy: 0, readers: [] } as const;
    client.put(message('w9', 2 ** 52 + 9, Date.now(), 0, '', held));
    client.put(message('x9', 16, Date.now(), 0, '', { ...held, state: 'lost' }));
    await settle(fixture);
    expect(buttons(row('w9'))).toEqual(['Discard']);
    expect(row('x9').querySelector('.unsent')).toBeNull();
  });

  it('is asked for only where one may still say something', async () => {
    const { client, fixture, row } = await open();
    client.pushRoom({ stage: 'left', held: [] });
    await settle(fixture);
    expect(texts(element(row('x1'), 'unsent'))).toContain('The relay lost this message');
    expect(buttons(row('x1'))).toEqual([]);
  });
});

describe('the room', () => {
  it('says once that what is later waits, and leads to the oldest line that waits', async () => {
    const { fixture, row } = await open();
    expect((fixture.nativeElement as HTMLElement).querySelectorAll('[data-testid="held"]')).toHaveLength(1);
    element(fixture, 'show-held').click();
    await settle(fixture);
    expect(document.activeElement).toBe(row('w1'));
  });

  it('marks quietly what came late', async () => {
    const { row } = await open();
    expect(texts(element(row('late'), 'late'))).toBe('Arrived late, after messages that were written later.');
    expect(row('m4').querySelector('[data-testid="late"]')).toBeNull();
  });

  it('marks quietly what was sent again for those who were there', async () => {
    const { row } = await open();
    expect(texts(element(row('late'), 'again'))).toBe(
      'Sent again for those who were there: whoever came since cannot read it.',
    );
    expect(row('m4').querySelector('[data-testid="again"]')).toBeNull();
  });
});
