import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ClientLink } from '@0fc/crypto/link';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import {
  PROTOCOL_VERSION,
  toBase64Url,
  type EventBody,
  type RequestBody,
  type SessionMessage,
} from '@0fc/protocol';
import { STEADY_MS } from './connection.js';
import {
  bench,
  codeOf,
  connected,
  dataFrame,
  handshakeFrame,
  hello,
  turns,
  type Bench,
} from './connection.spec-support.js';
import { BACKOFF_FIRST_MS } from './backoff.js';
import { MOST_IN_FLIGHT, REQUEST_TIMEOUT_MS } from './requests.js';
import { HELLO_TIMEOUT_MS } from './link-session.js';

beforeAll(() => loadThemis());
afterEach(() => {
  jest.restoreAllMocks();
});

const ack: RequestBody<'ack'> = { position: { g: 1, s: 1 } };
const from = toBase64Url(new Uint8Array(16)) as EventBody<'keyNeeded'>['from'];
const need = { from, request: Uint8Array.of(1) };
/** What the generator at 128 of 256 makes of a ceiling. */
const half = (most: number): number => Math.floor((0x80808080 / 2 ** 32) * (most + 1));
const lastState = (made: Bench): unknown => made.told.filter((what) => 'state' in what).at(-1);

describe('up and down (section 3)', () => {
  it('connects as the member that it is, and says so in order', async () => {
    const made = await connected();
    expect(made.relay.end.link.peer).toEqual(made.identity.publicKey);
    expect(made.told).toEqual([
      { state: 'connecting', stopped: null },
      { state: 'connected', stopped: null },
      { up: hello(made.relay.key.publicKey) },
    ]);
    expect(made.connection.state).toBe('connected');
  });

  it('starts once, however often it is told to', async () => {
    const made = await connected();
    made.connection.start();
    await made.relay.settle();
    expect(made.relay.ends).toHaveLength(1);
  });

  it('is offline while nobody answers, and up with the first that does', async () => {
    const made = bench();
    made.relay.reachable = false;
    made.connection.start();
    await made.relay.settle();
    expect(made.states()).toEqual(['connecting', 'offline']);
    made.timers.advance(BACKOFF_FIRST_MS);
    await made.relay.settle();
    made.relay.reachable = true;
    made.timers.advance(2 * BACKOFF_FIRST_MS);
    await made.relay.settle();
    expect(made.states()).toEqual(['connecting', 'offline', 'connected']);
  });

  it('backs off exponentially with full jitter, up to the ceiling', async () => {
    const made = bench();
    made.relay.reachable = false;
    made.connection.start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 13; attempt++) {
      await made.relay.settle();
      const [wait = -1] = made.timers.pending;
      waits.push(wait);
      made.timers.advance(wait);
    }
    const ceilings = waits.map((_, failures) => Math.min(15_000, 250 * 1.5 ** failures));
    expect(waits).toEqual(ceilings.map(half));
    expect(ceilings.slice(-3).map(Math.round)).toEqual([14_416, 15_000, 15_000]);
    made.connection.stop();
  });

  it('forgets earlier failures only after a session that lasted', async () => {
    const made = bench();
    made.relay.heartbeatMs = 2_000;
    made.connection.start();
    await made.relay.settle();
    for (const wait of [half(250), half(375)]) {
      made.relay.end.drop();
      await made.relay.settle();
      expect(made.states().at(-1)).toBe('connecting');
      expect(made.timers.pending).toEqual([wait]);
      made.timers.advance(wait);
      await made.relay.settle();
    }
    for (let ms = 0; ms < STEADY_MS; ms += 2_000) {
      made.timers.advance(2_000);
      made.relay.end.event('heartbeat', {});
      await made.relay.settle();
    }
    made.relay.end.drop();
    expect(made.timers.pending).toEqual([half(250)]);
  });

  it('gives up a socket that does not open, soon at first, and each later one after twice as long', async () => {
    const made = bench();
    const { connect } = made.relay;
    made.relay.connect = () => ({ send: () => undefined, close: () => (closed += 1) });
    let closed = 0;
    made.connection.start();
    for (const [attempt, ms] of [5_000, 10_000, 15_000, 15_000].entries()) {
      expect(made.timers.pending).toEqual([ms]);
      made.timers.advance(ms);
      expect(closed).toBe(attempt + 1);
      made.timers.advance(made.timers.pending[0] ?? 0);
    }
    // The network is back: a new socket may open where this one waits for its next try.
    made.relay.connect = connect;
    made.connection.wake();
    await made.relay.settle();
    expect(closed).toBe(5);
    expect(made.connection.state).toBe('connected');
  });

  it('wake connects at once, and ends no link that lives', async () => {
    const made = await connected();
    made.connection.wake();
    expect(made.relay.ends).toHaveLength(1);
    made.relay.reachable = false;
    made.relay.end.drop();
    made.timers.advance(BACKOFF_FIRST_MS);
    await made.relay.settle();
    expect(made.connection.state).toBe('offline');
    made.relay.reachable = true;
    made.connection.wake();
    await made.relay.settle();
    expect(made.states()).toEqual([
      'connecting',
      'connected',
      'connecting',
      'offline',
      'connecting',
      'connected',
    ]);
    expect(made.relay.ends).toHaveLength(3);
  });

  it('gives up an attempt without a hello', async () => {
    const made = bench();
    made.relay.greets = false;
    made.connection.start();
    await made.relay.settle();
    expect(await codeOf(made.connection.request('ack', ack))).toBe('OFFLINE');
    made.timers.advance(HELLO_TIMEOUT_MS - 1);
    expect(made.relay.end.closed).toBe(false);
    made.timers.advance(1);
    expect(made.relay.end.closed).toBe(true);
    expect(made.timers.pending).toEqual([half(250)]);
  });

  it('stop is final, quiet and idempotent, and every link is freed', async () => {
    const open = jest.spyOn(ClientLink, 'open');
    const destroy = jest.spyOn(ClientLink.prototype, 'destroy');
    const made = await connected();
    made.relay.end.drop();
    made.timers.advance(BACKOFF_FIRST_MS);
    await made.relay.settle();
    const before = made.told.length;
    const waiting = made.connection.request('ack', ack);
    made.relay.end.event('keyNeeded', need);
    made.connection.stop();
    made.connection.stop();
    expect(await codeOf(waiting)).toBe('OFFLINE');
    await made.relay.settle();
    expect(made.told).toHaveLength(before);
    expect(made.connection.state).toBe('offline');
    expect(made.timers.pending).toEqual([]);
    expect(made.relay.end.closed).toBe(true);
    expect(open).toHaveBeenCalledTimes(2);
    expect(new Set(destroy.mock.contexts)).toEqual(new Set(open.mock.results.map(({ value }) => value)));
    made.connection.wake();
    expect(made.relay.ends).toHaveLength(2);
    made.connection.start();
    await made.relay.settle();
    expect(made.connection.state).toBe('connected');
  });

  it('lets its owner stop and request from inside a callback', async () => {
    const made = await connected();
    const reply = made.connection.request('ack', ack).then(() => made.connection.stop());
    await made.relay.settle();
    await reply;
    expect(made.connection.state).toBe('offline');
  });
});

describe('a link that says nothing any more (section 3)', () => {
  const INTERVAL = 2_000;
  const beating = async (heartbeatMs = INTERVAL): Promise<Bench> => {
    const made = bench();
    made.relay.heartbeatMs = heartbeatMs;
    made.connection.start();
    await made.relay.settle();
    return made;
  };
  const beats = async (made: Bench): Promise<void> => {
    made.relay.end.event('heartbeat', {});
    await made.relay.settle();
  };
  /** Until the current session has ended in silence and the next one is there: how long the silence was, and the delay. */
  const silence = async (made: Bench): Promise<{ readonly ms: number; readonly delay: number }> => {
    const session = made.relay.end;
    const begun = made.timers.now;
    while (!session.closed) made.timers.advance(Math.min(100, made.timers.pending[0] ?? 100));
    const ms = made.timers.now - begun;
    await made.relay.settle();
    const [delay = 0] = made.timers.pending;
    made.timers.advance(delay);
    await made.relay.settle();
    return { ms, delay };
  };

  it('is ended 2.4 intervals after the last thing that was heard, whatever that was', async () => {
    const made = await beating();
    for (const kind of ['heartbeat', 'heartbeat', 'keyNeeded'] as const) {
      made.timers.advance(4_799);
      made.relay.end.event(kind, kind === 'heartbeat' ? {} : need);
      await made.relay.settle();
    }
    const asked = codeOf(made.connection.request('ack', ack));
    made.timers.advance(4_799);
    expect(made.connection.state).toBe('connected');
    made.timers.advance(1);
    expect(made.connection.state).toBe('connecting');
    expect(made.relay.end.closed).toBe(true);
    expect(await asked).toBe('OFFLINE');
    // A heartbeat is nothing that anybody is told of.
    expect(made.told.filter((what) => 'event' in what)).toEqual([{ event: 'keyNeeded', body: need }]);
  });

  it('is judged no sooner because the page is shown: a relay could tell who looks at it', async () => {
    const made = await beating();
    for (let second = 0; second < 4; second++) {
      made.timers.advance(1_000);
      made.connection.wake();
    }
    made.timers.advance(799);
    expect(made.connection.state).toBe('connected');
    made.timers.advance(1);
    expect(made.connection.state).toBe('connecting');
  });

  it.each(['nothing', 'something'])(
    'is given 1.4 intervals where this device has slept, once, with %s heard before',
    async (heard) => {
      for (const wakes of ['by its timer', 'by the page']) {
        const made = await beating();
        made.timers.advance(100);
        if (heard === 'something') await beats(made);
        if (wakes === 'by its timer') made.timers.sleep(3_600_000);
        else {
          // Its timers stood still, and go on where they were.
          made.timers.shift(3_600_000);
          made.connection.wake();
        }
        expect(made.connection.state).toBe('connected');
        made.timers.advance(2_799);
        expect(made.connection.state).toBe('connected');
        made.timers.advance(1);
        expect(made.connection.state).toBe('connecting');
      }
    },
  );

  it('lives on where it is heard after sleep', async () => {
    const made = await beating();
    made.timers.sleep(3_600_000);
    await beats(made);
    made.timers.advance(4_799);
    expect(made.connection.state).toBe('connected');
    await beats(made);
    made.timers.advance(4_799);
    expect(made.connection.state).toBe('connected');
  });

  it('is known on a device whose timers are always late', async () => {
    const made = await beating();
    for (let minute = 0; minute < 3 && made.connection.state === 'connected'; minute++)
      made.timers.sleep(60_000);
    expect(made.connection.state).toBe('connecting');
  });

  it('is judged by the time that was waited, wherever the clock was set meanwhile', async () => {
    for (const jump of [-86_400_000, 86_400_000]) {
      const made = await beating();
      made.timers.advance(1_000);
      made.timers.shift(jump);
      for (let beat = 0; beat < 4; beat++) {
        made.timers.advance(1_900);
        await beats(made);
      }
      expect(made.connection.state).toBe('connected');
      made.timers.advance(2 * 4_800);
      expect(made.states()).toContain('connecting');
      expect(made.states().filter((state) => state === 'connected')).toHaveLength(1);
    }
  });

  it('may be silent twice as long where it was again and again, and as long as before once it was not', async () => {
    const made = await beating();
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) waits.push((await silence(made)).ms);
    expect(waits).toEqual([4_800, 4_800, 9_600, 19_200, 38_400, 38_400, 38_400, 38_400]);
    // Of one session, that lasts: a minute each.
    for (let beat = 0; beat < 4 * 32; beat++) {
      made.timers.advance(1_900);
      await beats(made);
    }
    expect((await silence(made)).ms).toBe(4_800);
  });

  it.each([2_000, 5_000, 30_000, 60_000])(
    'is left for longer and longer where it always is silent, at an interval of %d ms',
    async (heartbeatMs) => {
      const made = await beating(heartbeatMs);
      const ends = [];
      for (let n = 0; n < 14; n++) ends.push(await silence(made));
      expect(ends.at(-1)?.ms).toBe(8 * 2.4 * heartbeatMs);
      expect(ends.at(-1)?.delay).toBeGreaterThanOrEqual(half(15_000));
    },
  );

  it('that everybody loses at once is made anew by each at a time of its own', async () => {
    for (const jitter of [1, 64, 255]) {
      const made = await beating();
      made.jitter = jitter;
      const { delay } = await silence(made);
      expect(delay).toBe(Math.floor(((jitter * 0x01010101) / 2 ** 32) * (INTERVAL + 1)));
    }
  });

  it('of a replica that drains is made anew at once, and not at the time of the move', async () => {
    const made = await beating();
    made.relay.end.event('closing', { code: 'TRY_AGAIN', moveWithinMs: 600_000 });
    await made.relay.settle();
    await silence(made);
    expect(made.connection.state).toBe('connected');
    expect(made.timers.pending.every((ms) => ms <= 60_000)).toBe(true);
  });

  it('is not waited for in a handshake for longer than 5 s from waking on', async () => {
    const made = bench();
    made.relay.greets = false;
    made.connection.start();
    await made.relay.settle();
    for (let second = 0; second < 5; second++) {
      expect(made.relay.end.closed).toBe(false);
      made.connection.wake();
      made.timers.advance(1_000);
    }
    expect(made.relay.end.closed).toBe(true);
    expect(made.relay.ends).toHaveLength(1);
  });
});

describe('requests (section 3)', () => {
  it('answers each with its own reply or error', async () => {
    const made = await connected();
    const placed = { position: { g: 1, s: 7 }, time: 5 };
    made.relay.answer = (kind) => {
      if (kind === 'append') return { body: { placed: [placed] } };
      if (kind === 'invite')
        return { error: { code: 'INVITE_LIMIT', params: { max: 64, text: 'click here' } } };
      return { error: { code: 'WRONG_PASSPHRASE' } };
    };
    const { connection } = made;
    const append = connection.request('append', {
      messages: [{ clear: Uint8Array.of(1), payload: Uint8Array.of(2) }],
    });
    const inviteId = toBase64Url(new Uint8Array(16)) as RequestBody<'invite'>['inviteId'];
    const invite = connection.request('invite', { inviteId, expires: 1 });
    const refused = expect(invite).rejects.toMatchObject({ code: 'INVITE_LIMIT', params: { max: 64 } });
    const foreign = connection.request('ack', ack);
    // A code that the catalogue does not have for this request is not passed on.
    const unknown = expect(foreign).rejects.toMatchObject({ code: 'INTERNAL' });
    await made.relay.settle();
    await expect(append).resolves.toEqual({ placed: [placed] });
    await refused;
    await unknown;
    await expect(invite).rejects.not.toHaveProperty('params.text');
  });

  it('sends what one turn asks in one frame', async () => {
    const made = await connected();
    const all = [1, 2, 3].map((s) => made.connection.request('ack', { position: { g: 1, s } }));
    await made.relay.settle();
    await Promise.all(all);
    expect(made.relay.end.frames.map((frame) => frame.length)).toEqual([3]);
    await Promise.all([made.connection.request('ack', ack), made.relay.settle()]);
    expect(made.relay.end.frames.map((frame) => frame.length)).toEqual([3, 1]);
  });

  it('refuses what cannot be sent, alone and before it leaves', async () => {
    const made = await connected();
    const { connection } = made;
    const wraps = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => {
        const id = new Uint8Array(16);
        new DataView(id.buffer).setUint32(0, at);
        return [toBase64Url(id), new Uint8Array(1_024)];
      }),
    ) as RequestBody<'rotate'>['wraps'];
    const big = new Uint8Array(32_768);
    const bad = connection.request('ack', { position: { g: 0, s: 1 } });
    const large = connection.request('rotate', { clear: big, payload: big, wraps });
    const good = connection.request('ack', ack);
    expect(await codeOf(bad)).toBe('MALFORMED');
    expect(await codeOf(large)).toBe('TOO_LARGE');
    await made.relay.settle();
    expect(await codeOf(good)).toBe('fulfilled');
    expect(made.relay.end.frames.map((frame) => frame.length)).toEqual([1]);
  });

  it('bounds what is in flight', async () => {
    const made = await connected();
    made.relay.answer = () => null;
    const flying = Array.from({ length: MOST_IN_FLIGHT }, () => codeOf(made.connection.request('ack', ack)));
    expect(await codeOf(made.connection.request('ack', ack))).toBe('TRY_AGAIN');
    expect(await Promise.all(flying)).toEqual(flying.map(() => 'pending'));
    made.connection.stop();
    expect(made.timers.pending).toEqual([]);
  });

  it('a request without an answer ends the link', async () => {
    const made = await connected();
    made.relay.answer = () => null;
    const silent = made.connection.request('ack', ack);
    await made.relay.settle();
    made.timers.advance(REQUEST_TIMEOUT_MS - 1);
    expect(await codeOf(silent)).toBe('pending');
    made.timers.advance(1);
    expect(await codeOf(silent)).toBe('OFFLINE');
    expect(made.relay.end.closed).toBe(true);
    expect(made.states().at(-1)).toBe('connecting');
    made.timers.advance(BACKOFF_FIRST_MS);
    await made.relay.settle();
    expect(made.connection.state).toBe('connected');
  });

  it('a link that falls ends in OFFLINE what it carried, and nothing is sent again', async () => {
    const made = await connected();
    made.relay.answer = () => null;
    const lost = made.connection.request('ack', ack);
    await made.relay.settle();
    made.relay.end.drop();
    expect(await codeOf(lost)).toBe('OFFLINE');
    expect(await codeOf(made.connection.request('ack', ack))).toBe('OFFLINE');
    made.timers.advance(BACKOFF_FIRST_MS);
    await made.relay.settle();
    expect(made.relay.ends).toHaveLength(2);
    expect(made.relay.end.frames).toEqual([]);
  });

  it('settles a reply, and who awaits it goes on, before the event behind it', async () => {
    const made = await connected();
    const order: string[] = [];
    made.relay.answer = () => null;
    const asked = made.connection.request('ack', ack);
    const done = asked.then(() => order.push(`reply after ${String(made.told.length - 3)} events`));
    await made.relay.settle();
    const [frame = []] = made.relay.end.frames;
    const [sent] = frame as readonly { q: number }[];
    made.relay.end.send(
      { r: sent!.q, body: {} },
      { e: 'keyNeeded', body: need },
      { e: 'keyNeeded', body: need },
    );
    await made.relay.settle();
    await done;
    expect(order).toEqual(['reply after 0 events']);
    expect(made.told).toHaveLength(5);
  });
});

describe('what the relay may not do (G5, G13)', () => {
  const drops = async (made: Bench): Promise<void> => {
    await made.relay.settle();
    expect(made.relay.ends[0]!.closed).toBe(true);
    expect(made.states().at(-1)).toBe('connecting');
    made.timers.advance(BACKOFF_FIRST_MS);
    await made.relay.settle();
    expect(made.connection.state).toBe('connected');
    expect(made.relay.ends).toHaveLength(2);
  };

  it.each<[string, (made: Bench) => SessionMessage]>([
    ['an event that does not fit', () => ({ e: 'keyNeeded', body: { from, request: 'text' } })],
    ['an event with a field too many', () => ({ e: 'keyNeeded', body: { ...need, more: 1 } })],
    ['a second hello', ({ relay }) => ({ e: 'hello', body: { ...hello(relay.key.publicKey) } })],
    ['a request', () => ({ q: 1, kind: 'ack', body: { ...ack } })],
    ['a reply to nothing', () => ({ r: 99, body: {} })],
  ])('%s ends the link', async (_what, message) => {
    const made = await connected();
    const before = made.told.length;
    made.relay.end.send({ e: 'keyNeeded', body: need }, message(made), { e: 'keyNeeded', body: need });
    await made.relay.settle();
    // What came before it counts, what came behind it does not.
    expect(made.told.slice(before)).toEqual([
      { event: 'keyNeeded', body: need },
      { state: 'connecting', stopped: null },
    ]);
    await drops(made);
  });

  it('a reply that does not fit is RELAY_LIED and ends the link', async () => {
    const made = await connected();
    made.relay.answer = () => ({ body: { more: 1 } });
    const code = made.connection.request('ack', ack);
    const told = expect(code).rejects.toMatchObject({ code: 'RELAY_LIED' });
    await drops(made);
    await told;
  });

  it('a second reply to one request ends the link', async () => {
    const made = await connected();
    made.relay.answer = () => null;
    const asked = made.connection.request('ack', ack);
    await made.relay.settle();
    made.relay.end.send({ r: 1, body: {} }, { r: 1, body: {} });
    await drops(made);
    await asked;
  });

  it('an event of an unknown kind has no effect', async () => {
    const made = await connected();
    const before = made.told.length;
    made.relay.end.send({ e: 'later', body: { x: 1 } });
    made.relay.end.event('keyNeeded', need);
    await made.relay.settle();
    expect(made.told.slice(before)).toEqual([{ event: 'keyNeeded', body: need }]);
    expect(made.connection.state).toBe('connected');
  });

  it('a replayed frame ends the link and is not taken twice', async () => {
    const made = await connected();
    made.relay.end.event('keyNeeded', need);
    await made.relay.settle();
    made.relay.end.raw(made.relay.end.sent.at(-1));
    await made.relay.settle();
    expect(made.told.filter((what) => 'event' in what)).toHaveLength(1);
    await drops(made);
  });

  it('a dropped frame is noticed at the next', async () => {
    const made = await connected();
    made.relay.end.link.seal([{ e: 'keyNeeded', body: need }]);
    made.relay.end.event('keyNeeded', need);
    await made.relay.settle();
    expect(made.told.filter((what) => 'event' in what)).toEqual([]);
    await drops(made);
  });

  it.each<[string, unknown]>([
    ['text', 'hello'],
    ['nothing', null],
    ['an empty frame', new Uint8Array()],
    ['a later version', Uint8Array.of(2, 1, 0)],
    ['an unknown type', Uint8Array.of(1, 9, 0)],
    ['noise', dataFrame(new Uint8Array(300).fill(7))],
    ['a handshake in the middle', handshakeFrame(new Uint8Array(60).fill(7))],
    ['too much', new Uint8Array(1_048_577).fill(1)],
  ])('garbage ends the link: %s', async (_what, data) => {
    const made = await connected();
    made.relay.end.raw(data);
    await drops(made);
  });

  it('an event before the hello, and a hello of another relay, end the attempt', async () => {
    const made = bench();
    const messages: SessionMessage[] = [
      { e: 'keyNeeded', body: need },
      { e: 'hello', body: { ...hello(generateKeyPair().publicKey) } },
    ];
    made.relay.established = (end) => end.send(messages[made.relay.ends.length - 1]!);
    made.connection.start();
    await made.relay.settle();
    made.timers.advance(BACKOFF_FIRST_MS);
    await made.relay.settle();
    expect(made.relay.ends.map(({ closed }) => closed)).toEqual([true, true]);
    expect(made.told.every((what) => 'state' in what && what.state === 'connecting')).toBe(true);
    made.connection.stop();
  });
});

describe('stopped until the user acts', () => {
  const retry = async (made: Bench): Promise<void> => {
    made.timers.advance(made.timers.pending[0] ?? 0);
    await made.relay.settle();
  };

  it('another connection of this member replaces it', async () => {
    const made = await connected();
    const asked = made.connection.request('ack', ack);
    const code = codeOf(asked);
    made.relay.end.event('closing', { code: 'REPLACED' });
    made.relay.answer = () => null;
    await made.relay.settle();
    expect(await code).toBe('pending');
    expect(await codeOf(asked)).toBe('OFFLINE');
    expect(lastState(made)).toEqual({ state: 'stopped', stopped: { code: 'REPLACED' } });
    expect(made.timers.pending).toEqual([]);
    made.connection.wake();
    expect(made.relay.ends).toHaveLength(1);
    made.connection.start();
    await made.relay.settle();
    expect(made.connection.state).toBe('connected');
  });

  it('a relay of a later version stops it, by its hello or its farewell', async () => {
    for (const message of ['hello', 'closing']) {
      const made = bench();
      made.relay.established = (end) => {
        const body = { ...hello(made.relay.key.publicKey), version: PROTOCOL_VERSION + 1 };
        end.send(
          message === 'hello'
            ? { e: 'hello', body }
            : { e: 'closing', body: { code: 'UNSUPPORTED_VERSION' } },
        );
      };
      made.connection.start();
      await made.relay.settle();
      expect(lastState(made)).toEqual({ state: 'stopped', stopped: { code: 'UNSUPPORTED_VERSION' } });
      expect(made.timers.pending).toEqual([]);
    }
  });

  it('G13: a relay with another key stops it at the second proof', async () => {
    const made = bench(generateKeyPair().publicKey);
    made.connection.start();
    await made.relay.settle();
    expect(made.connection.state).toBe('offline');
    // An outage in between proves nothing either way.
    made.relay.reachable = false;
    await retry(made);
    made.relay.reachable = true;
    await retry(made);
    expect(made.relay.ends).toHaveLength(3);
    expect(lastState(made)).toEqual({ state: 'stopped', stopped: { code: 'RELAY_KEY_MISMATCH' } });
    expect(made.timers.pending).toEqual([]);
    expect(made.told.some((what) => 'up' in what)).toBe(false);
  });

  it('G13: a relay that claims the pinned key without having it stops it too', async () => {
    const made = bench();
    const { publicKey } = made.relay.key;
    made.relay.key = { publicKey, privateKey: generateKeyPair().privateKey };
    made.connection.start();
    await made.relay.settle();
    expect(made.connection.state).toBe('offline');
    await retry(made);
    expect(lastState(made)).toEqual({ state: 'stopped', stopped: { code: 'RELAY_KEY_MISMATCH' } });
  });

  it('a clock a day off is told as that, once the handshake has failed', async () => {
    const made = bench(generateKeyPair().publicKey, (now) => Promise.resolve(now - 2 * 86_400_000));
    made.connection.start();
    await made.relay.settle();
    expect(lastState(made)).toEqual({
      state: 'stopped',
      stopped: { code: 'CLOCK_WRONG', params: { skewMs: 2 * 86_400_000 } },
    });
    expect(made.timers.pending).toEqual([]);
  });

  it('a clock that cannot be asked, or is right, leaves the failure what it was', async () => {
    const clocks = [() => Promise.reject(new Error('gone')), (now: number) => Promise.resolve(now + 60_000)];
    for (const relayTime of clocks) {
      const made = bench(generateKeyPair().publicKey, relayTime);
      made.connection.start();
      await made.relay.settle();
      expect(made.connection.state).toBe('offline');
      await retry(made);
      expect(lastState(made)).toEqual({ state: 'stopped', stopped: { code: 'RELAY_KEY_MISMATCH' } });
    }
  });

  it('one failed handshake between good ones does not stop it', async () => {
    const made = await connected();
    const own = made.relay.key;
    for (let round = 0; round < 3; round++) {
      made.relay.key = generateKeyPair();
      made.relay.end.drop();
      await retry(made);
      expect(made.connection.state).toBe('offline');
      made.relay.key = own;
      await retry(made);
      expect(made.connection.state).toBe('connected');
    }
  });

  it('a key of its own that cannot be used stops it', async () => {
    const made = bench(Uint8Array.of(1, 2, 3));
    made.connection.start();
    await made.relay.settle();
    expect(lastState(made)).toEqual({ state: 'stopped', stopped: { code: 'BAD_KEY' } });
  });
});

describe('a relay that closes', () => {
  it('reconnects after a farewell', async () => {
    const made = await connected();
    made.relay.end.event('closing', { code: 'SLOW_CONSUMER' });
    await made.relay.settle();
    expect(made.relay.end.closed).toBe(true);
    expect(made.timers.pending).toEqual([half(250)]);
  });

  it('moves at a random time within what it is given', async () => {
    const made = await connected();
    made.relay.end.event('closing', { code: 'TRY_AGAIN', moveWithinMs: 4_000 });
    await made.relay.settle();
    const last = made.connection.request('ack', ack);
    await made.relay.settle();
    expect(await codeOf(last)).toBe('fulfilled');
    made.timers.advance(half(4_000) - 1);
    expect(made.relay.end.closed).toBe(false);
    made.timers.advance(1);
    expect(made.relay.ends[0]!.closed).toBe(true);
    await made.relay.settle();
    expect(made.relay.ends).toHaveLength(2);
    expect(made.states()).toEqual(['connecting', 'connected', 'connecting', 'connected']);
    made.timers.advance(60_000);
    await turns();
    expect(made.relay.ends).toHaveLength(2);
  });

  it('keeps to that time when the relay closes before it', async () => {
    const made = await connected();
    made.relay.end.event('closing', { code: 'TRY_AGAIN', moveWithinMs: 4_000 });
    await made.relay.settle();
    made.relay.end.drop();
    await made.relay.settle();
    expect(made.timers.pending).toEqual([half(4_000)]);
    made.timers.advance(half(4_000));
    await made.relay.settle();
    expect(made.relay.ends).toHaveLength(2);
    expect(made.connection.state).toBe('connected');
  });
});
