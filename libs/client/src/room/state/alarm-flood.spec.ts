/** Alarms without end: shown, counted, and bounded in the vault. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, toBase64Url, type AlarmCode, type Entry, type MemberId } from '@0fc/protocol';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import { alarm } from '../log/items.js';
import {
  alarmsOf,
  change,
  type RoomLog,
  readLog,
  recordsOf,
  readEntry,
  readGap,
  textsOf,
} from '../log/log.spec-support.js';
import { ALARMS_APART } from './alarm-flood.js';
import { append } from './draft.js';
import type { RoomState } from './state.js';

const FLOOD = 60;

let log: RoomLog;
let reader: RoomState;

const take = async (...entries: readonly Entry[]): Promise<void> => {
  for (const entry of entries) await readEntry(reader, entry);
};

/** An entry that nobody has made: in the name of the owner, or of anybody. */
const invented = (kind: Entry['kind'] = 'message', sender: string = log.owner.id): Promise<Entry> =>
  log.add(
    kind,
    sender as MemberId,
    nodeRandom.bytes(100),
    kind === 'message' ? log.clear() : nodeRandom.bytes(9),
  );

const counts = (): readonly (readonly [string, number, number, number])[] =>
  recordsOf(reader).flatMap(({ items }) =>
    items.flatMap((item) =>
      item.type === 'alarm' && item.numbers.times !== undefined
        ? [[item.code, item.numbers.times, item.numbers.first ?? -1, item.numbers.last ?? -1] as const]
        : [],
    ),
  );

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, reader } = await readLog());
});

describe('alarms of one code in a row', () => {
  test('G6: stand each by itself as long as they are few', async () => {
    for (let n = 0; n < ALARMS_APART; n++) await take(await invented());
    expect(alarmsOf(reader)).toHaveLength(ALARMS_APART);
    expect(counts()).toEqual([]);
  });

  test('G6: are counted in the last one from then on, with the first place and the last', async () => {
    const from = log.position.s + ALARMS_APART;
    for (let n = 0; n < FLOOD; n++) await take(await invented());
    expect(alarmsOf(reader)).toEqual(Array(ALARMS_APART).fill(ALARM_CODES.ALARM_UNREADABLE));
    expect(counts()).toEqual([
      [ALARM_CODES.ALARM_UNREADABLE, FLOOD - ALARMS_APART + 1, from, log.position.s],
    ]);
    // Genesis, the admission, and the alarms that stand by themselves.
    expect(recordsOf(reader)).toHaveLength(2 + ALARMS_APART);
    expect(reader.core.position).toEqual(log.position);
    expect(reader.core.t).toEqual(log.t);
    expect(reader.transcriptAt(log.position)).toEqual(log.t);
  });

  test('G6: are bounded whatever codes, senders and holes alternate', async () => {
    const before = recordsOf(reader).length;
    for (let n = 0; n < FLOOD; n++) {
      await take(await invented(), await invented('roster'), await invented('message', 'A'.repeat(22)));
      await invented(); // withheld
      const after = await invented('leaveRequest');
      await readGap(reader, after);
      await take(after);
    }
    const { ALARM_UNREADABLE, ALARM_BAD_ROSTER, ALARM_BAD_SIGNATURE, ALARM_GAP } = ALARM_CODES;
    const codes = [ALARM_UNREADABLE, ALARM_BAD_ROSTER, ALARM_BAD_SIGNATURE, ALARM_GAP];
    expect(recordsOf(reader).length - before).toBe(codes.length * ALARMS_APART);
    const sums = new Map(counts().map(([code, times]) => [code, times + ALARMS_APART - 1]));
    expect(sums).toEqual(
      new Map([
        [ALARM_UNREADABLE, FLOOD],
        [ALARM_BAD_ROSTER, FLOOD],
        [ALARM_BAD_SIGNATURE, 2 * FLOOD],
        [ALARM_GAP, FLOOD],
      ]),
    );
  });

  test('G7: of forks keep the name of each member, however many have another history', async () => {
    const members = Array.from(
      { length: ALARMS_APART + 1 },
      () => toBase64Url(nodeRandom.bytes(16)) as MemberId,
    );
    const told = (code: AlarmCode) =>
      change(reader, ...members.map((member, s) => append(null, 1, [alarm(code, member, { position: s })])));
    const named = (code: AlarmCode) =>
      recordsOf(reader).flatMap(({ items }) =>
        items.flatMap((item) => (item.type === 'alarm' && item.code === code ? [item.member] : [])),
      );
    await told(ALARM_CODES.ALARM_FORK);
    expect(named(ALARM_CODES.ALARM_FORK)).toEqual(members);
    expect(counts()).toEqual([]);
    // Of any other alarm the relay may invent the member: those count together, whoever is named.
    await told(ALARM_CODES.ALARM_BAD_SIGNATURE);
    expect(named(ALARM_CODES.ALARM_BAD_SIGNATURE)).toEqual(members.slice(0, ALARMS_APART));
    expect(counts()).toMatchObject([
      [ALARM_CODES.ALARM_BAD_SIGNATURE, 2, expect.any(Number), expect.any(Number)],
    ]);
    // And so do the forks of one member.
    const [member] = members;
    const again = append(null, 1, [alarm(ALARM_CODES.ALARM_FORK, member, { position: 1 })]);
    await change(reader, ...Array.from({ length: FLOOD }, () => again));
    const others = Array.from({ length: ALARMS_APART - 1 }, () => member);
    expect(named(ALARM_CODES.ALARM_FORK)).toEqual([...members, ...others]);
    expect(counts().map(([code, times]) => [code, times])).toEqual([
      [ALARM_CODES.ALARM_BAD_SIGNATURE, 2],
      [ALARM_CODES.ALARM_FORK, FLOOD + 1 - ALARMS_APART + 1],
    ]);
  });

  test('G6: of a later row are shown anew, after whatever somebody said', async () => {
    for (let n = 0; n < FLOOD; n++) await take(await invented());
    await take(await log.say(log.owner, 'is this the end?'));
    await take(await invented());
    expect(textsOf(reader)).toEqual(['is this the end?']);
    expect(alarmsOf(reader)).toHaveLength(ALARMS_APART + 1);
    expect(recordsOf(reader).at(-1)?.items).toMatchObject([{ type: 'alarm', numbers: {} }]);
  });
});
