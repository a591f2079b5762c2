/** What all of a room get alike: gathered in batches, and sealed in feeds that end with every departure (3.2, G10). */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import { LIMITS, type MemberId, type RoomId, type SessionMessage } from '@0fc/protocol';
import type { FeedEntry, RoomEvent } from '../port/room-store.js';
import { FanOuts, RoomFanOut, type Delivery } from './fan-out.js';

beforeAll(() => loadThemis());

const ROOM = 'AAAAAAAAAAAAAAAAAAAAAA' as RoomId;
const ME = 'BBBBBBBBBBBBBBBBBBBBBA' as MemberId;
const fail = (error: unknown): never => {
  throw error;
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

const signal = (n: number, size = 1): SessionMessage => ({
  e: 'signalled',
  body: { n, payload: new Uint8Array(size) },
});
const deliver = (fanOut: RoomFanOut, n: number, size = 1): Delivery =>
  fanOut.deliver({}, () => signal(n, size));
const ended = async ({ batch }: Delivery): Promise<void> => {
  while (!batch.ended) await turn();
};

describe('a batch', () => {
  test('has what comes within a turn, each message once for all that come with its event', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const source = {};
    const make = jest.fn(() => signal(1));
    const first = fanOut.deliver(source, make);
    expect(fanOut.deliver(source, make) === first).toBe(true);
    expect(make).toHaveBeenCalledTimes(1);
    const second = deliver(fanOut, 2);
    expect(second.batch === first.batch).toBe(true);
    expect(first.batch.ended).toBe(false);
    await turn();
    expect(first.batch.ended).toBe(true);
    expect(first.batch.deliveries).toEqual([first, second]);
  });

  test('tells each of its recipients once that it has ended', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const recipients = [1, 2].map(() => ({ batchEnded: jest.fn() }));
    const { batch } = deliver(fanOut, 1);
    for (const recipient of recipients) {
      batch.addRecipient(recipient);
      batch.addRecipient(recipient);
    }
    await turn();
    for (const { batchEnded } of recipients) expect(batchEnded).toHaveBeenCalledTimes(1);
  });

  test('is gathered for some milliseconds where one has just ended, and not at all in a quiet room', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const first = deliver(fanOut, 1);
    await turn();
    expect(first.batch.ended).toBe(true);
    const second = deliver(fanOut, 2);
    for (let time = 0; time < 3; time++) await turn();
    expect(second.batch.ended).toBe(false);
    expect(deliver(fanOut, 3).batch === second.batch).toBe(true);
    await ended(second);
    now.mockReturnValue(2_000);
    const third = deliver(fanOut, 4);
    await turn();
    expect(third.batch.ended).toBe(true);
    now.mockRestore();
  });

  test('is no larger than a cell may be: in bytes, messages and values', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const large = deliver(fanOut, 1, 60_000);
    large.batch.feed.grant();
    const next = deliver(fanOut, 2, 60_000);
    expect(next.batch === large.batch).toBe(false);
    // One alone may be larger.
    const larger = deliver(fanOut, 3, 200_000);
    expect(larger.batch.deliveries).toEqual([larger]);
    const many = Array.from({ length: LIMITS.frameMessages + 1 }, (_, n) => deliver(fanOut, n));
    expect(many.at(-1)!.batch === many[0]!.batch).toBe(false);
    const dense = (): Delivery =>
      fanOut.deliver({}, () => ({ e: 'signalled', body: { values: new Array<number>(5_000).fill(0) } }));
    const two = [dense(), dense()];
    expect(two[0]!.batch === two[1]!.batch).toBe(false);
    for (const one of [large, next, larger, ...many, ...two]) {
      await ended(one);
      expect(one.batch.cell).not.toBeNull();
    }
  });
});

const leaveRequest = { kind: 'leaveRequest' } as FeedEntry;
const rotation = { kind: 'rotation' } as FeedEntry;
const message = { kind: 'message' } as FeedEntry;
const cutting: readonly [string, () => RoomEvent][] = [
  ['a departure', () => ({ type: 'role', memberId: ME, role: 'departed' })],
  ['a rotation', () => ({ type: 'entries', entries: [message, rotation] })],
  ['the end of the room', () => ({ type: 'closed' })],
  ['a hole in what was heard', () => ({ type: 'tip', tip: { g: 1, s: 1 }, resumed: true })],
  ['a room that is not there', () => ({ type: 'tip', tip: null, resumed: false })],
];
const others: readonly [string, () => RoomEvent][] = [
  ['an admission', () => ({ type: 'role', memberId: ME, role: 'member' })],
  ['a line', () => ({ type: 'entries', entries: [message] })],
  // Its departure is told as well.
  ['a request to leave', () => ({ type: 'entries', entries: [message, leaveRequest] })],
  ['a check that found nothing missing', () => ({ type: 'tip', tip: { g: 1, s: 1 }, resumed: false })],
  ['a generation', () => ({ type: 'generation', generation: 2, from: { g: 1, s: 1 } })],
  ['a signal', () => ({ type: 'signal', sender: ME, epoch: 1, payload: new Uint8Array(1) })],
];

describe('a feed', () => {
  test.each(cutting)('ends with %s: what comes after goes in another', (_, make) => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const before = deliver(fanOut, 1);
    fanOut.hear(make());
    expect(before.batch.ended).toBe(true);
    expect(before.batch.feed.ended).toBe(true);
    const after = deliver(fanOut, 2);
    expect(after.batch.feed === before.batch.feed).toBe(false);
    fanOut.end();
  });

  test.each(others)('goes on with %s', (_, make) => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const before = deliver(fanOut, 1);
    fanOut.hear(make());
    expect(deliver(fanOut, 2).batch === before.batch).toBe(true);
    fanOut.end();
  });

  test('ends once with one event, however many of its room hear it in turn', () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const event: RoomEvent = { type: 'role', memberId: ME, role: 'departed' };
    fanOut.hear(event);
    const { batch } = deliver(fanOut, 1);
    fanOut.hear(event);
    expect(deliver(fanOut, 2).batch === batch).toBe(true);
    fanOut.hear({ ...event });
    expect(batch.feed.ended).toBe(true);
    fanOut.end();
  });

  test('ends at once where somebody may have gone as is known otherwise', () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const { batch } = deliver(fanOut, 1);
    fanOut.cut();
    expect([batch.ended, batch.feed.ended]).toEqual([true, true]);
    fanOut.end();
  });

  test('seals a batch when that ends and never later: who takes part then opens nothing of it', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const first = deliver(fanOut, 1);
    await ended(first);
    // Nobody took part, so there is no cell, also for those who do from now on.
    const { c } = first.batch.feed.grant();
    expect([first.batch.cell, c]).toEqual([null, 1]);
    const second = deliver(fanOut, 2);
    expect(second.batch.cell).toBeNull();
    await ended(second);
    expect(second.batch.cell).toMatchObject({ c: 1, feedId: first.batch.feed.feedId });
    expect(first.batch.feed.grant().c).toBe(2);
    const { cell } = second.batch;
    fanOut.cut();
    expect(second.batch.cell).toBe(cell);
    fanOut.end();
  });

  test('that cannot seal is over: its batch goes inside the sessions, and the next one in another feed', async () => {
    const failed = jest.fn();
    const fanOut = new RoomFanOut(nodeRandom, failed);
    const first = deliver(fanOut, 1);
    first.batch.feed.grant();
    jest.spyOn(first.batch.feed, 'seal').mockImplementation(() => {
      throw new Error('no memory');
    });
    await ended(first);
    expect(first.batch.cell).toBeNull();
    expect(failed).toHaveBeenCalledTimes(1);
    expect(deliver(fanOut, 2).batch.feed === first.batch.feed).toBe(false);
    fanOut.end();
  });

  test('is there while anybody of the room is, and not kept for whoever comes later', () => {
    const fanOuts = new FanOuts(nodeRandom, fail);
    const [one, two] = [fanOuts.join(ROOM), fanOuts.join(ROOM)];
    expect(two === one).toBe(true);
    const { batch } = deliver(one, 1);
    fanOuts.leave(ROOM);
    expect(batch.feed.ended).toBe(false);
    fanOuts.leave(ROOM);
    expect(batch.feed.ended).toBe(true);
    fanOuts.leave(ROOM);
    expect(fanOuts.join(ROOM) === one).toBe(false);
    fanOuts.leave(ROOM);
  });
});
