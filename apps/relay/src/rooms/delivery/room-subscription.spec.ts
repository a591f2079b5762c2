/** A feed that is not as good as the embedded store's: with holes, repetitions and delays. */
import { describe, expect, test } from '@jest/globals';
import type { MemberId, Position, Role, RoomId } from '@0fc/protocol';
import type { Peer } from './peer.js';
import { nodeRandom } from '@0fc/crypto/node';
import { FanOuts, type Delivery } from './fan-out.js';
import { RoomSubscription } from './room-subscription.js';
import type { FeedEntry, LogPage, RoomEvent, RoomListener, RoomStore } from '../port/room-store.js';

const ROOM = 'AAAAAAAAAAAAAAAAAAAAAA' as RoomId;
const ME = 'BBBBBBBBBBBBBBBBBBBBBA' as MemberId;
const entry = (s: number, g = 1): FeedEntry => ({
  position: { g, s }, kind: 'message', sender: ME, time: s, clear: new Uint8Array(1), payload: new Uint8Array(1),
}); // prettier-ignore
const entries = (...list: FeedEntry[]): RoomEvent => ({ type: 'entries', entries: list });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A store of one log, whose feed the test speaks for. */
function setUp() {
  const log: FeedEntry[] = [entry(1)];
  let listener: RoomListener = () => undefined;
  let beforeRead = (): void => undefined;
  let trimmed: Position = { g: 1, s: 0 };
  let departed = false;
  const fanOuts = new FanOuts(nodeRandom, () => undefined);
  const page = (after: Position | null): LogPage => {
    const rest = log.filter(({ position }) => position.s > (after?.s ?? 0));
    const tip = log.at(-1)?.position ?? { g: 1, s: 0 };
    const room = { tip, trimmed } as Extract<LogPage, { role: 'member' | 'owner' }>['room'];
    return {
      role: 'member',
      room,
      generations: [],
      rotation: null,
      entries: rest.slice(0, 2),
      end: rest.length <= 2,
      prekey: null,
    };
  };
  const nothing = async () => ({ ok: true, requests: [], grants: [], offer: null, joins: [] });
  const store = {
    subscribe: async (_: RoomId, heard: RoomListener) => {
      listener = heard;
      return { unsubscribe: () => undefined };
    },
    announce: async () => ({ ok: true }),
    readLog: async ({ after }: { after: Position | null }) => {
      const read = departed ? { role: 'departed', entry: null, head: null, epoch: 1 } : page(after);
      beforeRead();
      return { ok: true, page: read };
    },
    pendingNeedKeys: nothing,
    keyGrants: nothing,
    readOffer: nothing,
  } as unknown as RoomStore;
  const told: { kind: string; body: unknown }[] = [];
  const closed: (string | null)[] = [];
  const peer = {
    connectionId: 'one',
    memberId: ME,
    key: new Uint8Array(45),
    send: (kind: string, body: unknown) => void told.push({ kind, body }),
    deliver: ({ message }: Delivery) => {
      if ('e' in message) told.push({ kind: message.e, body: message.body });
    },
    sent: async () => undefined,
    close: (code: string | null) => void closed.push(code),
    onAnnounced: () => undefined,
    failed: (error: unknown) => {
      throw error;
    },
  } as unknown as Peer;
  return {
    log,
    closed,
    feed: (event: RoomEvent) => listener(event),
    onRead: (act: () => void) => {
      beforeRead = act;
    },
    trimTo: (s: number) => {
      trimmed = { g: 1, s };
      log.splice(
        0,
        log.findIndex(({ position }) => position.s > s),
      );
    },
    seen: () =>
      told.flatMap(({ kind, body }) =>
        kind === 'entries'
          ? (body as { entries: FeedEntry[] }).entries.map(({ position }) => position.s)
          : [],
      ),
    open: (role: Role = 'member') => RoomSubscription.open({ store, fanOuts }, peer, ROOM, role),
    /** that what comes next would go in */
    linkFeed: () => {
      const { feed } = fanOuts.join(ROOM).deliver({}, () => ({ e: 'signalled', body: {} })).batch;
      fanOuts.leave(ROOM);
      return feed;
    },
    departs: () => {
      departed = true;
    },
  };
}

describe('a subscription', () => {
  test('delivers what came while a page was read after the page, without what the page has', async () => {
    const { log, feed, onRead, seen, open } = setUp();
    const subscription = await open();
    onRead(() => {
      feed(entries(entry(1)));
      log.push(entry(2));
      feed(entries(entry(2)));
    });
    const { follow } = await subscription.page(null);
    expect(seen()).toEqual([]);
    follow();
    expect(seen()).toEqual([2]);
  });

  test('reads the log again over a hole, and drops repetitions', async () => {
    const { log, feed, seen, open } = setUp();
    const subscription = await open();
    (await subscription.page(null)).follow();
    log.push(entry(2), entry(3), entry(4), entry(5), entry(6));
    feed(entries(entry(2)));
    feed(entries(entry(2)));
    feed(entries(entry(6)));
    feed(entries(entry(6)));
    while (seen().length < 5) await turn();
    log.push(entry(7));
    feed(entries(entry(7)));
    expect(seen()).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test('sends its client back to `open` when what the feed left out has been trimmed', async () => {
    const { log, feed, closed, seen, trimTo, open } = setUp();
    const subscription = await open();
    (await subscription.page(null)).follow();
    log.push(entry(2), entry(3), entry(4));
    trimTo(3);
    feed(entries(entry(4)));
    while (closed.length === 0) await turn();
    expect(closed).toEqual(['TRY_AGAIN']);
    expect(seen()).toEqual([]);
  });

  test('is cut by a later connection of its member, and not by an earlier one', async () => {
    const { feed, closed, open } = setUp();
    const subscription = await open();
    (await subscription.page(null)).follow();
    feed({ type: 'live', memberId: ME, connectionId: 'earlier' });
    feed({ type: 'live', memberId: ME, connectionId: 'one' });
    expect(closed).toEqual([]);
    feed({ type: 'live', memberId: ME, connectionId: 'later' });
    expect(closed).toEqual(['REPLACED']);
  });

  test('ends with its membership, and hears nothing after', async () => {
    const { log, feed, closed, seen, open } = setUp();
    const subscription = await open();
    (await subscription.page(null)).follow();
    log.push(entry(2), entry(3));
    feed(entries(entry(2)));
    feed({ type: 'role', memberId: ME, role: 'departed' });
    feed(entries(entry(3)));
    expect(seen()).toEqual([2]);
    expect(closed).toEqual([null]);
  });

  test('reads what the feed lost in a quiet room once it hears where the log stands', async () => {
    const { log, feed, seen, open } = setUp();
    const subscription = await open();
    (await subscription.page(null)).follow();
    log.push(entry(2), entry(3));
    feed({ type: 'tip', tip: { g: 1, s: 3 }, resumed: true });
    // What comes while it reads waits its turn, and comes once.
    log.push(entry(4));
    feed(entries(entry(4)));
    while (seen().length < 3) await turn();
    await turn();
    expect(seen()).toEqual([2, 3, 4]);
  });

  test('does not read again for a log that stands where it does, or behind', async () => {
    const { log, feed, onRead, open } = setUp();
    const subscription = await open();
    log.push(entry(2));
    (await subscription.page(null)).follow();
    let reads = 0;
    onRead(() => {
      reads++;
    });
    feed({ type: 'tip', tip: { g: 1, s: 2 }, resumed: true });
    feed({ type: 'tip', tip: { g: 1, s: 1 }, resumed: false });
    await turn();
    expect(reads).toBe(0);
    feed({ type: 'tip', tip: { g: 1, s: 3 }, resumed: false });
    await turn();
    // Once: a store that fell behind what it told does not make it read for ever.
    expect(reads).toBe(1);
  });

  test('a joiner whose feed was broken claims again; what was whole leaves it alone', async () => {
    const { feed, closed, open } = setUp();
    await open('joiner');
    feed({ type: 'tip', tip: { g: 1, s: 9 }, resumed: false });
    expect(closed).toEqual([]);
    feed({ type: 'tip', tip: { g: 1, s: 9 }, resumed: true });
    expect(closed).toEqual(['TRY_AGAIN']);
  });

  test.each([
    ['a hole', (to: ReturnType<typeof setUp>) => to.feed(entries(entry(6)))],
    [
      'a tip ahead',
      ({ feed }: ReturnType<typeof setUp>) => feed({ type: 'tip', tip: { g: 1, s: 3 }, resumed: false }),
    ],
  ] as const)(
    'ends the room’s feed on the link with %s: a departure may be what is missing',
    async (_, happens) => {
      const to = setUp();
      const subscription = await to.open();
      (await subscription.page(null)).follow();
      to.log.push(entry(2));
      to.feed(entries(entry(2)));
      const before = to.linkFeed();
      to.log.push(entry(3), entry(4), entry(5), entry(6));
      happens(to);
      expect(before.ended).toBe(true);
      while (to.seen().length < 5) await turn();
    },
  );

  test('ends it where a page says that its member has gone', async () => {
    const { open, linkFeed, departs } = setUp();
    const subscription = await open();
    const before = linkFeed();
    departs();
    await subscription.page(null);
    expect(before.ended).toBe(true);
  });
});
