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
  jest.useFakeTimers();
  for (const [scenario, wakes] of [
    ['rooms', 3],
    ['locked', 0],
  ] as const) {
    const client = provideApp(scenario);
    TestBed.inject(Waking);
    const store = TestBed.inject(AppStore);
    const watched = TestBed.inject(AppStore).run((api) => api.watchRoom(null));
    await jest.advanceTimersByTimeAsync(1_000);
    await watched;
    TestBed.tick();
    expect(store.vault()).not.toBeNull();
    shown('hidden');
    shown('visible');
    // What comes with it is one of it, and what comes after it the next.
    paged(false);
    paged(true);
    window.dispatchEvent(new Event('online'));
    await jest.advanceTimersByTimeAsync(1_000);
    await jest.advanceTimersByTimeAsync(1_000);
    paged(true);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(client.calls.filter((call) => call === 'wake')).toHaveLength(wakes);
    // Another page does not hear for this one.
    TestBed.resetTestingModule();
    window.dispatchEvent(new Event('online'));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(client.calls.filter((call) => call === 'wake')).toHaveLength(wakes);
  }
  jest.useRealTimers();
});
