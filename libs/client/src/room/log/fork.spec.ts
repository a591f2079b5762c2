/**
 * A member had seen a position that does not exist any more, as the relay has announced here: unverifiable while that
 * member may not know of it, and a fork after that (docs/threat-model.md, G7).
 */
import { transcriptHash } from '@0fc/crypto/verify';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type Bytes, type Position } from '@0fc/protocol';
import { sealSignal } from '@0fc/crypto/keys';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { alarmsOf, RoomLog, readEntry, readGeneration, type Person } from './log.spec-support.js';
import { Signals } from '../member/signals.js';
import { compareSeen, generationEndedAt, type Made } from './fork.js';

const START = 1_700_000_000_000;
const MINUTE = 60_000;

let log: RoomLog;
let other: Person;
let clock: FakeClock;
let room: FakeRoom;
/** the end of the log when the relay announced the end of its generation */
let end: Position;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  const first = await log.admit();
  const second = await log.admit();
  other = second.person;
  clock = new FakeClock(START);
  room = new FakeRoom(await log.reader(first.person), clock);
  for (const entry of [first.entry, second.entry]) await readEntry(room.state, entry);
  end = log.position;
  // Nothing of what is here is lost: only the relay’s word says that there is no more of that generation.
  await readGeneration(room.state, { generation: START, from: end }, clock.now());
});

/** A place after the end of the generation that is over: where others have read on, if it is not. */
const beyond = (): { position: Position; t: Bytes } => ({
  position: { g: end.g, s: end.s + 2 },
  t: nodeRandom.bytes(32),
});
const judged = (kind: Made['kind'], at: number): string => compareSeen(room.state, beyond(), { kind, at });

describe('a place in a generation that is over here', () => {
  test.each([
    ['signal', MINUTE],
    ['message', 10 * MINUTE],
  ] as const)('G7: made by a %s is no alarm for %i ms, and one from then on', (kind, within) => {
    expect(judged(kind, START - 1)).toBe('unknown');
    expect(judged(kind, START + within)).toBe('unknown');
    expect(judged(kind, START + within + 1)).toBe('differs');
  });

  test('is over from when this client was told, and no place before its end is', async () => {
    expect(generationEndedAt(room.state, beyond().position)).toBe(START);
    expect(generationEndedAt(room.state, end)).toBeNull();
    expect(generationEndedAt(room.state, { g: START, s: end.s + 1 })).toBeNull();
    // A later generation does not restart the time.
    clock.advance(5 * MINUTE);
    const later = { generation: START + 5 * MINUTE, from: { g: START, s: end.s } };
    await readGeneration(room.state, later, clock.now());
    expect(generationEndedAt(room.state, beyond().position)).toBe(START);
  });

  test('is compared where this client has read it', () => {
    const t = transcriptHash(log.t);
    const at = START + 60 * MINUTE;
    expect(compareSeen(room.state, { position: end, t }, { kind: 'signal', at })).toBe('same');
    const other32 = nodeRandom.bytes(32);
    expect(compareSeen(room.state, { position: end, t: other32 }, { kind: 'signal', at: START })).toBe(
      'differs',
    );
  });
});

describe('presence from there', () => {
  let signals: Signals;

  beforeEach(() => {
    signals = new Signals(room, () => true);
  });

  async function hear(sentAt = clock.now()): Promise<void> {
    const { position: seen, t } = beyond();
    const body = {
      roomId: log.roster.roomId, epoch: log.epoch, sender: other.id, instance: other.instance, counter: clock.now(), sentAt,
      content: { type: 'presence', seen: { position: seen, t: t.slice(0, 32) }, head: log.roster.head },
    } as const; // prettier-ignore
    const payload = sealSignal({ identity: other.identity, roomKey: log.key, body });
    signals.onSignal({ sender: other.id, epoch: log.epoch, payload });
    await room.settled();
  }

  test('G7: is told as a fork, once, when more than a minute has passed and the relay’s loss was none', async () => {
    signals.live();
    clock.advance(MINUTE - 1);
    await hear();
    expect(alarmsOf(room.state)).toEqual([]);
    clock.advance(2);
    await hear();
    expect(alarmsOf(room.state)).toEqual([ALARM_CODES.ALARM_FORK]);
    clock.advance(MINUTE);
    await hear();
    expect(alarmsOf(room.state)).toEqual([ALARM_CODES.ALARM_FORK]);
  });

  test('G5: of another time than now says nothing, whatever it has seen', async () => {
    signals.live();
    clock.advance(10 * MINUTE);
    await hear(clock.now() - 31_000);
    await hear(clock.now() + 31_000);
    expect(alarmsOf(room.state)).toEqual([]);
  });
});

describe('a message from there', () => {
  test.each([
    [10 * MINUTE, []],
    [10 * MINUTE + 1, [ALARM_CODES.ALARM_FORK]],
  ] as const)(
    'G7: written %i ms after the end is judged by its sender’s signed word',
    async (after, alarms) => {
      // The log goes on here in the new generation; its sender does not know of one.
      log.position = room.state.core.position;
      log.t = room.state.core.t;
      const entry = await log.say(other, 'and on', { seen: beyond(), sentAt: START + after });
      await readEntry(room.state, entry);
      expect(alarmsOf(room.state)).toEqual(alarms);
    },
  );
});
