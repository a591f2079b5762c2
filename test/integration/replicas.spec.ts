/**
 * Two relays on one Redis: what members at both see is one log, in one order, whatever becomes of the
 * connections between (docs/protocol.md G16).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import slotOf from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import { loadThemis } from '@0fc/crypto/node';
import { generateKeyPair } from '@0fc/crypto/keys';
import { writeKey } from '../../apps/relay/src/config/key-pair.js';
import { startRelay, type RunningRelay } from '../../apps/relay/src/start.js';
import { startRedis, type RedisKind, type RunningRedis } from '../support/redis.js';
import { until } from '../support/wait.js';
import { Peer, Refused } from './relay-peer.js';
import { anyBytes, message, newInviteId, TestRoom } from './relay-room.js';

const BASE = { PORT: '0', LOG_LEVEL: 'silent', SERVE_WEB: 'false', HANDSHAKE_MS: '60000', METRICS_PORT: '0' };
const USER = { A: 'relay-a', B: 'relay-b' };
const PASSWORD = 'for-a-test';
const CHANNELS = '&0fc:*';
/** What docs/operations.md says that the relay's user needs. */
const RIGHTS = ['~0fc:*', CHANNELS, '+@all', '-@dangerous', '+info', '+cluster', '+@connection'];

let key: string;
beforeAll(async () => {
  await loadThemis();
  key = writeKey(generateKeyPair());
});

const status = async ({ url }: RunningRelay, path: string): Promise<number> =>
  (await fetch(`${url}/health/${path}`)).status;
const seqs = (peer: Peer): number[] => peer.entries.map(({ position }) => position.s);

/** The same room for peers of another relay: both have the same key. */
async function joinAt(room: TestRoom, relay: RunningRelay): Promise<Peer> {
  const peer = await Peer.connect(relay);
  await room.join(peer);
  return peer;
}

async function say(peer: Peer, length = 64): Promise<number> {
  const { placed } = await peer.request('append', { messages: [message(1, length)] });
  const seq = placed[0]?.position.s;
  if (seq === undefined) throw new Error('nothing was placed');
  return seq;
}

/** As a client does: again while the store is between two nodes. Each refusal may have stored the message or not. */
async function sayUntilDone(peer: Peer): Promise<number> {
  return until('the message to be acknowledged', async () => {
    try {
      return await say(peer);
    } catch (error) {
      if (error instanceof Refused && error.code === 'TRY_AGAIN') return false;
      throw error;
    }
  });
}

describe.each<RedisKind>(['standalone', 'cluster'])('two replicas on a %s Redis', (kind) => {
  let redis: RunningRedis;
  let a: RunningRelay;
  let b: RunningRelay;

  beforeAll(async () => {
    // A password makes it this test's own, whatever REDIS_URL says: its subscriptions are killed.
    redis = await startRedis({ kind, password: PASSWORD });
    for (const [node] of redis.nodes.entries()) {
      const client = redis.connect(node);
      for (const user of Object.values(USER)) {
        await client.call('ACL', 'SETUSER', user, 'on', `>${PASSWORD}`, ...RIGHTS);
      }
      client.disconnect();
    }
    const start = (user: string) =>
      startRelay({
        environment: {
          ...BASE,
          ...redis.environment,
          RELAY_PRIVATE_KEY: key,
          REDIS_USERNAME: user,
          REDIS_PASSWORD: PASSWORD,
        },
        inMemory: true,
      });
    a = await start(USER.A);
    b = await start(USER.B);
  });
  afterAll(async () => {
    await Promise.all([a.stop(), b.stop()]);
    await redis.stop();
  });

  /** What one node, or all, are told. */
  async function tellRedis(what: (client: Redis) => Promise<unknown>): Promise<void> {
    for (const [node] of redis.nodes.entries()) {
      const client = redis.connect(node);
      await what(client);
      client.disconnect();
    }
  }

  test('members at both have the same log in the same order, their own messages included', async () => {
    const room = await TestRoom.create(a);
    const guest = await joinAt(room, b);
    const from = await say(room.owner);
    await Promise.all(Array.from({ length: 20 }, (_, n) => say(n % 2 === 0 ? room.owner : guest)));
    const last = await say(guest);
    await until('all to be there', () => [room.owner, guest].every((peer) => seqs(peer).at(-1) === last));
    const after = (peer: Peer): number[] => seqs(peer).filter((s) => s > from);
    expect(after(guest)).toEqual(Array.from({ length: last - from }, (_, n) => from + n + 1));
    expect(after(room.owner)).toEqual(after(guest));
    for (const peer of [room.owner, guest]) peer.leave();
  });

  test('signals, joins and removals cross over', async () => {
    const room = await TestRoom.create(a);
    const guest = await joinAt(room, b);
    await room.owner.request('signal', { epoch: 1, payload: anyBytes(40) });
    await until('the signal', () => guest.told('signalled').length === 1);
    const inviteId = newInviteId();
    await room.owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
    const joiner = await Peer.connect(b);
    await joiner.request('claim', { roomId: room.roomId, inviteId });
    await joiner.request('joinRequest', { inviteId, request: anyBytes(200) });
    await until('the owner to hear of the joiner', () =>
      room.owner.told('join').some((join) => join.inviteId === inviteId),
    );
    await room.change('remove', { member: guest.memberId, reason: 'removed' });
    await guest.gone();
    for (const peer of [room.owner, joiner]) peer.leave();
  });

  test('a member that connects to the other replica is cut at the first', async () => {
    const room = await TestRoom.create(a);
    const again = await Peer.connect(b, room.owner.identity);
    await room.open(again);
    await room.owner.gone();
    expect(room.owner.closing).toBe('REPLACED');
    expect(again.closed).toBeNull();
    again.leave();
  });

  test('what was published in a quiet room while a subscription was broken is delivered', async () => {
    const room = await TestRoom.create(a);
    const guest = await joinAt(room, b);
    await until('the replica to be ready', async () => (await status(b, 'ready')) === 200);
    // Redis ends the subscriptions of B, and lets it make none.
    await tellRedis((client) => client.call('ACL', 'SETUSER', USER.B, 'resetchannels'));
    await until('readiness to turn red', async () => (await status(b, 'ready')) === 503);
    expect(await status(b, 'live')).toBe(200);
    const before = seqs(guest).length;
    const missed = [await say(room.owner), await say(room.owner), await say(room.owner)];
    await until('the owner to have them', () => seqs(room.owner).at(-1) === missed.at(-1));
    expect(seqs(guest)).toHaveLength(before);
    await tellRedis((client) => client.call('ACL', 'SETUSER', USER.B, CHANNELS));
    await until('the guest to have them', () => seqs(guest).at(-1) === missed.at(-1));
    expect(seqs(guest).slice(before)).toEqual(missed);
    await until('readiness to turn green', async () => (await status(b, 'ready')) === 200);
    for (const peer of [room.owner, guest]) peer.leave();
  });

  test('subscriptions that are killed again and again cost no entry, no order and no repetition', async () => {
    const room = await TestRoom.create(a);
    const guest = await joinAt(room, b);
    const from = await say(room.owner);
    let last = 0;
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        tellRedis((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')),
        ...Array.from({ length: 6 }, (_, n) => say(n % 2 === 0 ? room.owner : guest)),
      ]);
      last = await say(room.owner);
    }
    await until('all to be there', () => [room.owner, guest].every((peer) => seqs(peer).at(-1) === last));
    const expected = Array.from({ length: last - from }, (_, n) => from + n + 1);
    for (const peer of [room.owner, guest]) {
      expect(seqs(peer).filter((s) => s > from)).toEqual(expected);
      expect(peer.closed).toBeNull();
      peer.leave();
    }
  });

  test('each replica counts itself, the other and what it serves, and names nobody', async () => {
    const room = await TestRoom.create(a);
    const guest = await joinAt(room, b);
    await say(guest);
    let text = '';
    const value = (name: string): number =>
      Number(new RegExp(`^${name}(?:{.*})? (\\S+)$`, 'm').exec(text)?.[1]);
    await until('the replicas to see each other', async () => {
      text = await (await fetch(`http://127.0.0.1:${String(b.metricsPort)}/metrics`)).text();
      return value('relay_replicas') === 2;
    });
    expect(value('relay_connections')).toBeGreaterThanOrEqual(1);
    expect(value('relay_sessions')).toBeGreaterThanOrEqual(1);
    expect(value('relay_rooms')).toBeGreaterThanOrEqual(1);
    expect(value('relay_redis_up')).toBe(1);
    expect(value('relay_feed_broken_rooms')).toBe(0);
    expect(value('relay_append_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(value('relay_handshakes_total')).toBeGreaterThanOrEqual(1);
    expect(value('relay_deliveries_total')).toBeGreaterThanOrEqual(1);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    for (const id of [room.roomId, guest.memberId, room.owner.memberId]) expect(text).not.toContain(id);
    expect((await fetch(`http://127.0.0.1:${String(b.metricsPort)}/`)).status).toBe(404);
    for (const peer of [room.owner, guest]) peer.leave();
  });
});

describe('a room whose slot moves to another node of the cluster', () => {
  let redis: RunningRedis;
  let relays: RunningRelay[];
  beforeAll(async () => {
    redis = await startRedis({ kind: 'cluster' });
    const environment = { ...BASE, ...redis.environment, RELAY_PRIVATE_KEY: key };
    relays = await Promise.all([1, 2].map(() => startRelay({ environment, inMemory: true })));
  });
  afterAll(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await redis.stop();
  });

  /** Moves a slot with all its keys, as redis-cli does. */
  async function move(slot: number, from: Redis, to: Redis): Promise<void> {
    const [fromId, toId] = [await from.call('CLUSTER', 'MYID'), await to.call('CLUSTER', 'MYID')] as string[];
    const { host = '', port = 0 } = to.options;
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
    const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
    await from.call('MIGRATE', host, port, '', 0, 5_000, 'KEYS', ...keys);
    for (const node of [to, from]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
  }

  test('is heard there, with what was said meanwhile', async () => {
    const [a, b] = relays as [RunningRelay, RunningRelay];
    const room = await TestRoom.create(a);
    const guest = await joinAt(room, b);
    const from = await say(room.owner);
    await until('the guest to have it', () => seqs(guest).at(-1) === from);
    const nodes = redis.nodes.map((_, node) => redis.connect(node));
    const slot = slotOf(`{${room.roomId}}`);
    const owns = Math.floor((slot * nodes.length) / 16_384);
    await move(slot, nodes[owns]!, nodes[(owns + 1) % nodes.length]!);
    for (const node of nodes) node.disconnect();
    const said: number[] = [];
    for (let n = 0; n < 5; n++) said.push(await sayUntilDone(n % 2 === 0 ? room.owner : guest));
    const last = said.at(-1)!;
    const all = Array.from({ length: last - from }, (_, n) => from + n + 1);
    expect(all).toEqual(expect.arrayContaining(said));
    for (const peer of [room.owner, guest]) {
      await until('everything to be there', () => seqs(peer).at(-1) === last);
      expect(seqs(peer).filter((s) => s > from)).toEqual(all);
      expect(peer.closed).toBeNull();
    }
    for (const relay of relays)
      await until('it to be green', async () => (await status(relay, 'ready')) === 200);
    for (const peer of [room.owner, guest]) peer.leave();
  });
});
