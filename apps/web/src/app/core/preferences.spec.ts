import { afterEach, describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import { preferredLanguage, Preferences } from './preferences';

describe('what the user chose for this browser', () => {
  afterEach(() => localStorage.clear());

  it('is remembered, and has safe values before', () => {
    localStorage.clear();
    const first = TestBed.inject(Preferences);
    expect([first.readReceipts(), first.lockAfterMinutes(), first.theme()]).toEqual([true, 15, 'system']);
    first.chooseReadReceipts(false);
    first.chooseLockAfterMinutes(0);
    TestBed.resetTestingModule();
    const second = TestBed.inject(Preferences);
    expect([second.readReceipts(), second.lockAfterMinutes()]).toEqual([false, 0]);
  });

  it.each(['', '7', 'NaN', '-1', '1e9'])('takes no lock delay that is not offered: %j', (stored) => {
    localStorage.setItem('0fc.lockAfterMinutes', stored);
    expect(TestBed.inject(Preferences).lockAfterMinutes()).toBe(15);
  });

  it('holds in every tab', () => {
    const preferences = TestBed.inject(Preferences);
    dispatchEvent(new StorageEvent('storage', { key: '0fc.readReceipts', newValue: 'off' }));
    dispatchEvent(new StorageEvent('storage', { key: '0fc.lockAfterMinutes', newValue: '5' }));
    expect([preferences.readReceipts(), preferences.lockAfterMinutes()]).toEqual([false, 5]);
  });

  it('is the first of the browser’s languages that there is', () => {
    expect(preferredLanguage(null, ['de-DE', 'fr-CA', 'en'])).toBe('fr');
    expect(preferredLanguage('en', ['fr'])).toBe('en');
    expect(preferredLanguage('xx', ['de'])).toBe('en');
  });
});
