/** That the checker finds each kind of violation, and only where there is one. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { check, expectSound, type History, type Room, type Sent, type Shown } from '../support/checker.js';

const message = (id: string, sender = 'Amina'): Shown => ({
  type: 'message',
  id,
  sender,
  text: `text ${id}`,
});
const sent = (id: string, sender = 'Amina', acknowledged = true): Sent => ({
  id,
  sender,
  text: `text ${id}`,
  acknowledged,
});
const mark = (type: 'admitted' | 'removed' | 'leaving' | 'left', member: string): Shown => ({ type, member });
const rotated = (epoch: number): Shown => ({ type: 'rotated', epoch });
const history = (member: string, shown: readonly Shown[], alarms: readonly string[] = []): History => ({
  member,
  shown,
  alarms,
});

/** What happened: Amina makes the room, Tomás comes at once, Inès after a rotation; Tomás is removed, Inès leaves. */
const STORY: readonly Shown[] = [
  { type: 'created' },
  mark('admitted', 'Tomás'),
  message('1'),
  message('2', 'Tomás'),
  rotated(2),
  message('3'),
  mark('admitted', 'Inès'),
  message('4', 'Inès'),
  message('5', 'Tomás'),
  mark('removed', 'Tomás'),
  rotated(3),
  message('6'),
  message('7', 'Inès'),
  mark('leaving', 'Inès'),
  message('8'),
  mark('left', 'Inès'),
  rotated(4),
  message('9'),
];
const upTo = (shown: Shown): number => STORY.indexOf(STORY.find((line) => same(line, shown)) ?? shown) + 1;
const same = (a: Shown, b: Shown): boolean => JSON.stringify(a) === JSON.stringify(b);
const AMINA = history('Amina', STORY);
const TOMAS = history('Tomás', STORY.slice(1, upTo(mark('removed', 'Tomás'))));
const INES = history(
  'Inès',
  STORY.slice(upTo(rotated(2)), upTo(mark('leaving', 'Inès'))).filter(
    (line) => line.type !== 'rotated' || line.epoch > 2,
  ),
);
const SENT = STORY.flatMap((line) => (line.type === 'message' ? [sent(line.id, line.sender)] : []));
const ROOM: Room = { histories: [AMINA, TOMAS, INES], sent: SENT };

/** The room with one member's list changed. */
const withList = (member: string, change: (shown: readonly Shown[]) => readonly Shown[]): Room => ({
  ...ROOM,
  histories: ROOM.histories.map((known) =>
    known.member === member ? { ...known, shown: change(known.shown) } : known,
  ),
});
const without = (id: string) => (shown: readonly Shown[]) =>
  shown.filter((line) => line.type !== 'message' || line.id !== id);
const kinds = (room: Room): readonly string[] => [
  ...new Set(check(room).map(({ kind, member }) => `${kind} ${member}`)),
];

describe('the checker', () => {
  test('finds nothing in a sound room', () => {
    expect(check(ROOM)).toEqual([]);
    expect(() => expectSound(ROOM)).not.toThrow();
  });

  test('finds a message that one member lost, whoever it is', () => {
    expect(kinds(withList('Amina', without('9')))).toEqual(['LOST everybody']);
    expect(kinds(withList('Amina', without('3')))).toEqual(['LOST Amina']);
    expect(kinds(withList('Tomás', without('1')))).toEqual(['LOST Tomás']);
    expect(kinds(withList('Inès', without('6')))).toEqual(['LOST Inès']);
  });

  test('finds a message that its sender sent unacknowledged and others show, where one lacks it', () => {
    const room = withList('Tomás', without('3'));
    expect(kinds({ ...room, sent: SENT.map((known) => ({ ...known, acknowledged: false })) })).toEqual([
      'LOST Tomás',
    ]);
  });

  test('asks of those who have gone no more than they were served', () => {
    expect(check(withList('Tomás', (shown) => shown.slice(0, 5)))).toEqual([]);
    expect(check(withList('Inès', (shown) => shown.slice(0, -1)))).toEqual([]);
    // With their last line cut off and one before it missing, that one is lost all the same.
    expect(kinds(withList('Tomás', (shown) => without('2')(shown.slice(0, 5))))).toEqual(['LOST Tomás']);
  });

  test('finds two orders, and names both lines', () => {
    const swapped = withList('Tomás', (shown) => {
      const [a, b] = [
        shown.findIndex((line) => same(line, message('1'))),
        shown.findIndex((line) => same(line, message('2', 'Tomás'))),
      ];
      return shown.map((line, at) => (at === a ? shown[b]! : at === b ? shown[a]! : line));
    });
    const [violation] = check(swapped).filter(({ kind }) => kind === 'ORDER');
    expect(violation).toEqual({
      kind: 'ORDER',
      member: 'Amina',
      what: '“text 1” of Amina before “text 2” of Tomás, Tomás the other way round',
    });
  });

  test('finds orders that only three lists together contradict', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => message(id));
    const lists = [
      [a!, b!],
      [b!, c!],
      [c!, a!],
    ].map((shown, at) => history(`member ${String(at)}`, shown));
    const [violation] = check({ histories: lists, sent: ['a', 'b', 'c'].map((id) => sent(id)) });
    expect(violation?.kind).toBe('ORDER');
    expect(violation?.what).toContain('“text a” of Amina');
  });

  test('finds what is shown twice', () => {
    expect(kinds(withList('Inès', (shown) => [...shown, message('4', 'Inès')]))).toEqual(['TWICE Inès']);
    expect(kinds(withList('Amina', (shown) => [...shown, rotated(4)]))).toEqual(['TWICE Amina']);
  });

  test('finds what nobody sent, and what was sent otherwise', () => {
    expect(kinds(withList('Amina', (shown) => [...shown, message('forged')]))).toEqual(['INVENTED Amina']);
    const changed = (line: Shown): Shown =>
      line.type === 'message' && line.id === '3' ? { ...line, text: 'other' } : line;
    expect(kinds(withList('Inès', (shown) => shown.map(changed)))).toEqual(['CHANGED Inès']);
    const stolen = (line: Shown): Shown =>
      line.type === 'message' && line.id === '3' ? { ...line, sender: 'Tomás' } : line;
    expect(kinds(withList('Amina', (shown) => shown.map(stolen)))).toEqual(['CHANGED Amina']);
  });

  test('finds what lies before a floor and after an end', () => {
    expect(kinds(withList('Inès', (shown) => [message('1'), ...shown]))).toEqual(['BEFORE_FLOOR Inès']);
    expect(kinds(withList('Tomás', (shown) => [...shown, message('6')]))).toEqual(['AFTER_END Tomás']);
    expect(kinds(withList('Inès', (shown) => [...shown, message('9')]))).toEqual(['AFTER_END Inès']);
  });

  test('finds an alarm that was not to come, and the lack of one that was', () => {
    const alarmed: Room = { ...ROOM, histories: [AMINA, TOMAS, { ...INES, alarms: ['ALARM_FORK'] }] };
    expect(kinds(alarmed)).toEqual(['ALARM Inès']);
    const expected: Room = {
      ...ROOM,
      histories: [AMINA, TOMAS, { ...INES, expectedAlarms: ['ALARM_RELAY_LOST'] }],
    };
    expect(kinds(expected)).toEqual(['NO_ALARM Inès']);
    const both: Room = {
      ...ROOM,
      histories: [
        AMINA,
        TOMAS,
        { ...INES, alarms: ['ALARM_RELAY_LOST'], expectedAlarms: ['ALARM_RELAY_LOST'] },
      ],
    };
    expect(check(both)).toEqual([]);
  });

  test('finds an acknowledged message that nobody shows', () => {
    const room: Room = { ...ROOM, sent: [...SENT, sent('10', 'Inès')] };
    expect(check(room)).toEqual([{ kind: 'LOST', member: 'everybody', what: '“text 10” of Inès' }]);
    expect(check({ ...ROOM, sent: [...SENT, sent('10', 'Inès', false)] })).toEqual([]);
    expect(() => expectSound(room)).toThrow(/1 violations\n {2}LOST everybody: “text 10” of Inès/);
  });

  test('lets what a store has lost stand elsewhere, once, and asks for it of those who were there', () => {
    const moved = withList('Tomás', (shown) => [...without('1')(shown), message('1')]);
    expect(kinds(moved)).toContain('ORDER Amina');
    const displaced = new Set(['1']);
    expect(check({ ...moved, displaced })).toEqual([]);
    expect(kinds({ ...withList('Tomás', (shown) => [...shown, message('1')]), displaced })).toEqual([
      'TWICE Tomás',
    ]);
    expect(
      kinds({ ...ROOM, histories: [history('Amina', without('1')(STORY)), TOMAS, INES], displaced }),
    ).toEqual(['LOST Amina']);
  });

  test('excuses who says that it has missed a message, and nobody else', () => {
    const gap = withList('Tomás', without('2'));
    expect(kinds(gap)).toEqual(['LOST Tomás']);
    const excused = (member: string): Room => ({
      ...gap,
      histories: gap.histories.map((one) =>
        one.member === member ? { ...one, missed: new Set(['2']) } : one,
      ),
    });
    expect(kinds(excused('Tomás'))).toEqual([]);
    expect(kinds(excused('Amina'))).toEqual(['LOST Tomás']);
  });

  test('finds any one message taken out of the middle of a list, and any two neighbours swapped', () => {
    const between = STORY.map((_, at) => at).filter((at) => STORY[at]?.type === 'message');
    fc.assert(
      fc.property(fc.constantFrom(...between), fc.boolean(), (at, swap) => {
        const list = [...STORY];
        const [line] = list.splice(at, 1);
        if (swap) list.splice(at - 1, 0, line!);
        const found = check({ ...ROOM, histories: [AMINA, history('Bruno', list), TOMAS, INES] });
        expect(found.length).toBeGreaterThan(0);
      }),
    );
  });
});
