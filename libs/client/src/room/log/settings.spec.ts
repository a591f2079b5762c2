/** What the line of a settings change says (docs/protocol.md section 4). */
import { describe, expect, test } from '@jest/globals';
import { SETTINGS_BOUNDS, SETTINGS_FIELDS, type RoomSettings } from '@0fc/protocol';
import fc from 'fast-check';
import { sameSettings, settingsNumbers } from './settings.js';

const bounded = (name: keyof typeof SETTINGS_BOUNDS) =>
  fc.integer({ min: SETTINGS_BOUNDS[name][0], max: SETTINGS_BOUNDS[name][1] });
const anySettings: fc.Arbitrary<RoomSettings> = fc.record({
  rotateEvery: bounded('rotateEvery'),
  maxMembers: bounded('maxMembers'),
  history: bounded('history'),
  approval: fc.boolean(),
  joinDeadline: bounded('joinDeadline'),
});

describe('a change of the settings', () => {
  test('says every value that changed, with what it was, and no other', () => {
    fc.assert(
      fc.property(anySettings, anySettings, fc.subarray([...SETTINGS_FIELDS]), (was, other, changed) => {
        const now = { ...was, ...Object.fromEntries(changed.map((name) => [name, other[name]])) };
        const said = settingsNumbers(was, now, 3);
        for (const name of SETTINGS_FIELDS) {
          const expected = was[name] === now[name] ? undefined : [Number(was[name]), Number(now[name])];
          expect(said[name] === undefined ? undefined : [said[`${name}Was`], said[name]]).toEqual(expected);
        }
        expect(Object.keys(said).length === 0).toBe(sameSettings(was, now));
      }),
    );
  });

  test('warns of a history, a room and a deadline that are too small, and only where that is new', () => {
    const was = {
      rotateEvery: 100,
      maxMembers: 256,
      history: 100_000,
      approval: true,
      joinDeadline: 86_400_000,
    };
    const low = (change: Partial<RoomSettings>): readonly string[] =>
      Object.keys(settingsNumbers(was, { ...was, ...change }, 3)).filter((name) => name.endsWith('Low'));
    expect([low({ history: 999 }), low({ history: 1_000 })]).toEqual([['historyLow'], []]);
    expect([low({ maxMembers: 3 }), low({ maxMembers: 4 })]).toEqual([['maxMembersLow'], []]);
    expect([low({ joinDeadline: 3_599_999 }), low({ joinDeadline: 3_600_000 })]).toEqual([
      ['joinDeadlineLow'],
      [],
    ]);
    expect(low({ rotateEvery: 1, approval: false })).toEqual([]);
  });
});
