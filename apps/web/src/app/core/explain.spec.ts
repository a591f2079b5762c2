import { describe, expect, it } from '@jest/globals';
import { TestBed } from '@angular/core/testing';

import { provideApp } from '../../../test-support/render';
import { Explain } from './explain';
import { Preferences } from './preferences';

const HOUR = 3_600_000;

describe('a wrong clock', () => {
  it.each([
    [{ skewMs: 50 * HOUR }, 'about 50 hours', 'environ 50 heures'],
    [{ skewMs: -30 * HOUR }, 'about 30 hours', 'environ 30 heures'],
    [{}, 'about 24 hours', 'environ 24 heures'],
  ])('is told in hours, with what to do (%j)', (params, english, french) => {
    provideApp('rooms');
    const explain = TestBed.inject(Explain);
    const failure = { code: 'CLOCK_WRONG', params };
    expect(explain.sentence(failure)).toContain(english);
    expect(explain.sentence(failure)).toContain('if nothing changes then, reload the page');
    TestBed.inject(Preferences).chooseLanguage('fr');
    expect(explain.sentence(failure)).toContain(french);
  });
});

describe('what members’ acts can end in', () => {
  it.each([
    ['OWNER_MUST_HAND_OVER', 'close it for everyone'],
    ['CANNOT_REMOVE_SELF', 'Hand the room over'],
    ['MEMBER_UNKNOWN', 'Look at the list again'],
    ['NO_OFFER', 'Look at the list again'],
    ['STILL_MEMBER', 'Leave it first'],
    ['MESSAGE_UNKNOWN', 'Load earlier messages'],
    ['NOT_YOURS', 'Ask them to'],
    ['EXPORT_CANCELLED', 'Export again'],
    ['EXPORT_DAMAGED', 'Fetch the file once more'],
  ])('%s says what can be done', (code, remedy) => {
    provideApp('rooms');
    expect(TestBed.inject(Explain).sentence({ code })).toContain(remedy);
  });
});

describe('an alarm about entries of the log', () => {
  it.each([
    ['ALARM_GAP', 12, 12, 'Entry 12 of this room did not arrive'],
    ['ALARM_GAP', 12, 40, 'Entries 12 to 40 of this room'],
    ['ALARM_RELAY_LOST', 7, 7, 'Entry 7 is gone'],
    ['ALARM_RELAY_LOST', 7, 9, 'Entries 7 to 9 are gone'],
  ])('%s names one as one: %i to %i', (code, from, to, words) => {
    provideApp('rooms');
    expect(TestBed.inject(Explain).alarm(code, { from, to }).text).toContain(words);
  });

  it('that knows of no range says what it always does', () => {
    provideApp('rooms');
    expect(TestBed.inject(Explain).alarm('ALARM_UNREADABLE', { member: 'Lucie' }).text).toContain(
      'said to be from Lucie',
    );
  });
});
