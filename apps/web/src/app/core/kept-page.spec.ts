import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import type { FakeClient } from '../../../test-support/fake-client';
import { provideApp } from '../../../test-support/render';
import { AppStore } from './app-store';
import { KeptPage } from './kept-page';

/** jsdom has no such event of its own. */
const transition = (type: 'pagehide' | 'pageshow', persisted: boolean): boolean =>
  window.dispatchEvent(Object.assign(new Event(type), { persisted }));

let client: FakeClient;
let store: AppStore;

const answered = () => jest.advanceTimersByTimeAsync(5);

beforeEach(async () => {
  jest.useFakeTimers();
  client = provideApp('rooms');
  store = TestBed.inject(AppStore);
  TestBed.inject(KeptPage);
  await answered();
});

describe('a page that the browser keeps when it is left', () => {
  it('ends its worker and shows nothing of what it held, and begins anew when it is shown again', async () => {
    const close = jest.spyOn(client, 'close');
    expect(store.app()).not.toBeNull();
    transition('pagehide', true);
    expect(close).toHaveBeenCalledTimes(1);
    await answered();
    expect(store.app()).toBeNull();
    transition('pageshow', true);
    await answered();
    expect(store.app()).not.toBeNull();
  });

  it('leaves its worker alone where the page goes for good, or comes for the first time', async () => {
    const close = jest.spyOn(client, 'close');
    transition('pagehide', false);
    transition('pageshow', false);
    await answered();
    expect(close).not.toHaveBeenCalled();
    expect(store.app()).not.toBeNull();
  });
});
