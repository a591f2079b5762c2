import { TestBed } from '@angular/core/testing';
import { expect, it, jest } from '@jest/globals';

import { provideApp } from '../../../test-support/render';
import { AppStore } from './app-store';
import { Waking } from './waking';

const shown = (state: DocumentVisibilityState): void => {
  jest.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
};
const paged = (persisted: boolean): boolean =>
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }));

it('has links looked after whenever this page may have been asleep, and only where a vault is open', async () => {
  for (const [scenario, wakes] of [
    ['rooms', 3],
    ['locked', 0],
  ] as const) {
    const client = provideApp(scenario);
    TestBed.inject(Waking);
    const store = TestBed.inject(AppStore);
    await TestBed.inject(AppStore).run((api) => api.watchRoom(null));
    TestBed.tick();
    expect(store.vault()).not.toBeNull();
    shown('hidden');
    shown('visible');
    paged(false);
    paged(true);
    window.dispatchEvent(new Event('online'));
    await TestBed.inject(AppStore).run((api) => api.watchRoom(null));
    expect(client.calls.filter((call) => call === 'wake')).toHaveLength(wakes);
    // Another page does not hear for this one.
    TestBed.resetTestingModule();
    window.dispatchEvent(new Event('online'));
    expect(client.calls.filter((call) => call === 'wake')).toHaveLength(wakes);
  }
});
