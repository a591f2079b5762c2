/** What only a real server shows: its clock, its memory, its end, its replicas, and what it leaves behind. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { PROTOCOL_VERSION, toBase64Url, type InviteId, type MemberId, type RoomId } from '@0fc/protocol';
import { Redis } from 'ioredis';
import { startRedis } from '../../../../../test/support/redis.js';
import { until } from '../../../../../test/support/wait.js';
import {
  bytes, contractRoom, GUEST, id, INVITE, message, OWNER, ROOM, rotation, settingsTo,
} from '../../rooms/port/contract-room.spec-support.js'; // prettier-ignore
import type { AppendMessage, RoomEvent } from '../../rooms/port/room-store.js';
import { openRedisStore, type RedisRoomStore } from './redis-room-store.js';
import { PREFIX, RedisWorld } from './redis-world.spec-support.js';
import { RoomKeys } from './scripts/room-keys.js';

const RATE = { perSecond: 1e6, burst: 1e6 };
let world: RedisWorld;
let store: RedisRoomStore;
const start = async (options: object = {}) => {
  world = await RedisWorld.start('standalone', options);
  store = await world.store();
};
afterEach(() => world.stop());

const { create, join, facts, append, readAll, entry, claim, invite } = contractRoom({
  store: () => store,
  now: () => Date.now(),
});
const large = (n: number): AppendMessage => ({
  ...message(`large ${String(n)}`),
  payload: bytes(`large ${String(n)}`, 32_768),
});

describe('the server’s clock', () => {
  test('dates what is placed, ends invites and fills buckets', async () => {
    await start();
    const redis = world.running.connect();
    const serverTime = async () => {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    };
    const before = await serverTime();
    const result = await create();
    const after = await serverTime();
    const time = result.ok ? result.placed.time : 0;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);

    expect(await invite(INVITE, after + 2_000)).toEqual({ ok: true });
    // A stranger at each try: the invite is open until the server's time has come.
    await until('the invite to expire', async () => {
      const claimed = await claim(GUEST);
      if (claimed.ok)
        await store.dropJoin({ roomId: ROOM, inviteId: INVITE, release: true, reason: 'other' });
      return !claimed.ok && claimed.code === 'INVITE_EXPIRED';
    });
    expect(await serverTime()).toBeGreaterThanOrEqual(after + 2_000);

    const rate = { perSecond: 5, burst: 1 };
    const send = (text: string) =>
      store.append({ roomId: ROOM, sender: OWNER, messages: [message(text)], rate });
    expect(await send('a')).not.toHaveProperty('refused');
    const refused = await send('b');
    expect(refused).toMatchObject({ refused: 'RATE_LIMITED' });
    expect(refused.ok && refused.retryMs).toBeLessThanOrEqual(200);
    await until('the bucket to fill', async () => !('refused' in (await send('b'))));
    redis.disconnect();
  });
});

test('scripts that the server has forgotten are sent again', async () => {
  await start();
  await create();
  const redis = world.running.connect();
  await redis.script('FLUSH');
  redis.disconnect();
  expect(await append(OWNER, message('a'))).toMatchObject({ ok: true });
});

test('a room that an earlier version closed, without its chain: who was in it is served none, and no fault', async () => {
  await start();
  await create();
  await join(GUEST);
  await entry('rm', { kind: 'remove', member: GUEST }, { rotation: rotation(2) });
  await entry('close', { kind: 'close' });
  expect(await store.readChain(ROOM, 0, 10, OWNER)).toMatchObject({ length: 4, entries: [{}, {}, {}, {}] });
  const redis = world.running.connect();
  expect(await redis.del(new RoomKeys(PREFIX).key(ROOM, 'chain'))).toBe(1);
  redis.disconnect();
  for (const who of [OWNER, GUEST])
    expect(await store.readChain(ROOM, 0, 10, who)).toEqual({ ok: true, length: 0, entries: [] });
});

test('a server without memory refuses what it cannot keep, whole; reading and giving back go on', async () => {
  await start({ maxmemory: '100mb' });
  await create();
  for (let n = 0; n < 40; n++) await append(OWNER, large(n));
  const redis = world.running.connect();
  await redis.config('SET', 'maxmemory', '1mb');
  const before = await facts();
  const full = { name: 'StoreError', code: 'STORE_FULL' };
  const { head } = before;
  await expect(append(OWNER, message('a'), message('b'))).rejects.toMatchObject(full);
  await expect(
    store.rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(2) }),
  ).rejects.toMatchObject(full);
  await expect(entry('s', settingsTo(5))).rejects.toMatchObject(full);
  await expect(invite()).rejects.toMatchObject(full);
  await expect(store.check()).rejects.toMatchObject(full);
  // What stands is told, and nothing of what was refused.
  expect(await append(OWNER, large(7))).toMatchObject({ placed: [{ position: { s: 8 } }] });
  expect(await facts()).toEqual(before);
  expect((await readAll(OWNER, { g: 1, s: 38 })).entries).toHaveLength(2);

  const from = { g: 1, s: 0 };
  const to = { g: 1, s: 30 };
  expect(await store.trim({ roomId: ROOM, from, to, t: bytes('t') })).toEqual({ ok: true, trimmed: true });
  expect((await store.roomStats(ROOM)).stats).toMatchObject({ trimmed: to, entries: 10 });
  await redis.config('SET', 'maxmemory', '100mb');
  expect(await append(OWNER, message('a'))).toMatchObject({ placed: [{ position: { s: 41 } }] });
  await redis.config('SET', 'maxmemory', '1mb');
  expect(await store.eraseRoom(ROOM)).toEqual({ ok: true });
  expect(await store.expireRoom(ROOM, Date.now() + 1_000)).toEqual({ expired: true });
  redis.disconnect();
});

test('without an answer a command is to be tried again, and repeated it finds what it did', async () => {
  await start({ appendonly: true });
  const [node] = world.running.nodes;
  const redis = new Redis({
    host: node!.host, port: node!.port, maxRetriesPerRequest: null, commandTimeout: 300, retryStrategy: () => 20,
  }); // prettier-ignore
  redis.on('error', () => undefined);
  const hasty = await world.store({ redis });
  await create();
  const first = await append(OWNER, message('a'));
  await world.running.kill(0);
  const send = () => hasty.append({ roomId: ROOM, sender: OWNER, messages: [message('a')], rate: RATE });
  await expect(send()).rejects.toMatchObject({ name: 'StoreError', code: 'TRY_AGAIN' });
  await expect(hasty.check()).rejects.toMatchObject({ code: 'TRY_AGAIN' });
  await world.running.restart(0);
  expect(await until('the server to be back', () => send().catch(() => null))).toEqual(first);
  expect((await facts()).tip.s).toBe(1);
  redis.disconnect();
});

test('a closed store takes nothing more', async () => {
  await start();
  await store.close();
  await expect(create()).rejects.toMatchObject({ code: 'TRY_AGAIN' });
});

describe('publications', () => {
  const listen = async () => {
    const feed = await world.feed();
    const heard = openRedisStore({ redis: world.client(), feed, prefix: PREFIX, waitReplicas: 0 });
    const events: RoomEvent[] = [];
    await heard.subscribe(ROOM, (event) => events.push(event));
    return { events, heard: () => feed.heard() };
  };

  test('beyond half a megabyte they only say where the log ends', async () => {
    await start();
    await create();
    const { events, heard } = await listen();
    const messages = Array.from({ length: 32 }, (_, n) => large(n));
    await store.append({ roomId: ROOM, sender: OWNER, messages: messages.slice(0, 8), rate: RATE });
    await store.append({ roomId: ROOM, sender: OWNER, messages, rate: RATE });
    await heard();
    expect(events).toMatchObject([
      { type: 'entries' },
      { type: 'tip', tip: { g: 1, s: 32 }, resumed: false },
    ]);
  });

  test('a rotation of a large room too: each member reads its own wrap from the log', async () => {
    await start();
    await create();
    const members: MemberId[] = [];
    for (let n = 0; n < 600; n++) {
      const member = id(`member ${String(n)}`) as MemberId;
      const inviteId = id(`invite ${String(n)}`) as InviteId;
      const admit = { kind: 'admit', member, key: bytes(member, 45), inviteId, epoch: 1 } as const;
      expect(await entry(`admit ${String(n)}`, admit, { restored: true })).toMatchObject({ ok: true });
      members.push(member);
    }
    const { events, heard } = await listen();
    const { head, tip } = await facts();
    const wraps = new Map(members.map((member) => [member, bytes(member, 1_000)]));
    expect(
      await store.rotate({ roomId: ROOM, signer: OWNER, head, rotation: { ...rotation(2), wraps } }),
    ).toMatchObject({ ok: true });
    await heard();
    expect(events).toEqual([{ type: 'tip', tip: { g: 1, s: tip.s + 1 }, resumed: false }]);
    for (const member of [members[0]!, members[599]!]) {
      expect((await readAll(member, tip)).entries).toMatchObject([{ wrap: bytes(member, 1_000) }]);
    }
    expect((await readAll(OWNER, tip)).entries[0]).not.toHaveProperty('wrap');
  });

  test('what cannot be read sends readers to the log', async () => {
    await start();
    await create();
    const { events, heard } = await listen();
    const redis = world.running.connect();
    await redis.spublish(`${PREFIX}{${ROOM}}:feed`, 'what is this');
    redis.disconnect();
    await heard();
    expect(events).toMatchObject([{ type: 'tip', resumed: true }]);
  });
});

describe('another server', () => {
  const promoted = async () => {
    const replica = world.running.connect(1);
    await replica.replicaof('NO', 'ONE');
    replica.disconnect();
    const { host, port } = world.running.nodes[1]!;
    return new Redis({ host, port });
  };
  const withReplica = async () => {
    const running = await startRedis({ kind: 'sentinel', replicas: 1 });
    world = RedisWorld.of(running, 'standalone');
  };

  test('opens a generation in each room, at its first use or when a replica compares', async () => {
    await withReplica();
    store = await world.store({ waitReplicas: 1 });
    await create();
    await append(OWNER, message('a'));
    const redis = await promoted();
    const other = openRedisStore({ redis, feed: await world.feed(), prefix: PREFIX, waitReplicas: 0 });
    const events: RoomEvent[] = [];
    const feed = await world.feed();
    await openRedisStore({ redis, feed, prefix: PREFIX, waitReplicas: 0 }).subscribe(ROOM, (event) =>
      events.push(event),
    );
    const unknown = id('unknown') as RoomId;
    const tips = await other.readTips([ROOM, unknown]);
    expect(tips.get(unknown)).toBeNull();
    const tip = tips.get(ROOM)!;
    expect(tip.g).toBeGreaterThan(1_700_000_000_000);
    expect(tip.s).toBe(1);
    expect(
      await other.append({ roomId: ROOM, sender: OWNER, messages: [message('b')], rate: RATE }),
    ).toMatchObject({
      placed: [{ position: { g: tip.g, s: 2 } }],
    });
    await feed.heard();
    expect(events).toMatchObject([
      { type: 'generation', generation: tip.g, from: { g: 1, s: 1 } },
      { type: 'entries' },
    ]);
    redis.disconnect();
  });

  test('nobody hears of what the replica lacks, and all of it comes in order once the replica has it', async () => {
    await withReplica();
    store = await world.store({ waitReplicas: 1 });
    await create();
    await join(GUEST);
    const heard: RoomEvent[] = [];
    const other = await world.store({ waitReplicas: 1 });
    await other.subscribe(ROOM, (event) => heard.push(event));
    const shown = () =>
      other.readLog({
        roomId: ROOM,
        memberId: GUEST,
        after: null,
        maxEntries: 10,
        maxBytes: 1e6,
        maxGenerations: 1,
      });
    // The replica passes on what is published, so that a feed of all nodes hears it twice.
    const entries = () => [
      ...new Set(
        heard
          .flatMap((event) => (event.type === 'entries' ? event.entries : []))
          .map(({ position }) => position.s),
      ),
    ];
    await append(OWNER, message('before'));
    await until('it to be heard', () => entries().length === 1);
    const [before = 0] = entries();

    const replica = world.running.nodes[1]!;
    process.kill(replica.pid!, 'SIGSTOP');
    try {
      for (const text of ['a', 'b'])
        await expect(append(OWNER, message(text))).rejects.toMatchObject({ code: 'TRY_AGAIN' });
      // Written, and shown to who reads the log: it is refused to nobody while replicas are missing.
      await expect(shown()).resolves.toMatchObject({ ok: true });
      expect((await facts()).tip.s).toBe(before + 2);
      expect(entries()).toEqual([before]);
    } finally {
      process.kill(replica.pid!, 'SIGCONT');
    }
    await until('the replica to follow', () => append(OWNER, message('c')).catch(() => null));
    await until('all to be heard', () => entries().length === 4);
    expect(entries()).toEqual([before, before + 1, before + 2, before + 3]);
    await expect(shown()).resolves.toMatchObject({ ok: true });

    // What is repeated is placed already: whoever missed it is told the end of the log.
    heard.length = 0;
    await append(OWNER, message('a'));
    await until('the end of the log', () => heard.length > 0);
    expect(heard[0]).toMatchObject({ type: 'tip', tip: { s: before + 3 } });
  });

  test('what a connection did that is lost before its WAIT has an answer is told by the log alone', async () => {
    await withReplica();
    store = await world.store({ waitReplicas: 1 });
    await create();
    await append(OWNER, message('before'));
    const heard: RoomEvent[] = [];
    const other = await world.store({ waitReplicas: 1 });
    await other.subscribe(ROOM, (event) => heard.push(event));
    const looking = world.running.connect();
    const replica = world.running.nodes[1]!;
    process.kill(replica.pid!, 'SIGSTOP');
    try {
      const lost = append(OWNER, message('lost'));
      // Blocked: the script has run, and its WAIT waits.
      const blocked = await until('the WAIT', async () => {
        const clients = String(await looking.client('LIST')).split('\n');
        return clients.find((line) => / flags=\w*b/.test(line) && line.includes(' cmd=wait'));
      });
      await looking.client('KILL', 'ID', Number(/^id=(\d+)/.exec(blocked)?.[1]));
      await expect(lost).rejects.toMatchObject({ code: 'TRY_AGAIN' });
    } finally {
      process.kill(replica.pid!, 'SIGCONT');
      looking.disconnect();
    }
    await until('the replica to follow', () => append(OWNER, message('after')).catch(() => null));
    const entries = () =>
      heard
        .flatMap((event) => (event.type === 'entries' ? event.entries : []))
        .map(({ payload }) => toBase64Url(payload));
    await until('what follows to be heard', () => entries().length > 0);
    expect(new Set(entries())).toEqual(new Set([toBase64Url(message('after').payload)]));
  });

  test('commands of a server that knows no script share a WAIT, as those that it knows do', async () => {
    await withReplica();
    store = await world.store({ waitReplicas: 1 });
    const plain = await world.store();
    const redis = world.running.connect();
    const rooms = Array.from({ length: 20 }, (_, n) => id(`room ${String(n)}`) as RoomId);
    const at = async (roomId: RoomId, under: RedisRoomStore) =>
      under.createRoom({
        roomId, version: PROTOCOL_VERSION, genesis: bytes('genesis'), head: bytes('head0'), owner: OWNER, history: 10, restored: false,
      }); // prettier-ignore
    await Promise.all(rooms.map((roomId) => at(roomId, plain)));
    const replica = world.running.nodes[1]!;
    process.kill(replica.pid!, 'SIGSTOP');
    try {
      await redis.script('FLUSH');
      await redis.config('RESETSTAT');
      const answers = await Promise.allSettled(
        rooms.map((roomId) => store.append({ roomId, sender: OWNER, messages: [message('a')], rate: RATE })),
      );
      expect(answers).toEqual(
        rooms.map(() => expect.objectContaining({ reason: expect.objectContaining({ code: 'TRY_AGAIN' }) })),
      );
      const waits = Number(/cmdstat_wait:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
      expect(waits).toBeGreaterThan(0);
      expect(waits).toBeLessThanOrEqual(4);
    } finally {
      process.kill(replica.pid!, 'SIGCONT');
      redis.disconnect();
    }
  });

  test('nothing is acknowledged that the replica lacks, not even what is repeated over another connection', async () => {
    await withReplica();
    store = await world.store({ waitReplicas: 1 });
    await create();
    const replica = world.running.nodes[1]!;
    process.kill(replica.pid!, 'SIGSTOP');
    try {
      await expect(append(OWNER, message('a'), message('b'))).rejects.toMatchObject({ code: 'TRY_AGAIN' });
      const over = await world.store({ waitReplicas: 1 });
      const repeat = over.append({ roomId: ROOM, sender: OWNER, messages: [message('a')], rate: RATE });
      await expect(repeat).rejects.toMatchObject({ code: 'TRY_AGAIN' });
    } finally {
      process.kill(replica.pid!, 'SIGCONT');
    }
    const result = await until('the replica to follow', () => append(OWNER, message('a')).catch(() => null));
    expect(result).toMatchObject({ placed: [{ position: { s: 1 } }] });
    expect((await facts()).tip.s).toBe(2);
    // Many at one time share a wait, and each has its own answer.
    const many = await Promise.all(
      Array.from({ length: 50 }, (_, n) => append(n % 2 === 0 ? OWNER : GUEST, message(String(n)))),
    );
    expect(many.map(({ ok }) => ok)).toEqual(Array.from({ length: 50 }, (_, n) => n % 2 === 0));
  });
});

describe('what there is', () => {
  const room = (n: number) => id(`room ${String(n)}`) as RoomId;
  const createAt = (under: RedisRoomStore, roomId: RoomId) =>
    under.createRoom({
      roomId, version: PROTOCOL_VERSION, genesis: bytes('genesis'), head: bytes('head0'), owner: OWNER, history: 10, restored: false,
    }); // prettier-ignore
  const sweep = async (limit: number) => {
    const gone: RoomId[] = [];
    const before = Date.now() + 1_000;
    for (let cursor: string | null = null; ;) {
      const { rooms, next } = await store.idleRooms({ before, limit, cursor });
      expect(rooms.length).toBeLessThanOrEqual(limit);
      for (const roomId of rooms) {
        if ((await store.expireRoom(roomId, before)).expired) gone.push(roomId);
      }
      if (next === null) return gone;
      cursor = next;
    }
  };

  test('idle rooms come by pieces, each once, and only those of this deployment', async () => {
    await start();
    const glob = await world.store({ prefix: 'te?t*:' });
    await createAt(glob, ROOM);
    for (let n = 0; n < 60; n++) await createAt(store, room(n));
    expect(await store.storeStats()).toMatchObject({ open: 60, entries: 60 });
    expect(await glob.storeStats()).toMatchObject({ open: 1 });
    const { rooms } = await store.idleRooms({ before: 0, limit: 7, cursor: null });
    expect(rooms).toEqual([]);
    const gone = await sweep(7);
    expect([...gone].sort()).toEqual(Array.from({ length: 60 }, (_, n) => room(n)).sort());
    expect(await store.storeStats()).toMatchObject({ open: 0 });
    expect(await glob.storeStats()).toMatchObject({ open: 1 });
  });

  test('a room that expires leaves no key, one that is erased only that it was', async () => {
    await start();
    await create();
    await join(GUEST);
    await append(OWNER, message('a'));
    await store.putPrekey({ roomId: ROOM, memberId: GUEST, k: 1, prekey: bytes('prekey') });
    await store.putNeedKey(ROOM, GUEST, bytes('need'));
    await store.putOffer(ROOM, GUEST, bytes('offer'));
    const { head } = await facts();
    await store.rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(2, 'r', [OWNER, GUEST]) });
    await store.leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
    const redis = world.running.connect();
    const left = async () => (await redis.keys('*')).map((key) => key.split(':').at(-1)).sort();
    expect(await left()).toEqual(
      expect.arrayContaining([
        'chain',
        'farewells',
        'invites',
        'joins',
        'log',
        'members',
        'meta',
        'prekeys',
        'sent',
        'wraps',
      ]),
    );
    await store.eraseRoom(ROOM);
    expect(await left()).toEqual(['meta']);
    await store.expireRoom(ROOM, Date.now() + 1_000);
    expect(await left()).toEqual([]);
    redis.disconnect();
  });

  test('a prefix that would move rooms off their slots is refused', async () => {
    await start();
    await expect(world.store({ prefix: '{0fc}:' })).rejects.toThrow('braces');
  });
});
