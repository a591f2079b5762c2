/** docs/protocol.md section 3.2; G5, G6, G12: what is sealed once for all that are live in a room. */
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  concat, decodeFeedFrame, encodeFeedContent, encodeFeedHead, encodeFrame, FRAME_TYPES, linkCtx, type Bytes,
  type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { generateKeyPair } from '../key-pair.js';
import { openCell, sealCell } from '../cell.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { asFeedKey } from '../secrets.js';
import { codeOf, flipBit, random } from '../world.spec-support.js';
import { Feed, FeedTags, FollowedFeed } from './feed.js';
import { ClientLink, RelayLink } from './link.js';

const relay = generateKeyPair();
const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const link of open.splice(0)) link.destroy();
});

const line = (n: number): SessionMessage => ({ e: 'entries', body: { entries: [n] } });
const signal = (n: number): SessionMessage => ({ e: 'signalled', body: { n } });

/** A connection, and how it takes part in a feed. */
class Connection {
  readonly client = ClientLink.open({ identity: generateKeyPair(), relayKey: relay.publicKey });
  readonly relay = RelayLink.accept({ relay });
  #tags: FeedTags | null = null;

  constructor() {
    open.push(this.client, this.relay);
    const three = this.client.receive(this.relay.receive(this.client.start()).reply).reply;
    this.client.receive(this.relay.receive(three).reply);
  }

  /** From the next cell on. */
  follow(feed: Feed): void {
    const grant = feed.grant();
    expect(
      this.client.receive(this.relay.seal([{ e: 'feed', body: { ...grant } }, signal(0)])).messages,
    ).toEqual([signal(0)]);
    this.#tags = new FeedTags(grant);
  }

  frame(cell: ReturnType<Feed['seal']>): Bytes {
    if (this.#tags === null) throw new Error('it follows no feed');
    return concat(...this.relay.feedFrame(cell, this.#tags));
  }

  take(frame: Bytes): readonly SessionMessage[] {
    return this.client.receive(frame).messages;
  }

  /** How it ends that this frame comes. */
  async ends(frame: Bytes): Promise<string> {
    const code = await codeOf(() => this.client.receive(frame));
    expect(this.client.established).toBe(false);
    return code;
  }
}

const following = (feed: Feed): Connection => {
  const made = new Connection();
  made.follow(feed);
  return made;
};

describe('a feed', () => {
  it('brings one cell to all, in the order of each connection’s frames', () => {
    const feed = new Feed(random);
    const [one, two] = [following(feed), following(feed)];
    for (let n = 1; n <= 5; n++) {
      const cell = feed.seal([line(n), signal(n)]);
      if (n === 3) expect(two.take(two.relay.seal([{ r: 1, body: {} }]))).toEqual([{ r: 1, body: {} }]);
      const frames = [one.frame(cell), two.frame(cell)] as const;
      for (const frame of frames) expect(decodeFeedFrame(frame.slice(2)).cell).toEqual(cell.cell);
      expect(decodeFeedFrame(frames[0].slice(2)).tag).not.toEqual(decodeFeedFrame(frames[1].slice(2)).tag);
      expect(one.take(frames[0])).toEqual([line(n), signal(n)]);
      expect(two.take(frames[1])).toEqual([line(n), signal(n)]);
    }
  });

  it('lets a connection leave cells out, whose messages came inside its session', () => {
    const feed = new Feed(random);
    const one = following(feed);
    for (let n = 0; n < 4; n++) feed.seal([line(n)]);
    expect(one.take(one.relay.seal([line(0), line(1), line(2), line(3)]))).toHaveLength(4);
    expect(one.take(one.frame(feed.seal([line(4)])))).toEqual([line(4)]);
  });

  it('gives each connection a tag of its own: another’s is none', () => {
    const feed = new Feed(random);
    const followed = new FollowedFeed(feed.grant());
    const another = new FeedTags(feed.grant());
    // Under another grant's key: the tag is that connection's alone.
    const { c, cell, digest } = feed.seal([line(1)]);
    const tag = another.tag(1, c, digest);
    expect(() => followed.open(1, { n: 1, c, tag, cell })).toThrow('feed tag');
  });

  it('ends, and seals and grants nothing more', async () => {
    const feed = new Feed(random);
    feed.end();
    feed.end();
    expect(feed.ended).toBe(true);
    expect(await codeOf(() => feed.seal([line(1)]))).toBe('SESSION_BROKEN');
    expect(await codeOf(() => feed.grant())).toBe('SESSION_BROKEN');
  });
});

describe('whoever takes part later, or takes a key', () => {
  it('opens nothing earlier', async () => {
    const feed = new Feed(random);
    const earlier = [feed.seal([line(1)]), feed.seal([line(2)])];
    const grant = feed.grant();
    for (const { c, cell } of earlier) {
      const context = linkCtx('feed', feed.feedId, c);
      expect(
        await codeOf(() =>
          openCell(asFeedKey(Uint8Array.from(grant.key)), cell, context, { code: 'BAD_KEY' }),
        ),
      ).toBe('BAD_KEY');
    }
    const one = following(feed);
    expect(await one.ends(one.frame(earlier[1]!))).toBe('OUT_OF_SEQUENCE');
  });

  it('and no cell of another feed, although it has kept every key of its own', async () => {
    const [before, after] = [new Feed(random), new Feed(random)];
    const removed = before.grant();
    before.end();
    const cells = [1, 2, 3].map((n) => after.seal([line(n)]));
    let key = removed.key;
    for (const { cell } of cells) {
      for (let c = 1; c <= 8; c++) {
        for (const feedId of [before.feedId, after.feedId]) {
          const tried = asFeedKey(Uint8Array.from(key));
          const context = linkCtx('feed', feedId, c);
          expect(await codeOf(() => openCell(tried, cell, context, { code: 'BAD_KEY' }))).toBe('BAD_KEY');
        }
        key = sha256(linkCtx('feed-key', before.feedId, c, key));
      }
    }
  });
});

describe('a member that sits on the wire of another, and has the feed’s keys', () => {
  /** Two connections of one feed: what one of them can make of it, against the other. */
  const stage = () => {
    const feed = new Feed(random);
    const [mine, victim] = [following(feed), following(feed)];
    const { key } = feed.grant();
    return { feed, key, mine, victim, cell: feed.seal([line(1)]) };
  };

  it.each([
    ['its own frame of the same cell', ({ mine, cell }: ReturnType<typeof stage>) => mine.frame(cell)],
    [
      'a cell of its own making',
      ({ feed, key, victim, cell }: ReturnType<typeof stage>) => {
        const { n, c, tag } = decodeFeedFrame(victim.frame(cell).slice(2));
        const context = linkCtx('feed', feed.feedId, c);
        return concat(
          encodeFeedHead({ n, c, tag }),
          sealCell(asFeedKey(key), encodeFeedContent([line(666)]), context),
        );
      },
    ],
    [
      'a tag of zeros',
      ({ cell }: ReturnType<typeof stage>) =>
        concat(encodeFeedHead({ n: 2, c: cell.c, tag: new Uint8Array(16) }), cell.cell),
    ],
    [
      'another number of the connection',
      ({ victim, cell }: ReturnType<typeof stage>) => {
        const head = decodeFeedFrame(victim.frame(cell).slice(2));
        return concat(encodeFeedHead({ ...head, n: head.n + 1 }), cell.cell);
      },
    ],
    [
      'another number of the feed',
      ({ victim, cell }: ReturnType<typeof stage>) => {
        const head = decodeFeedFrame(victim.frame(cell).slice(2));
        return concat(encodeFeedHead({ ...head, c: head.c + 1 }), cell.cell);
      },
    ],
  ] as const)('cannot make it take %s', async (_, frameOf) => {
    const all = stage();
    expect(await all.victim.ends(frameOf(all))).toBe('SESSION_BROKEN');
  });

  it('cannot have any bit changed', () =>
    fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), async (where) => {
        const { victim, cell } = stage();
        const frame = victim.frame(cell);
        const spoilt = flipBit(frame, 16 + Math.floor(where * 8 * (frame.length - 2)));
        expect(await victim.ends(spoilt)).toBe('SESSION_BROKEN');
      }),
      { numRuns: 40 },
    ));

  it('cannot repeat, leave out or exchange frames of either sort', async () => {
    const again = stage();
    const frame = again.victim.frame(again.cell);
    again.victim.take(frame);
    expect(await again.victim.ends(frame)).toBe('OUT_OF_SEQUENCE');

    const without = stage();
    without.victim.frame(without.cell);
    expect(await without.victim.ends(without.victim.frame(without.feed.seal([line(2)])))).toBe(
      'OUT_OF_SEQUENCE',
    );

    const session = stage();
    session.victim.frame(session.cell);
    expect(await session.victim.ends(session.victim.relay.seal([signal(1)]))).toBe('OUT_OF_SEQUENCE');

    const feedFirst = stage();
    feedFirst.victim.relay.seal([signal(1)]);
    expect(await feedFirst.victim.ends(feedFirst.victim.frame(feedFirst.cell))).toBe('OUT_OF_SEQUENCE');
  });

  it('cannot bring a frame of a feed that the connection has left for another', async () => {
    const { feed, victim, cell } = stage();
    const old = victim.frame(cell);
    const other = new Feed(random);
    const moved = following(feed);
    moved.follow(other);
    expect(await moved.ends(old)).toBe('SESSION_BROKEN');
    const back = following(feed);
    const late = back.frame(feed.seal([line(2)]));
    back.take(late);
    back.follow(other);
    expect(await back.ends(late)).toBe('SESSION_BROKEN');
  });
});

describe('what a client takes of no relay', () => {
  const grantless = (): Connection => new Connection();

  it('a feed frame before the session is there, or without a part in a feed', async () => {
    const frame = concat(encodeFeedHead({ n: 1, c: 1, tag: new Uint8Array(16) }), random.bytes(80));
    const fresh = ClientLink.open({ identity: generateKeyPair(), relayKey: relay.publicKey });
    open.push(fresh);
    fresh.start();
    expect(await codeOf(() => fresh.receive(frame))).toBe('HANDSHAKE_FAILED');
    expect(await grantless().ends(frame)).toBe('SESSION_BROKEN');
  });

  it('a frame that is too short for one', async () => {
    for (const length of [1, 27, 28]) {
      const one = following(new Feed(random));
      expect(await one.ends(encodeFrame(FRAME_TYPES.feed, new Uint8Array(length)))).toBe('MALFORMED');
    }
  });

  it.each([
    ['a reply', { r: 1, body: {} }],
    ['a notice', { e: 'generation', body: {} }],
    ['a part in another feed', { e: 'feed', body: { ...new Feed(random).grant() } }],
    ['a request', { q: 1, kind: 'ack', body: {} }],
  ] as const)('%s in a cell', async (_, message) => {
    const feed = new Feed(random);
    const one = following(feed);
    expect(await one.ends(one.frame(feed.seal([message])))).toBe('MALFORMED');
  });

  it('a cell so far ahead that its key would be long in coming', async () => {
    const feed = new Feed(random);
    const one = following(feed);
    const cell = { ...feed.seal([line(1)]), c: 10_000 };
    expect(await one.ends(one.frame(cell))).toBe('OUT_OF_SEQUENCE');
  });

  it.each([
    ['no number', { c: 0 }],
    ['a number beyond six bytes', { c: 2 ** 48 }],
    ['a short key', { key: new Uint8Array(31) }],
    ['a long tag key', { tagKey: new Uint8Array(33) }],
    ['another field', { more: 1 }],
  ])('a part in a feed with %s', async (_, change) => {
    const one = grantless();
    const grant = { ...new Feed(random).grant(), ...change };
    expect(await one.ends(one.relay.seal([{ e: 'feed', body: grant }]))).toBe('MALFORMED');
  });

  it('nor a relay one of a client', async () => {
    const { client, relay: end } = new Connection();
    const frame = concat(encodeFeedHead({ n: 1, c: 1, tag: new Uint8Array(16) }), random.bytes(80));
    expect(await codeOf(() => end.receive(frame))).toBe('MALFORMED');
    client.destroy();
  });
});

it('messages, signals and answers have one size on the wire', () => {
  const feed = new Feed(random);
  const one = following(feed);
  const sealed = random.bytes(556);
  const sizes = (messages: readonly SessionMessage[]): readonly [number, number] => [
    one.relay.seal(messages).length,
    feed.seal(messages).cell.length,
  ];
  const entry = {
    kind: 'message', sender: 'A'.repeat(22), clear: random.bytes(8), payload: sealed, position: { g: 1_796_045_153_671, s: 99_999 },
    time: 1_796_045_153_671,
  }; // prettier-ignore
  const message = sizes([{ e: 'entries', body: { entries: [entry] } }]);
  expect(sizes([{ e: 'signalled', body: { sender: 'A'.repeat(22), epoch: 1, payload: sealed } }])).toEqual(
    message,
  );
  const up = (body: SessionMessage): number => one.client.seal([body]).length;
  expect(up({ q: 12, kind: 'signal', body: { epoch: 1, payload: sealed } })).toBe(
    up({ q: 12, kind: 'append', body: { messages: [{ clear: entry.clear, payload: sealed }] } }),
  );
  const answer = (body: Record<string, unknown>): number => one.relay.seal([{ r: 12, body }]).length;
  expect(answer({})).toBe(answer({ placed: [{ position: entry.position, time: entry.time }] }));
});
