import { describe, expect, it } from '@jest/globals';
import type { ComponentFixture } from '@angular/core/testing';

import type { FakeClient } from '../../../../test-support/fake-client';
import { member, members, message } from '../../../../test-support/fake-data';
import { element, maybe, provideApp, settle, visit } from '../../../../test-support/render';
import { routes } from '../../app.routes';
import { readersOf } from './readers';

const texts = (root: HTMLElement): string => root.textContent.replace(/\s+/g, ' ').trim();
const lines = (root: HTMLElement): string[] => [...root.querySelectorAll<HTMLElement>('li div')].map(texts);

async function open(): Promise<{ client: FakeClient; fixture: ComponentFixture<unknown>; row: HTMLElement }> {
  const client = provideApp('rooms', routes);
  const { fixture } = await visit('/room/room-rive');
  const readers = ['Lucie Marchand', 'Jonas Weber'];
  client.put(message('mine', 50, Date.now(), 0, 'Mine', { readBy: 2, readers }));
  await settle(fixture, 8);
  const row = (fixture.nativeElement as HTMLElement).querySelector<HTMLElement>('[data-id="mine"]');
  if (row === null) throw new Error('no row');
  return { client, fixture, row };
}

describe('“Read by 2 of 5”', () => {
  it('is a button that names who has read it, who has not, and up to where they have', async () => {
    const { fixture, row } = await open();
    const state = element(row, 'message-state');
    expect(state.tagName).toBe('BUTTON');
    expect(texts(state)).toBe('Read by 2 of 5');
    state.click();
    await settle(fixture);
    expect((fixture.nativeElement as HTMLElement).querySelector('dialog[open] h2')?.textContent).toBe(
      'Who has read it',
    );
    expect(lines(element(fixture, 'readers'))).toEqual([
      'Lucie Marchand Has read up to this message',
      'Jonas Weber Has read up to this message',
    ]);
    expect(lines(element(fixture, 'notYet'))).toEqual([
      expect.stringMatching(/^Maryam Haddad Has read up to “Le mot le plus long : .+…”, 00:11$/),
      'Tomás Prado Nothing is known: not opened yet, or reading is not told',
      expect.stringMatching(/^Inès Faure Has read up to “Le mot le plus long/),
    ]);
    element(fixture, 'readers-close').click();
    await settle(fixture);
    expect(maybe(fixture, 'readers')).toBeNull();
    expect((fixture.nativeElement as HTMLElement).querySelector('dialog[open]')).toBeNull();
  });

  it('follows who reads it while it is looked at, and closes when it is deleted', async () => {
    const { client, fixture, row } = await open();
    element(row, 'message-state').click();
    await settle(fixture);
    const readers = ['Lucie Marchand', 'Jonas Weber', 'Tomás Prado'];
    client.put(message('mine', 50, Date.now(), 0, 'Mine', { readBy: 3, readers }));
    await settle(fixture);
    expect(lines(element(fixture, 'readers'))).toHaveLength(3);
    client.put(message('mine', 50, Date.now(), 0, '', { deleted: true, readBy: 3, readers }));
    await settle(fixture);
    expect((fixture.nativeElement as HTMLElement).querySelector('dialog[open]')).toBeNull();
  });

  it('is no button while the message is on its way', async () => {
    const { client, fixture, row } = await open();
    client.put(message('mine', 50, Date.now(), 0, 'Mine', { state: 'sending', readBy: 0, readers: [] }));
    await settle(fixture);
    expect(element(row, 'message-state').tagName).toBe('SPAN');
  });
});

describe('who has read a message', () => {
  it('does not say which of two members of one name, nor drops one who has left', () => {
    const twin = member(3, { memberId: 'twin', name: 'Lucie Marchand', fingerprint: 'AAAABBBBCCCCDDDD' });
    const nameless = member(4, { name: '' });
    const all = [...members.slice(0, 2), twin, nameless];
    const readers = ['Lucie Marchand', 'Karim Aziz', 'D81B4F60A3C95E27'];
    const one = message('m', 1, 0, 0, 'One', { readers });
    const { read, unread } = readersOf(one, all, [one]);
    expect(read).toEqual([
      { name: 'Lucie Marchand', members: [members[1], twin], read: 1, upTo: null },
      { name: 'D81B4F60A3C95E27', members: [nameless], read: 1, upTo: one },
      { name: 'Karim Aziz', members: [], read: 1, upTo: one },
    ]);
    expect(unread).toEqual([]);
  });
});
