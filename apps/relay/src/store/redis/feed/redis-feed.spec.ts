/** The feed over a subscriber that confirms late, loses and fails as the test says. */
import { afterEach, describe, expect, test } from '@jest/globals';
import slotOf from 'cluster-key-slot';
import type { Position, RoomId } from '@0fc/protocol';
import { COMPARE_MS, LINGER_MS, OPEN_MS, PROBE_MS, RedisFeed, type ReadTips } from './redis-feed.js';
import type { FeedCheck } from '../../../rooms/port/room-feed.js';
import type { Subscriber, SubscriberEvents } from './subscriber.js';

const A = 'AAAAAAAAAAAAAAAAAAAAAA' as RoomId;
const B = 'BBBBBBBBBBBBBBBBBBBBBA' as RoomId;
const channelOf = (roomId: RoomId): string => `0fc:{${roomId}}:feed`;
const turn = () => new Promise((resolve) => setImmediate(resolve));

class FakeSubscriber implements Subscriber {
  events: SubscriberEvents | null = null;
  alive = true;
  /** subscriptions asked for and not confirmed */
  readonly asked: { channel: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly given: string[] = [];
  readonly left: string[] = [];
  probes = 0;
  beforeProbe = (): void => undefined;
  confirming = true;

  listen(events: SubscriberEvents): void {
    this.events = events;
  }
  subscribe(channel: string): Promise<void> {
    if (this.confirming) {
      this.given.push(channel);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => this.asked.push({ channel, resolve, reject }));
  }
  unsubscribe(channel: string): void {
    this.left.push(channel);
  }
  async probe(): Promise<void> {
    this.probes++;
    this.beforeProbe();
  }
  close(): void {
    this.alive = false;
  }
  publish(roomId: RoomId, text: string): void {
    this.events?.message(channelOf(roomId), Buffer.from(text));
  }
  lose(...roomIds: RoomId[]): void {
    this.events?.lost(roomIds.map(channelOf));
  }
}

/** Time passes where the test says so. */
class Timers {
  now = 0;
  #due: { at: number; run: () => void }[] = [];
  readonly after = (ms: number, run: () => void): (() => void) => {
    const one = { at: this.now + ms, run };
    this.#due.push(one);
    return () => {
      this.#due = this.#due.filter((other) => other !== one);
    };
  };
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    await turn();
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.now = next.at;
      this.#due = this.#due.filter((other) => other !== next);
      next.run();
      await turn();
    }
    this.now = end;
  }
}

const feeds: RedisFeed[] = [];
afterEach(() => {
  for (const feed of feeds.splice(0)) feed.close();
});

async function setUp() {
  const subscriber = new FakeSubscriber();
  const timers = new Timers();
  const failures: string[] = [];
  const feed = new RedisFeed({ subscriber, channelOf, timers, failed: (what) => failures.push(what) });
  feeds.push(feed);
  const tips = new Map<RoomId, Position | null>();
  const asked: RoomId[][] = [];
  const readTips: ReadTips = async (roomIds) => {
    asked.push([...roomIds]);
    return tips;
  };
  await feed.start(readTips);
  const listen = async (roomId: RoomId) => {
    const heard: string[] = [];
    const checks: FeedCheck[] = [];
    const { unsubscribe } = await feed.subscribe(
      roomId,
      (message) => heard.push(message.toString()),
      (check) => {
        checks.push(check);
        heard.push('check');
      },
    );
    return { heard, checks, unsubscribe };
  };
  return { subscriber, timers, failures, feed, tips, asked, listen };
}

describe('subscriptions', () => {
  test('resolve once the server has confirmed, and bring what was published since', async () => {
    const { subscriber, listen } = await setUp();
    subscriber.confirming = false;
    let resolved = false;
    const listening = listen(A).then((one) => {
      resolved = true;
      return one;
    });
    await turn();
    expect(resolved).toBe(false);
    // The server has subscribed, and its confirmation is on the way.
    subscriber.publish(A, '1');
    subscriber.asked[0]?.resolve();
    const { heard } = await listening;
    subscriber.publish(A, '2');
    expect(heard).toEqual(['1', '2']);
  });

  test('are one for all sockets of a room, and given up a while after the last', async () => {
    const { subscriber, timers, feed, listen } = await setUp();
    const [one, two] = [await listen(A), await listen(A)];
    const other = await listen(B);
    expect(subscriber.given).toEqual([channelOf(A), channelOf(B)]);
    expect(feed.figures.rooms).toBe(2);
    one.unsubscribe();
    one.unsubscribe();
    subscriber.publish(A, '1');
    two.unsubscribe();
    subscriber.publish(A, '2');
    expect([one.heard, two.heard, other.heard]).toEqual([[], ['1'], []]);
    await timers.pass(LINGER_MS - 1);
    const back = await listen(A);
    await timers.pass(LINGER_MS * 2);
    expect(subscriber.left).toEqual([]);
    back.unsubscribe();
    await timers.pass(LINGER_MS);
    expect(subscriber.left).toEqual([channelOf(A)]);
    expect(subscriber.given).toHaveLength(2);
  });

  test('are tried again until they succeed, and an open waits only so long', async () => {
    const { subscriber, timers, failures, listen } = await setUp();
    subscriber.confirming = false;
    const late = listen(A);
    const refused = expect(late).rejects.toMatchObject({ name: 'StoreError', code: 'TRY_AGAIN' });
    subscriber.asked.shift()?.reject(new Error('down'));
    await turn();
    await timers.pass(OPEN_MS);
    await refused;
    expect(subscriber.asked.length).toBeGreaterThan(0);
    // One line for the outage.
    expect(failures).toHaveLength(1);
    const again = listen(A);
    subscriber.asked.shift()?.resolve();
    await expect(again).resolves.toBeDefined();
  });

  test('that nobody waits for any more are given up when they are confirmed', async () => {
    const { subscriber, timers, listen } = await setUp();
    subscriber.confirming = false;
    const refused = expect(listen(A)).rejects.toThrow('TRY_AGAIN');
    await timers.pass(OPEN_MS + LINGER_MS);
    await refused;
    subscriber.asked[0]?.resolve();
    await turn();
    expect(subscriber.left).toEqual([channelOf(A)]);
  });
});

describe('what is lost', () => {
  test('a broken subscription comes back, is compared with the store, and is red meanwhile', async () => {
    const { subscriber, timers, feed, tips, asked, listen } = await setUp();
    const { heard, checks } = await listen(A);
    await listen(B);
    tips.set(A, { g: 1, s: 7 });
    subscriber.confirming = false;
    subscriber.lose(A);
    expect(() => feed.check()).toThrow('TRY_AGAIN');
    expect(feed.figures).toEqual({ rooms: 2, broken: 1, losses: 1 });
    subscriber.asked.shift()?.reject(new Error('down'));
    await turn();
    await timers.pass(1_000);
    // What was published before the tip was read comes before it is told.
    subscriber.beforeProbe = () => subscriber.publish(A, 'late');
    subscriber.asked.shift()?.resolve();
    while (checks.length === 0) await turn();
    expect(asked).toEqual([[A]]);
    expect(checks).toEqual([{ tip: { g: 1, s: 7 }, resumed: true }]);
    expect(heard).toEqual(['late', 'check']);
    expect(() => feed.check()).not.toThrow();
  });

  test('a comparison that fails is made again', async () => {
    const { subscriber, timers, feed, listen } = await setUp();
    const { checks } = await listen(A);
    let fails = 2;
    await feed.start(async () => {
      if (fails-- > 0) throw new Error('down');
      return new Map([[A, { g: 2, s: 1 }]]);
    });
    subscriber.lose(A);
    await turn();
    await timers.pass(1_000);
    expect(checks).toEqual([{ tip: { g: 2, s: 1 }, resumed: true }]);
  });

  test('every room that is heard is compared now and then; one that is gone is told as gone', async () => {
    const { timers, tips, asked, listen } = await setUp();
    const [a, b] = [await listen(A), await listen(B)];
    tips.set(B, { g: 1, s: 3 });
    await timers.pass(COMPARE_MS);
    expect(asked).toEqual([[A, B]]);
    expect(a.checks).toEqual([{ tip: null, resumed: false }]);
    expect(b.checks).toEqual([{ tip: { g: 1, s: 3 }, resumed: false }]);
    await timers.pass(COMPARE_MS);
    expect(asked).toHaveLength(2);
  });

  test('a connection that does not answer is red', async () => {
    const { subscriber, timers, feed } = await setUp();
    await timers.pass(PROBE_MS);
    expect(subscriber.probes).toBe(2);
    expect(() => feed.check()).not.toThrow();
    subscriber.alive = false;
    expect(() => feed.check()).toThrow('TRY_AGAIN');
  });
});

test('slots are those of the specification', () => {
  expect(slotOf('123456789')).toBe(0x31c3);
  expect(slotOf('foo')).toBe(12_182);
  expect(slotOf('any{foo}more')).toBe(12_182);
  // An empty tag is none.
  expect(slotOf('foo{}')).not.toBe(slotOf('bar{}'));
});
