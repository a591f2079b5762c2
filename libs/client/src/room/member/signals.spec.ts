/** Typing and presence (docs/protocol.md section 6; G3 to G7, G10): which count, which are dropped, which are sent. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type Body, type Bytes, type MemberId, type SignalContent } from '@0fc/protocol';
import { asRoomKey, openSignal, sealSignal } from '@0fc/crypto/keys';
import { transcriptHash } from '@0fc/crypto/verify';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { alarmsOf, change, recordsOf, RoomLog, readEntry, type Person } from '../log/log.spec-support.js';
import { Signals } from './signals.js';
import { set } from '../state/draft.js';

const START = 1_700_000_000_000;
const MINUTE = 60_000;

let log: RoomLog;
let me: Person;
let other: Person;
let clock: FakeClock;
let room: FakeRoom;
let signals: Signals;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  const first = await log.admit();
  const second = await log.admit();
  me = first.person;
  other = second.person;
  clock = new FakeClock(START);
  const state = await log.reader(me);
  room = new FakeRoom(state, clock);
  for (const entry of [first.entry, second.entry]) await readEntry(state, entry);
  signals = new Signals(room, () => true);
});

const typing: SignalContent = { type: 'typing' };
const presence = (change: Partial<Extract<SignalContent, { type: 'presence' }>> = {}): SignalContent => ({
  type: 'presence',
  seen: { position: log.position, t: transcriptHash(log.t) },
  head: log.roster.head,
  ...change,
});

/** A signal as `person` seals it now. */
function sealed(person: Person, content: SignalContent, change: Partial<Body<'signal'>> = {}, key = log.key) {
  const body = {
    roomId: log.roster.roomId, epoch: log.epoch, sender: person.id, instance: person.instance, counter: clock.now(),
    sentAt: clock.now(), content, ...change,
  }; // prettier-ignore
  const payload = sealSignal({ identity: person.identity, roomKey: key, body });
  return { sender: body.sender, epoch: body.epoch, payload };
}

const hear = async (signal: { sender: MemberId; epoch: number; payload: Bytes }): Promise<void> => {
  signals.onSignal(signal);
  await room.settled();
};

/** Signals sent so far, opened. */
const said = (): readonly Body<'signal'>[] =>
  room.sent.map(({ body }) => {
    const { epoch, payload } = body as { epoch: number; payload: Bytes };
    return openSignal({
      roomKey: log.key, roomId: log.roster.roomId, epoch, sender: me.id, senderKey: me.identity.publicKey, payload,
    }); // prettier-ignore
  });
const typesSaid = (): readonly string[] => said().map(({ content }) => content.type);

describe('typing', () => {
  test('is shown for eight seconds, and the views are told when it ends', async () => {
    signals.live();
    await hear(sealed(other, typing));
    expect(signals.typingNow()).toEqual([other.id]);
    clock.advance(7_999);
    expect(signals.typingNow()).toEqual([other.id]);
    const { changes } = room;
    clock.advance(1);
    expect(signals.typingNow()).toEqual([]);
    expect(room.changes).toBeGreaterThan(changes);
  });

  test('ends with a message of that member, and not with an earlier one', async () => {
    await readEntry(room.state, await log.say(other, 'before'));
    await hear(sealed(other, typing));
    expect(signals.typingNow()).toEqual([other.id]);
    await readEntry(room.state, await log.say(log.owner, 'another member'));
    expect(signals.typingNow()).toEqual([other.id]);
    await readEntry(room.state, await log.say(other, 'here it is'));
    expect(signals.typingNow()).toEqual([]);
  });

  test('is said at most every four seconds', async () => {
    for (let n = 0; n < 10; n++) {
      signals.typing();
      clock.advance(1_000);
    }
    await room.settled();
    expect(typesSaid()).toEqual(['typing', 'typing', 'typing']);
    expect(said().map(({ counter }) => counter)).toEqual([START, START + 1, START + 2]);
  });
});

describe('presence', () => {
  test('is said at once when the room goes live, then every minute, and no more once it is not', async () => {
    signals.live();
    await room.settled();
    clock.advance(2 * MINUTE);
    await room.settled();
    expect(typesSaid()).toEqual(['presence', 'presence', 'presence']);
    const { core, roster } = room.state;
    expect(said()[0]?.content).toEqual({
      type: 'presence',
      seen: { position: core.position, t: transcriptHash(core.t) },
      head: roster.head,
    });
    room.live = false;
    signals.stop();
    clock.advance(10 * MINUTE);
    await room.settled();
    expect(room.sent).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });

  test('is not said by who does not share it, who types all the same; then again once it is shared', async () => {
    let shared = false;
    signals = new Signals(room, () => shared);
    signals.live();
    signals.typing();
    clock.advance(2 * MINUTE);
    await room.settled();
    expect(typesSaid()).toEqual(['typing']);
    shared = true;
    signals.soon();
    clock.advance(1_000);
    await room.settled();
    expect(typesSaid()).toEqual(['typing', 'presence']);
  });

  test('shows who is here, for two minutes, and in which epoch they have sealed last (G10)', async () => {
    signals.live();
    expect([signals.isOnline(other.id), signals.epochOf(other.id), signals.lastSeen(other.id)]).toEqual([
      false,
      null,
      null,
    ]);
    await hear(sealed(other, presence()));
    expect(signals.isOnline(other.id)).toBe(true);
    expect(signals.epochOf(other.id)).toBe(room.state.core.epoch);
    clock.advance(2 * MINUTE);
    expect(signals.isOnline(other.id)).toBe(false);
    expect(signals.lastSeen(other.id)).toBe(START);
    expect(signals.awaySince(other.id)).toBe(START);
  });

  test('of one who comes is answered once within about a second', async () => {
    signals.live();
    await room.settled();
    clock.advance(30_000);
    await hear(sealed(other, presence()));
    await hear(sealed(log.owner, presence()));
    expect(room.sent).toHaveLength(1);
    clock.advance(1_000);
    await room.settled();
    expect(typesSaid()).toEqual(['presence', 'presence']);
  });

  test('of one who is here is not answered, unless its client has started anew', async () => {
    let counter = START;
    const hearNext = async (leap: number): Promise<number> => {
      counter += leap;
      const before = room.sent.length;
      await hear(sealed(other, presence(), { counter }));
      clock.advance(1_000);
      await room.settled();
      return room.sent.length - before;
    };
    signals.live();
    await room.settled();
    const said = [
      await hearNext(0),
      await hearNext(1),
      await hearNext(2),
      await hearNext(5_000),
      await hearNext(1),
    ];
    expect(said).toEqual([1, 0, 0, 1, 0]);
  });

  test('many reasons to say it soon are one signal', async () => {
    signals.soon();
    signals.soon();
    signals.soon();
    clock.advance(5_000);
    await room.settled();
    expect(room.sent).toHaveLength(1);
  });

  test('messages are signs of their senders too, what does not prove itself is none', async () => {
    signals.live();
    await readEntry(room.state, await log.say(other, 'here'));
    expect(signals.lastSeen(other.id)).toBe(1_000 + log.position.s);
    const forged = log.seal(other, log.body(other, { type: 'text', text: 'as the owner' }));
    await readEntry(room.state, await log.add('message', log.owner.id, forged.payload, forged.clear));
    expect(signals.lastSeen(log.owner.id)).toBe(1_002);
  });

  test('nobody is called away before there was time to answer, or while this client cannot hear', async () => {
    await hear(sealed(other, presence()));
    clock.advance(10 * MINUTE);
    expect(signals.awaySince(other.id)).toBeNull();
    signals.live();
    clock.advance(4_999);
    expect(signals.awaySince(other.id)).toBeNull();
    const { changes } = room;
    clock.advance(1);
    expect(signals.awaySince(other.id)).toBe(START);
    expect(room.changes).toBeGreaterThan(changes);
    signals.stop();
    expect(signals.awaySince(other.id)).toBeNull();
    expect(signals.isOnline(other.id)).toBe(false);
  });
});

describe('nothing is said', () => {
  const withoutKey = () => room.state.core.keys.map((key) => ({ ...key, key: null }));

  test.each<[string, () => unknown]>([
    ['after a departure, before the rotation that follows (G10)', () => change(room.state, set({ paused: true }))],
    ['without the key of the epoch', () => change(room.state, set({ keys: withoutKey() }))],
    ['while the log is being restored', () => (room.restoring = true)],
    ['by who is no member any more', () => change(room.state, set({ stage: 'left' }))],
    ['while the log is being read', () => (room.live = false)],
  ])('%s', async (_why, become) => {
    await become();
    signals.live();
    signals.typing();
    signals.soon();
    clock.advance(3 * MINUTE);
    await room.settled();
    expect(room.sent).toEqual([]);
    expect(room.halted).toEqual([]);
  }); // prettier-ignore

  test('twice because the relay refused it: the next one says it again', async () => {
    room.refuses = 'STALE_EPOCH';
    signals.live();
    await room.settled();
    expect([room.sent.length, room.halted]).toEqual([1, []]);
  });
});

describe('G3 to G5: a signal counts only', () => {
  const counts = async (signal: { sender: MemberId; epoch: number; payload: Bytes }): Promise<boolean> => {
    await hear(signal);
    expect(room.halted).toEqual([]);
    expect(alarmsOf(room.state)).toEqual([]);
    return signals.typingNow().length > 0;
  };

  test('as its sender signed it, in this room, epoch and seal', async () => {
    const stranger = { ...other, identity: me.identity };
    const foreign = (await RoomLog.begin()).roster.roomId;
    const own = sealed(other, typing);
    const false_ = [
      sealed(stranger, typing), // signed by another key
      { ...own, sender: log.owner.id }, // named as another's
      sealed(other, typing, { sender: log.owner.id }), // claims to be another
      sealed(other, typing, { roomId: foreign }),
      sealed(other, typing, { epoch: 2 }),
      { ...own, epoch: 2 },
      sealed(other, typing, {}, asRoomKey(nodeRandom.bytes(32))), // under another key
      { ...own, payload: nodeRandom.bytes(300) },
      { ...own, payload: new Uint8Array(1) },
      sealed(me, typing), // an echo of one's own
    ];
    for (const signal of false_) expect(await counts(signal)).toBe(false);
    expect(await counts(own)).toBe(true);
  });

  test('of a present member', async () => {
    const signal = sealed(other, typing);
    const entry = await log.change('remove', { member: other.id, reason: 'removed' });
    await readEntry(room.state, entry);
    expect(await counts(signal)).toBe(false);
  });

  test('within thirty seconds of either clock', async () => {
    expect(await counts(sealed(other, typing, { sentAt: START - 30_001 }))).toBe(false);
    expect(await counts(sealed(other, typing, { sentAt: START + 30_001 }))).toBe(false);
    expect(await counts(sealed(other, typing, { sentAt: START - 30_000 }))).toBe(true);
  });

  test('once: neither replayed nor with a counter that does not rise', async () => {
    const signal = sealed(other, typing, { counter: 5 });
    expect(await counts(signal)).toBe(true);
    clock.advance(9_000);
    expect(await counts(signal)).toBe(false);
    expect(await counts(sealed(other, typing, { counter: 4 }))).toBe(false);
    expect(await counts(sealed(other, typing, { counter: 6 }))).toBe(true);
  });
});

describe('G6, G7: what another has seen', () => {
  const ahead = { position: { g: 1, s: 90 }, t: nodeRandom.bytes(32) };
  const caughtUp = async (): Promise<void> => {
    signals.caughtUp();
    await room.settled();
  };

  test('the same history is no alarm; another one is, once', async () => {
    await hear(sealed(other, presence()));
    expect(alarmsOf(room.state)).toEqual([]);
    for (const counter of [START + 1, START + 2]) {
      const seen = { position: log.position, t: nodeRandom.bytes(32) };
      await hear(sealed(other, presence({ seen }), { counter }));
    }
    expect(alarmsOf(room.state)).toEqual([ALARM_CODES.ALARM_FORK]);
    expect(recordsOf(room.state).at(-1)?.items).toMatchObject([{ member: other.id }]);
  });

  test('what is only later here is read from the log, and then no alarm', async () => {
    const entry = await log.say(log.owner, 'on its way');
    await hear(sealed(other, presence()));
    expect(room.catchUps).toBe(1);
    await readEntry(room.state, entry);
    await caughtUp();
    expect(alarmsOf(room.state)).toEqual([]);
    expect(room.catchUps).toBe(1);
  });

  test('what the log does not hold either was withheld or invented: an alarm, once', async () => {
    await hear(sealed(other, presence({ seen: ahead })));
    expect([room.catchUps, alarmsOf(room.state)]).toEqual([1, []]);
    await caughtUp();
    expect(alarmsOf(room.state)).toEqual([ALARM_CODES.ALARM_FORK]);
    await hear(sealed(other, presence({ seen: ahead }), { counter: START + 1 }));
    await caughtUp();
    expect([room.catchUps, alarmsOf(room.state).length]).toEqual([1, 1]);
  });

  test('and so is what stands there differently', async () => {
    const entry = await log.say(log.owner, 'one thing');
    await hear(sealed(other, presence({ seen: { position: log.position, t: nodeRandom.bytes(32) } })));
    await readEntry(room.state, entry);
    await caughtUp();
    expect(alarmsOf(room.state)).toEqual([ALARM_CODES.ALARM_FORK]);
  });

  test('heard while the log is read, it may lie behind the last page: read once more before it is judged', async () => {
    room.live = false;
    await hear(sealed(other, presence({ seen: ahead })));
    expect(room.catchUps).toBe(0);
    await caughtUp();
    expect([room.catchUps, alarmsOf(room.state)]).toEqual([1, []]);
    await caughtUp();
    expect([room.catchUps, alarmsOf(room.state)]).toEqual([1, [ALARM_CODES.ALARM_FORK]]);
  });
});
