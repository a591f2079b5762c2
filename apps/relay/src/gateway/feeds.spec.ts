/** Connections that take part in a room’s feed, over real links: each gets what it is due, once and in order (G5, G6). */
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { generateKeyPair } from '@0fc/crypto/keys';
import { ClientLink, FeedTags, RelayLink, type KeyPair } from '@0fc/crypto/link';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import {
  concat, decodeFeedFrame, FEED_EVENT, FEED_SKIPPED_CELLS, feedGrant, FRAME_TYPES, parse, type Bytes, type FeedGrant, type MemberId,
  type SessionMessage,
} from '@0fc/protocol'; // prettier-ignore
import { RoomFanOut } from '../rooms/delivery/fan-out.js';
import { Outbound } from './outbound.js';

let relay: KeyPair;
beforeAll(async () => {
  await loadThemis();
  relay = generateKeyPair();
});

const ME = 'BBBBBBBBBBBBBBBBBBBBBA' as MemberId;
const fail = (error: unknown): never => {
  throw error;
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const alike = (n: number): SessionMessage => ({ e: 'signalled', body: { n } });
const own = (n: number): SessionMessage => ({ e: 'generation', body: { n } });

/** Both ends of a link. */
function connected(): readonly [RelayLink, ClientLink] {
  const end = RelayLink.accept({ relay });
  const client = ClientLink.open({ identity: generateKeyPair(), relayKey: relay.publicKey });
  const three = client.receive(end.receive(client.start()).reply).reply;
  client.receive(end.receive(three).reply);
  return [end, client];
}

class Connection {
  readonly #relay: RelayLink;
  readonly #client: ClientLink;
  readonly due: SessionMessage[] = [];
  readonly got: SessionMessage[] = [];
  readonly frames: Bytes[] = [];
  readonly failures: unknown[] = [];
  /** parts in feeds that it was given */
  readonly grants: FeedGrant[] = [];
  /** its wire takes nothing more once it has something, until it is idle again */
  strict = false;
  live = true;
  idle = true;
  over = false;
  readonly outbound = new Outbound({
    mostBytes: 1_048_576,
    seal: (messages) => {
      const [first] = messages;
      if (first !== undefined && 'e' in first && first.e === FEED_EVENT) {
        const grant = parse(feedGrant, first.body);
        this.grants.push({ ...grant, key: Uint8Array.from(grant.key) });
      }
      return this.#relay.seal(messages);
    },
    feedFrame: (cell, tags) => this.#relay.feedFrame(cell, tags),
    send: (...parts) => {
      const frame = concat(...parts.filter((part) => part !== undefined));
      this.frames.push(frame);
      this.got.push(...this.#client.receive(frame).messages);
      if (this.strict) this.idle = false;
    },
    idle: () => this.idle,
    overflow: () => this.failures.push('overflow'),
    failed: (error) => this.failures.push(error),
  });

  constructor() {
    [this.#relay, this.#client] = connected();
  }

  push(message: SessionMessage): void {
    if (this.over) return;
    this.due.push(message);
    this.outbound.push(message);
  }

  deliver(fanOut: RoomFanOut, source: object, n: number): void {
    if (!this.live || this.over) return;
    const delivery = fanOut.deliver(source, () => alike(n));
    this.due.push(delivery.message);
    this.outbound.deliver(delivery);
  }

  get cells(): readonly Bytes[] {
    return this.frames.filter((frame) => frame[1] === FRAME_TYPES.feed);
  }

  /** Reads until all is here. */
  async settle(): Promise<void> {
    this.idle = true;
    for (let turns = 0; this.got.length < this.due.length && turns < 10_000; turns++) {
      this.outbound.drained();
      await turn();
    }
    expect(this.failures).toEqual([]);
    expect(this.got).toEqual(this.due);
    this.outbound.end();
    this.#client.destroy();
    this.#relay.destroy();
  }
}

const departed = (fanOut: RoomFanOut): void => {
  fanOut.hear({ type: 'role', memberId: ME, role: 'departed' });
};

/** To all who are live, once its batch has ended. */
async function said(fanOut: RoomFanOut, all: readonly Connection[], n: number): Promise<void> {
  const source = {};
  for (const one of all) one.deliver(fanOut, source, n);
  const { batch } = fanOut.deliver(source, () => alike(n));
  while (!batch.ended) await turn();
  for (let times = 0; times < 4; times++) {
    for (const one of all) one.outbound.drained();
    await turn();
  }
}

describe('what all get alike', () => {
  test('is sealed once from the second time on, for whoever had the first inside its session', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const all = [new Connection(), new Connection(), new Connection()];
    await said(fanOut, all, 1);
    expect(all.map(({ cells }) => cells.length)).toEqual([0, 0, 0]);
    for (let n = 2; n <= 4; n++) await said(fanOut, all, n);
    expect(all.map(({ cells }) => cells.length)).toEqual([3, 3, 3]);
    const bodies = all.map(({ cells }) =>
      cells.map((frame) => Buffer.from(decodeFeedFrame(frame.slice(2)).cell).toString('hex')),
    );
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
    for (const one of all) await one.settle();
    fanOut.end();
  });

  test('goes inside the session of whoever has something of its own between, and in a cell again behind it', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const all = [new Connection(), new Connection()];
    const [sender, other] = all as [Connection, Connection];
    await said(fanOut, all, 1);
    await said(fanOut, all, 2);
    const sources = [{}, {}];
    for (const one of all) one.deliver(fanOut, sources[0]!, 3);
    sender.push(own(3));
    for (const one of all) one.deliver(fanOut, sources[1]!, 4);
    const { batch } = fanOut.deliver(sources[1]!, () => alike(4));
    while (!batch.ended) await turn();
    await said(fanOut, all, 5);
    expect([sender.cells.length, other.cells.length]).toEqual([2, 3]);
    for (const one of all) await one.settle();
    fanOut.end();
  });

  test('stays in one piece for who is answered meanwhile: what became of its own lines is told behind it', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const all = [new Connection(), new Connection()];
    const [sender] = all as [Connection, Connection];
    await said(fanOut, all, 1);
    await said(fanOut, all, 2);
    const sources = [{}, {}];
    for (const one of all) one.deliver(fanOut, sources[0]!, 3);
    sender.outbound.pushAfterBatch(own(3));
    for (const one of all) one.deliver(fanOut, sources[1]!, 4);
    sender.due.push(own(3));
    const { batch } = fanOut.deliver(sources[1]!, () => alike(4));
    while (!batch.ended) await turn();
    await said(fanOut, all, 5);
    expect(all.map(({ cells }) => cells.length)).toEqual([3, 3]);
    // Nothing is held back that no batch is gathered for.
    sender.outbound.pushAfterBatch(own(6));
    sender.due.push(own(6));
    for (const one of all) await one.settle();
    fanOut.end();
  });

  test('brings who ends meanwhile its answers first', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const one = new Connection();
    one.deliver(fanOut, {}, 1);
    one.outbound.pushAfterBatch(own(2));
    one.due.push(own(2));
    const done = jest.fn();
    one.outbound.finish(done);
    while (done.mock.calls.length === 0) {
      one.outbound.drained();
      await turn();
    }
    await one.settle();
    fanOut.end();
  });

  test('after a departure no part in the next feed is given to who went, whatever was due to it', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const [gone, stays] = [new Connection(), new Connection()];
    const all = [gone, stays];
    await said(fanOut, all, 1);
    await said(fanOut, all, 2);
    // Its reader is slow: a line of before its departure is still due to it.
    gone.idle = false;
    await said(fanOut, all, 3);
    departed(fanOut);
    gone.live = false;
    gone.outbound.finish(() => undefined);
    gone.over = true;
    const frames = gone.frames.length;
    for (let n = 4; n <= 6; n++) await said(fanOut, all, n);
    await gone.settle();
    // The line of before in its old feed, or inside its session; and nothing else, no grant either.
    expect(gone.frames.length).toBe(frames + 1);
    expect(stays.cells.length).toBeGreaterThanOrEqual(4);
    await stays.settle();
    fanOut.end();
  });
});

/** How many of recorded cells the holder of a part in a feed opens, of those that it was never sent as well. */
async function openedBy({ feedId, c, key }: FeedGrant, cells: readonly Bytes[]): Promise<number> {
  const tagKey = nodeRandom.bytes(32);
  let opened = 0;
  for (const { c: at, cell } of cells.map((frame) => decodeFeedFrame(frame.slice(2)))) {
    const [end, thief] = connected();
    thief.receive(end.seal([{ e: FEED_EVENT, body: { feedId, c, key, tagKey } }]));
    const tags = new FeedTags({ feedId, tagKey: Uint8Array.from(tagKey) });
    const frame = concat(
      ...end.feedFrame({ feedId, c: at, cell, digest: await nodeHash.sha256(cell) }, tags),
    );
    try {
      opened += thief.receive(frame).messages.length > 0 ? 1 : 0;
    } catch {
      // It is another feed's, or an earlier one.
    }
    end.destroy();
    thief.destroy();
  }
  return opened;
}

describe('who comes later', () => {
  test('opens nothing that was said before, on the wire of one whose reader is slow', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const [slow, late] = [new Connection(), new Connection()];
    await said(fanOut, [slow], 1);
    slow.idle = false;
    await said(fanOut, [slow], 2);
    await said(fanOut, [slow, late], 3);
    slow.idle = true;
    await said(fanOut, [slow, late], 4);
    expect(slow.cells).toHaveLength(3);
    const [grant] = late.grants;
    expect(await openedBy(grant!, slow.cells)).toBe(1);
    for (const one of [slow, late]) await one.settle();
    fanOut.end();
  });

  test('in the midst of a batch has no part in it, and opens nothing of it', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const [one, late] = [new Connection(), new Connection()];
    const now = jest.spyOn(performance, 'now').mockReturnValue(2_000_000);
    await said(fanOut, [one], 1);
    // By its clock one has just ended: this one is gathered until it is full.
    now.mockReturnValue(1_000_000);
    const sources = [{}, {}];
    one.deliver(fanOut, sources[0]!, 2);
    for (const who of [one, late]) who.deliver(fanOut, sources[1]!, 3);
    late.push(own(3));
    await turn();
    await turn();
    expect(late.got).toEqual(late.due);
    expect([late.frames.length, late.grants.length]).toEqual([1, 0]);
    now.mockReturnValue(3_000_000);
    const full = fanOut.deliver({}, () => ({
      e: 'signalled',
      body: { n: 4, payload: new Uint8Array(65_530) },
    }));
    for (const who of [one, late]) {
      who.due.push(full.message);
      who.outbound.deliver(full);
    }
    while (!full.batch.ended) await turn();
    await turn();
    now.mockReturnValue(4_000_000);
    await said(fanOut, [one, late], 5);
    now.mockRestore();
    expect([one.cells.length, late.cells.length]).toEqual([3, 1]);
    expect(await openedBy(late.grants[0]!, one.cells)).toBe(1);
    for (const who of [one, late]) await who.settle();
    fanOut.end();
  });
});

describe('who has fallen behind', () => {
  test('behind batches that are sealed already gets those inside its session', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const [slow, other] = [new Connection(), new Connection()];
    await said(fanOut, [other], 1);
    slow.idle = false;
    // Two fill what may wait, and not one frame.
    for (const n of [2, 3]) {
      const source = {};
      const large = fanOut.deliver(source, () => ({
        e: 'signalled',
        body: { n, payload: new Uint8Array(524_200) },
      }));
      for (const one of [slow, other]) {
        one.due.push(large.message);
        one.outbound.deliver(large);
      }
      while (!large.batch.ended) await turn();
    }
    slow.idle = true;
    slow.outbound.drained();
    await said(fanOut, [slow, other], 4);
    expect([slow.cells.length, other.cells.length]).toEqual([1, 3]);
    for (const one of [slow, other]) await one.settle();
    fanOut.end();
  });

  test('by more cells than a connection may leave out is given a part anew, and goes on', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const [away, there] = [new Connection(), new Connection()];
    await said(fanOut, [away, there], 1);
    const { feed } = fanOut.deliver({}, () => alike(0)).batch;
    await said(fanOut, [], 0);
    for (let n = 0; n < FEED_SKIPPED_CELLS + 50; n++) feed.seal([alike(n)]);
    for (let n = 2; n <= 4; n++) await said(fanOut, [away, there], n);
    expect([away.grants.length, away.cells.length]).toEqual([2, 2]);
    for (const one of [away, there]) await one.settle();
    fanOut.end();
  });

  test('catches up by turns of its wire, each with as much as one large frame', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const slow = new Connection();
    await said(fanOut, [slow], 0);
    slow.idle = false;
    for (let n = 1; n <= 60; n++) await said(fanOut, [slow], n);
    slow.idle = true;
    slow.outbound.drained();
    await turn();
    expect(slow.got).toHaveLength(slow.due.length);
    expect(slow.cells).toHaveLength(60);
    await slow.settle();
    fanOut.end();
  });

  test('through no fault of its own is not cut: much in one turn goes out first', async () => {
    const fanOut = new RoomFanOut(nodeRandom, fail);
    const one = new Connection();
    await said(fanOut, [one], 0);
    one.strict = true;
    for (let n = 1; n <= 6; n++) {
      const delivery = fanOut.deliver({}, () => ({
        e: 'signalled',
        body: { n, payload: new Uint8Array(245_000) },
      }));
      one.due.push(delivery.message);
      one.outbound.deliver(delivery);
    }
    expect(one.failures).toEqual([]);
    one.strict = false;
    await one.settle();
    fanOut.end();
  });
});

/** `at`: whose act it is; of a turn, a cut, and what all get, nobody's. */
interface Step {
  readonly kind: 'all' | 'turn' | 'later' | 'cut' | 'own' | 'busy' | 'free' | 'away' | 'back';
  readonly at: number;
}

test('whoever is slow, away, answered or removed between: each gets what it is due, once and in order', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('all' as const), at: fc.nat(2) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'own' as const,
          'busy' as const,
          'free' as const,
          'away' as const,
          'back' as const,
        ),
        at: fc.nat(2),
      }),
    },
    { weight: 6, arbitrary: fc.constant({ kind: 'turn' as const, at: 0 }) },
    // A batch that begins now ends with its turn; without it, it may be gathered over many.
    { weight: 4, arbitrary: fc.constant({ kind: 'later' as const, at: 0 }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'cut' as const, at: 0 }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      let clock = 1_000_000;
      const now = jest.spyOn(performance, 'now').mockImplementation(() => clock);
      const fanOut = new RoomFanOut(nodeRandom, fail);
      const all = [new Connection(), new Connection(), new Connection()];
      let n = 0;
      for (const act of steps) {
        n += 1;
        if (act.kind === 'turn') await turn();
        else if (act.kind === 'later') clock += 10;
        else if (act.kind === 'cut') departed(fanOut);
        else if (act.kind === 'all') {
          const source = {};
          for (const one of all) one.deliver(fanOut, source, n);
        } else {
          const one = all[act.at]!;
          if (act.kind === 'own') one.push(own(n));
          else if (act.kind === 'away') one.live = false;
          else if (act.kind === 'back') one.live = true;
          else {
            one.idle = act.kind === 'free';
            if (one.idle) one.outbound.drained();
          }
        }
      }
      for (const one of all) await one.settle();
      fanOut.end();
      now.mockRestore();
    }),
    { numRuns: 100 },
  );
});
