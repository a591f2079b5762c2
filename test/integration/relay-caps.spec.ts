/**
 * Fault 11: one socket cost the relay seconds of CPU and hundreds of megabytes. What a connection may make it
 * decode, hold and read is bounded before the work is done, and what is beyond costs the sender alone.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  encodeCbor,
  encodeFrame,
  FRAME_EVENT,
  FRAME_TYPES,
  LIMITS,
  padFrame,
  type Entry,
} from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import { loadThemis } from '@0fc/crypto/node';
import { BareSession } from '../../libs/crypto/src/link/bare.spec-support.js';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { until } from '../support/wait.js';
import { Peer, rawSocket, Refused } from './relay-peer.js';
import { anyBytes, message, TestRoom } from './relay-room.js';

const relays: RunningRelay[] = [];
const peers: Peer[] = [];
const sockets: Socket[] = [];
let relay: RunningRelay;

async function start(environment: Record<string, string> = {}): Promise<RunningRelay> {
  const base = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    SERVE_WEB: 'false',
    METRICS_PORT: '0',
    HANDSHAKE_MS: '60000',
  };
  const started = await startRelay({ environment: { ...base, ...environment }, inMemory: true });
  relays.push(started);
  return started;
}
async function joined(at = relay): Promise<{ room: TestRoom; guest: Peer }> {
  const room = await TestRoom.create(at);
  const guest = await Peer.connect(at);
  peers.push(room.owner, guest);
  await room.join(guest);
  return { room, guest };
}
/** The code that a request ends in. */
const endOf = async (answer: Promise<unknown> | undefined): Promise<string> => {
  try {
    await answer;
    return 'reply';
  } catch (error) {
    return error instanceof Refused ? error.code : 'UNTYPED';
  }
};
const refusals = async (code: string, at = relay): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${String(at.metricsPort)}/metrics`)).text();
  return Number(new RegExp(`^relay_refusals_total\\{code="${code}"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
};

/** A stranger whose session stands, and who may send anything in it. */
async function bareSession(): Promise<{ socket: ReturnType<typeof rawSocket>; session: BareSession }> {
  const session = new BareSession();
  const socket = rawSocket(relay.url);
  socket.on('connect', () => socket.emit(FRAME_EVENT, session.start()));
  await new Promise<void>((resolve) => {
    socket.on(FRAME_EVENT, (frame: Uint8Array) => {
      const reply = session.answer(frame);
      if (reply !== null) socket.emit(FRAME_EVENT, reply);
      else if (frame[1] === FRAME_TYPES.session) resolve();
    });
  });
  return { socket, session };
}

beforeAll(async () => {
  await loadThemis();
  relay = await start();
});
afterEach(() => {
  for (const peer of peers.splice(0)) peer.leave();
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => Promise.all(relays.map((one) => one.stop())));

describe('what a frame may hold', () => {
  test('more values than a frame may hold end the connection, and no other', async () => {
    const { room } = await joined();
    const { socket, session } = await bareSession();
    const gone = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()));
    const values = new Array<number>(LIMITS.frameItems).fill(0);
    socket.emit(
      FRAME_EVENT,
      session.seal(padFrame(encodeCbor([1, [{ q: 1, kind: 'chain', body: { values } }]]))),
    );
    await gone;
    session.destroy();
    expect(await refusals('TOO_LARGE')).toBe(1);
    await room.owner.request('append', { messages: [message()] });
  });

  test('a connection that has named no room sends small frames only', async () => {
    const stranger = await Peer.connect(relay);
    peers.push(stranger);
    stranger
      .raw({ kind: 'chain', body: { x: new Uint8Array(LIMITS.unboundFrameBytes) } })[0]
      ?.catch(() => undefined);
    await stranger.gone();
    expect(stranger.closing).toBe('TOO_LARGE');
  });

  test('a member sends as large a frame as before', async () => {
    const { guest } = await joined();
    const messages = Array.from({ length: LIMITS.appendMessages - 1 }, () => message(1, LIMITS.payloadBytes));
    expect((await guest.request('append', { messages })).placed).toHaveLength(messages.length);
  });

  test('the largest entry that there can be is restored by a connection that has named no room', async () => {
    const stranger = await Peer.connect(relay);
    const room = await TestRoom.create(relay);
    peers.push(stranger, room.owner);
    const entry: Entry = {
      position: { g: 2 ** 53 - 1, s: 2 ** 53 - 1 },
      kind: 'rotation',
      sender: stranger.memberId,
      time: 2 ** 53 - 1,
      clear: anyBytes(LIMITS.clearBytes),
      payload: anyBytes(LIMITS.payloadBytes),
      wrap: anyBytes(LIMITS.wrapBytes),
    };
    const { roomId } = room;
    // Taken, and judged: it is only bytes.
    expect(await stranger.refusal('restore', { roomId, entries: [entry] })).not.toBe('CLOSED');
    expect(stranger.closed).toBeNull();
  });
});

describe('how much a connection may send', () => {
  test('who sends more is read more slowly, loses nothing, and keeps nobody else waiting', async () => {
    const slow = await start({ BYTES_PER_SECOND: '131072', BYTES_BURST: String(LIMITS.frameBytes) });
    const { room, guest } = await joined(slow);
    let done = 0;
    const large = (): Record<string, unknown> => ({
      messages: Array.from({ length: 15 }, () => message(1, LIMITS.payloadBytes)),
    });
    const answers = Array.from({ length: 4 }, () => guest.raw({ kind: 'append', body: large() })[0]);
    for (const answer of answers)
      answer?.then(
        () => (done += 1),
        () => undefined,
      );
    for (let n = 0; n < 10; n++) await room.owner.request('append', { messages: [message()] });
    // Two fit its allowance; each of the others waits four seconds for its turn.
    expect(done).toBeLessThan(4);
    await until('all of them', () => done === 4);
    expect(guest.closed).toBeNull();
  });

  test('values count beside bytes: a small frame of many is not a cheap one', async () => {
    const slow = await start({ BYTES_PER_SECOND: '131072', BYTES_BURST: String(LIMITS.frameBytes) });
    const { room, guest } = await joined(slow);
    const body = { x: new Array<number>(LIMITS.frameItems - 20).fill(0) };
    // Eight of eight kilobytes: together they are worth four mebibytes, and whatever follows waits for that.
    const dense = Array.from({ length: 8 }, () => endOf(guest.raw({ kind: 'chain', body })[0]));
    expect(await dense[0]).toBe('MALFORMED');
    let done = false;
    const after = endOf(guest.request('chain', { from: 0 })).finally(() => (done = true));
    for (let n = 0; n < 10; n++) await room.owner.request('append', { messages: [message()] });
    expect([done, guest.closed]).toEqual([false, null]);
    guest.leave();
    expect(await after).toBe('CLOSED');
  });
});

describe('how many connections there may be', () => {
  const ended = (socket: ReturnType<typeof rawSocket>): Promise<string> =>
    new Promise((resolve) => {
      socket.once('connect', () => resolve('connected'));
      socket.once('connect_error', () => resolve('refused'));
    });

  test('of all addresses together: one more is turned away, and taken once another has gone', async () => {
    const small = await start({ MAX_CONNECTIONS: '3', TRUST_PROXY: '1' });
    const from = (n: number): ReturnType<typeof rawSocket> =>
      rawSocket(small.url, { address: `198.51.100.${String(n)}` });
    const first = [1, 2, 3].map(from);
    expect(await Promise.all(first.map(ended))).toEqual(['connected', 'connected', 'connected']);
    const late = from(4);
    expect(await ended(late)).toBe('refused');
    first[0]?.disconnect();
    await until('a place', async () => {
      const again = from(5);
      const how = await ended(again);
      again.disconnect();
      return how === 'connected';
    });
    for (const socket of [...first, late]) socket.disconnect();
  });

  test('a school’s address has more than 256, and leaves some to others', async () => {
    const all = 1_500;
    const large = await start({ MAX_CONNECTIONS: String(all), TRUST_PROXY: '1' });
    const from = (address: string): ReturnType<typeof rawSocket> => rawSocket(large.url, { address });
    const school = [];
    for (let n = 0; n < all / 5; n++) {
      const socket = from('198.51.100.1');
      school.push(socket);
      expect([n, await ended(socket)]).toEqual([n, 'connected']);
    }
    const late = from('198.51.100.1');
    const home = from('203.0.113.7');
    expect(await Promise.all([late, home].map(ended))).toEqual(['refused', 'connected']);
    for (const socket of [...school, late, home]) socket.disconnect();
  });

  test('of plain HTTP: those that idle longest make room, and neither a page nor a member waits', async () => {
    const small = await start({ MAX_HTTP_CONNECTIONS: '4' });
    const { room } = await joined(small);
    let open = 0;
    for (let n = 0; n < 12; n++) {
      const socket = connect(small.port, '127.0.0.1');
      sockets.push(socket);
      await once(socket, 'connect');
      open += 1;
      socket.on('error', () => undefined).once('close', () => (open -= 1));
      // A request that never ends.
      socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow:');
    }
    await until('the oldest to be closed', () => open <= 4);
    expect((await fetch(`${small.url}/health/live`)).status).toBe(200);
    peers.push(await Peer.connect(small));
    await room.owner.request('append', { messages: [message()] });
  });
});

describe('a handshake frame', () => {
  test('is refused unread when it is no handshake', async () => {
    const socket = rawSocket(relay.url);
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    const gone = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()));
    socket.emit(FRAME_EVENT, encodeFrame(0, anyBytes(LIMITS.handshakeBytes - 2)));
    await gone;
    peers.push(await Peer.connect(relay, generateKeyPair()));
  });
});
