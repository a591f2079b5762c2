import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';
import type { ClientEvent, TimelineItem } from '@0fc/client/api';

import { appView, message, roomView } from '../../../test-support/fake-data';
import { timeline } from '../../../test-support/fake-timeline';
import { provideApp } from '../../../test-support/render';
import { AppStore } from './app-store';
import type { ClientConnection } from './client-connection';
import { OPEN_CLIENT } from './client-connection';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const change = (items: readonly TimelineItem[], more: object = {}): ClientEvent => ({
  type: 'timeline',
  roomId: 'room-rive',
  reset: false,
  items,
  removed: [],
  ...more,
});

describe('the state of the page', () => {
  it('keeps the timeline in the order of the room, replaces by id and removes', async () => {
    const client = provideApp('rooms');
    const store = TestBed.inject(AppStore);
    await turn();
    await store.watch('room-rive');
    expect(store.loaded()).toBe(true);
    client.emit(change([message('late', 3.5, 1, 1, 'between')]));
    client.emit(change([message('m8', 12, 1, 0, 'now relayed', { state: 'relayed' })], { removed: ['m7'] }));
    const ids = store.timeline().map(({ id }) => id);
    expect(ids.slice(3, 6)).toEqual(['s1', 'late', 'm3']);
    expect(ids).not.toContain('m7');
    expect(ids.filter((id) => id === 'm8')).toHaveLength(1);
    client.emit(change(timeline.slice(0, 1), { reset: true }));
    expect(store.timeline()).toHaveLength(1);
  });

  it('puts the unread line before the first unread message of others', async () => {
    provideApp('rooms');
    const store = TestBed.inject(AppStore);
    await turn();
    await store.watch('room-rive');
    expect(store.unreadFrom()?.id).toBe('m6');
  });

  it('keeps the unread line where it was when the room was opened', async () => {
    const client = provideApp('rooms');
    const store = TestBed.inject(AppStore);
    await turn();
    await store.watch('room-rive');
    await store.markRead('room-rive');
    expect(store.room()?.unreadFrom).toBeGreaterThan(10);
    expect(store.unreadFrom()?.id).toBe('m6');
    client.emit(change([message('older', 9.5, 1, 1, 'came with the older ones, new as well')]));
    expect(store.unreadFrom()?.id).toBe('m6');
    store.clearUnreadLine();
    client.emit(change([message('later', 20, 1, 1, 'said while the room is open')]));
    expect(store.unreadFrom()).toBeNull();
  });

  it('draws no line in a room that was read to its end', async () => {
    const client = provideApp('events');
    const store = TestBed.inject(AppStore);
    await turn();
    await store.watch('room-rive');
    client.emit(change([message('later', 200, 1, 1, 'said while the room is open')]));
    expect(store.unreadFrom()).toBeNull();
  });

  it('lets a worker know before all else what an earlier version was told not to share, and leaves it to the vault', async () => {
    localStorage.setItem('0fc.presence', 'off');
    localStorage.setItem('0fc.typing', 'on');
    localStorage.setItem('0fc.readReceipts', 'off');
    const client = provideApp('locked');
    const store = TestBed.inject(AppStore);
    await turn();
    expect(client.calls).toEqual(['share {"receipts":false,"presence":false}']);
    store.restart();
    await turn();
    expect(client.calls).toHaveLength(2);
    await store.run((api) => api.unlock('right'));
    await turn();
    store.restart();
    await turn();
    expect(client.calls.filter((call) => call.startsWith('share'))).toHaveLength(2);
    const former = ['0fc.presence', '0fc.typing', '0fc.readReceipts'];
    expect(former.map((key) => localStorage.getItem(key))).toEqual([null, null, null]);
  });

  it('takes nothing in for a room that is no longer watched', async () => {
    const client = provideApp('rooms');
    const store = TestBed.inject(AppStore);
    await turn();
    await store.watch('room-rive');
    await store.watch(null);
    client.emit({ type: 'room', room: roomView() });
    client.emit(change(timeline));
    expect(store.room()).toBeNull();
    expect(store.timeline()).toEqual([]);
  });

  it('forgets everything when it locks, ends the worker and does not hear it any more', async () => {
    const client = provideApp('rooms');
    const store = TestBed.inject(AppStore);
    await turn();
    await store.watch('room-rive');
    store.drafts.keep('room-rive', 'half a sentence');
    let closed = false;
    client.close = () => {
      closed = true;
    };
    const locked = store.lock();
    expect([store.app(), store.room(), store.drafts.text('room-rive')]).toEqual([null, null, '']);
    expect(store.timeline()).toEqual([]);
    client.emit({ type: 'app', app: appView() });
    expect(store.app()).toBeNull();
    await locked;
    expect(client.calls).toEqual(['setDraft half a sentence', 'lock']);
    expect(closed).toBe(true);
    expect(store.lockedAt()).not.toBeNull();
  });

  it('turns a worker that fails into a failure with a code and no words of its own', async () => {
    TestBed.configureTestingModule({
      providers: [
        {
          provide: OPEN_CLIENT,
          useValue: (): ClientConnection =>
            ({
              api: { unlock: () => Promise.reject(new Error('the passphrase was x')) },
              subscribe: () => Promise.reject(new Error('VAULT_UNAVAILABLE')),
              close: () => undefined,
            }) as unknown as ClientConnection,
        },
      ],
    });
    const store = TestBed.inject(AppStore);
    await turn();
    expect(store.broken()).toEqual({ code: 'VAULT_UNAVAILABLE' });
    expect(await store.run((api) => api.unlock('x'))).toEqual({
      ok: false,
      error: { code: 'CLIENT_STOPPED' },
    });
  });
});
