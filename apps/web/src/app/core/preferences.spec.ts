import { afterEach, describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import { preferredLanguage, Preferences } from './preferences';

describe('what the user chose for this browser', () => {
  afterEach(() => localStorage.clear());

  it('is remembered, and has safe values before', () => {
    localStorage.clear();
    const first = TestBed.inject(Preferences);
    expect([first.spelling(), first.lockAfterMinutes(), first.theme()]).toEqual([false, 15, 'system']);
    first.chooseSpelling(true);
    first.chooseLockAfterMinutes(0);
    TestBed.resetTestingModule();
    const second = TestBed.inject(Preferences);
    expect([second.spelling(), second.lockAfterMinutes()]).toEqual([true, 0]);
  });

  it.each(['', '7', 'NaN', '-1', '1e9'])('takes no lock delay that is not offered: %j', (stored) => {
    localStorage.setItem('0fc.lockAfterMinutes', stored);
    expect(TestBed.inject(Preferences).lockAfterMinutes()).toBe(15);
  });

  it('holds in every tab', () => {
    const preferences = TestBed.inject(Preferences);
    dispatchEvent(new StorageEvent('storage', { key: '0fc.spelling', newValue: 'on' }));
    dispatchEvent(new StorageEvent('storage', { key: '0fc.lockAfterMinutes', newValue: '5' }));
    expect([preferences.spelling(), preferences.lockAfterMinutes()]).toEqual([true, 5]);
  });

  it('is the first of the browser’s languages that there is', () => {
    expect(preferredLanguage(null, ['de-DE', 'fr-CA', 'en'])).toBe('fr');
    expect(preferredLanguage('en', ['fr'])).toBe('en');
    expect(preferredLanguage('xx', ['de'])).toBe('en');
  });
});
