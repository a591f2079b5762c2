/** What each person's client shows of the room, for the checker. */
import { ALARM_CODES } from '@0fc/protocol';
import type { History, Shown } from '../support/checker.js';
import { shownOf } from '../support/member-process.js';
import type { Person } from './person.js';
import type { Line, Told } from './told.js';
import type { Room } from './world.js';

/** All that somebody's client shows of the room, and what of it may be missing or alarming. */
export async function historyOf(
  room: Room,
  told: Told,
  lines: readonly Line[],
  person: Person,
): Promise<History> {
  const { name, member, core } = person;
  while (member.room?.earlier === true) {
    await member.api.loadEarlier(room.roomId);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const names = new Map(room.here.map(({ id, name: called }) => [String(id), called]));
  const shown = member.items.flatMap((item) =>
    shownOf(item.type === 'message' ? { ...item, senderName: names.get(item.sender) ?? '' } : item),
  );
  const unread = room.losses.unread(told, person);
  const foretold = (line: Shown): boolean =>
    unread && ['removed', 'leaving', 'left'].includes(line.type) && 'member' in line && line.member === name;
  const cutOff: readonly Shown[] =
    unread && core?.stage === 'closed' ? [{ type: 'leaving', member: name }] : [];
  return {
    member: name,
    // Who went before it heard a name shows none: its place in the order is told by the others.
    shown: [
      ...shown.filter((line) => !('member' in line && line.member === '') && !foretold(line)),
      ...cutOff,
    ],
    alarms: member.alarms,
    expectedAlarms: expectedOf(room, person),
    missed: new Set([...missedOf(room, lines, person), ...room.losses.excused(person, lines)]),
  };
}

/** Who was not given a wrap, or had read what was lost, says so once it comes to that: all who are still here have. */
function expectedOf(room: Room, person: Person): readonly string[] {
  const { id, member, name } = person;
  const expected: string[] = [];
  if (id !== null && room.relay.wraps.from(id).length > 0) expected.push(ALARM_CODES.ALARM_NO_KEY);
  if (room.losses.witnessed(name)) expected.push(ALARM_CODES.ALARM_RELAY_LOST);
  const here = person.fate(room.roomId) === 'member';
  return expected.filter((code) => here || member.alarms.includes(code));
}

/** Lines of an epoch whose key did not come before the next one, as the client itself says that it has missed them. */
export function missedOf(room: Room, lines: readonly Line[], { id, member }: Person): ReadonlySet<string> {
  const kept = new Set(id === null ? [] : room.relay.wraps.from(id));
  const ranges = member.items.flatMap((item) =>
    item.type === 'system' && item.event === 'missed'
      ? [{ from: Number(item.params.from), to: Number(item.params.to) }]
      : [],
  );
  const missed = lines.filter(
    ({ epoch, position: { s } }) => kept.has(epoch) && ranges.some(({ from, to }) => from <= s && s <= to),
  );
  return new Set(missed.map((line) => line.id));
}
