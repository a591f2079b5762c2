import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import type { FakeClient } from '../../../test-support/fake-client';
import { provideApp, render } from '../../../test-support/render';
import { ReturnPassphrase } from '../features/unlock/return-passphrase';
import { AppStore } from './app-store';
import { IdleLock } from './idle-lock';
import type { LockDelay } from './preferences';
import { Preferences } from './preferences';

const MINUTE = 60_000;
let client: FakeClient;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
  localStorage.clear();
});

async function begin(minutes: LockDelay, scenario = 'rooms'): Promise<void> {
  client = provideApp(scenario);
  TestBed.inject(Preferences).chooseLockAfterMinutes(minutes);
  TestBed.inject(IdleLock);
  await turn();
}

/** Lets effects and answers come through, in no time to speak of. */
async function turn(): Promise<void> {
  TestBed.tick();
  await jest.advanceTimersByTimeAsync(5);
  TestBed.tick();
}

const locks = (): number => client.calls.filter((call) => call === 'lock').length;

describe('the idle lock', () => {
  it('locks once nobody has given a sign for as long as was chosen, not before', async () => {
    await begin(5);
    await jest.advanceTimersByTimeAsync(5 * MINUTE - 100);
    expect(locks()).toBe(0);
    await jest.advanceTimersByTimeAsync(200);
    expect(locks()).toBe(1);
    expect(TestBed.inject(IdleLock).lockedAfter()).toBe(5);
  });

  it.each(['keydown', 'pointerdown', 'pointermove', 'touchstart', 'wheel'])(
    'begins anew with each %s',
    async (sign) => {
      await begin(5);
      for (let round = 0; round < 4; round++) {
        await jest.advanceTimersByTimeAsync(4 * MINUTE);
        window.dispatchEvent(new Event(sign));
      }
      expect(locks()).toBe(0);
      await jest.advanceTimersByTimeAsync(5 * MINUTE);
      expect(locks()).toBe(1);
    },
  );

  it('never locks where never was chosen, nor what is not open', async () => {
    await begin(0);
    await jest.advanceTimersByTimeAsync(600 * MINUTE);
    expect(locks()).toBe(0);
    TestBed.resetTestingModule();
    await begin(1, 'locked');
    await jest.advanceTimersByTimeAsync(600 * MINUTE);
    expect(locks()).toBe(0);
  });

  it('follows a delay that is changed while open', async () => {
    await begin(60);
    await jest.advanceTimersByTimeAsync(2 * MINUTE);
    TestBed.inject(Preferences).chooseLockAfterMinutes(1);
    await turn();
    expect(locks()).toBe(0);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(locks()).toBe(1);
  });

  it('locks on waking from a sleep, before the first sign counts', async () => {
    await begin(5);
    // The clock goes on in sleep, timers do not.
    jest.setSystemTime(Date.now() + 8 * 60 * MINUTE);
    window.dispatchEvent(new Event('keydown'));
    await turn();
    expect(locks()).toBe(1);
  });

  it('looks again when the tab is shown', async () => {
    await begin(5);
    jest.setSystemTime(Date.now() + 6 * MINUTE);
    document.dispatchEvent(new Event('visibilitychange'));
    await turn();
    expect(locks()).toBe(1);
  });

  it('is told apart on the unlock screen from a lock by hand', async () => {
    await begin(5);
    await jest.advanceTimersByTimeAsync(5 * MINUTE);
    jest.useRealTimers();
    const fixture = await render(ReturnPassphrase);
    const lead = (): string =>
      (fixture.nativeElement as HTMLElement).querySelector('.muted')?.textContent ?? '';
    expect(lead()).toMatch(/after 5 minutes without use.*nothing is lost/);
    TestBed.inject(Preferences).chooseLanguage('fr');
    await fixture.whenStable();
    expect(lead()).toContain('après 5 minutes sans activité');
    expect(TestBed.inject(AppStore).lockedAt()).not.toBeNull();
  });
});
