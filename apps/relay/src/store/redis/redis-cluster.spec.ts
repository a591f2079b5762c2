/** What a cluster does to rooms beside spreading them: their slots move. */
import { PROTOCOL_VERSION, type RoomId } from '@0fc/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { startRedis } from '../../../../../test/support/redis.js';
import { until } from '../../../../../test/support/wait.js';
import {
  bytes,
  contractRoom,
  id,
  message,
  OWNER,
  ROOM,
} from '../../rooms/port/contract-room.spec-support.js';
import type { RoomEvent } from '../../rooms/port/room-store.js';
import type { RedisRoomStore } from './redis-room-store.js';
import { PREFIX, RedisWorld } from './redis-world.spec-support.js';
import { RoomKeys } from './scripts/room-keys.js';

let world: RedisWorld;
let store: RedisRoomStore;
let nodes: Redis[];
const name = (node: Redis) => node.call('CLUSTER', 'MYID') as Promise<string>;

beforeAll(async () => {
  world = await RedisWorld.start('cluster');
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.clear();
  store = await world.store();
  nodes = world.running.nodes.map((_, node) => world.running.connect(node));
});
afterEach(() => {
  for (const node of nodes) node.disconnect();
});

const { create, append, readAll, facts } = contractRoom({ store: () => store, now: () => Date.now() });

/** The node that holds the room, and another one. */
async function places(): Promise<{ readonly slot: number; readonly from: Redis; readonly to: Redis }> {
  const slot = (await nodes[0]!.call('CLUSTER', 'KEYSLOT', new RoomKeys(PREFIX).key(ROOM, 'meta'))) as number;
  const held = await Promise.all(
    nodes.map((node) => node.call('CLUSTER', 'COUNTKEYSINSLOT', slot) as Promise<number>),
  );
  const at = held.findIndex((keys) => keys > 0);
  return { slot, from: nodes[at]!, to: nodes[(at + 1) % nodes.length]! };
}

/** While a server of its own follows a primary, which takes it for a replica. */
async function followed(primary: Redis, run: () => Promise<void>): Promise<void> {
  const follower = await startRedis({ kind: 'standalone' });
  const redis = follower.connect();
  try {
    await redis.replicaof(primary.options.host!, primary.options.port!);
    await until('it to follow', async () =>
      (await redis.info('replication')).includes('master_link_status:up'),
    );
    await run();
  } finally {
    redis.disconnect();
    await follower.stop();
  }
}

const createAt = (roomId: RoomId) =>
  store.createRoom({
    roomId, version: PROTOCOL_VERSION, genesis: bytes('genesis'), head: bytes('head0'), owner: OWNER, history: 10, restored: false,
  }); // prettier-ignore

/** New rooms, by the primary that has them: of each there are some. */
async function roomsByPort(): Promise<ReadonlyMap<number, readonly RoomId[]>> {
  const ranges = (await nodes[0]!.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const rooms = new Map<number, RoomId[]>();
  for (let n = 0; n < 60; n++) {
    const roomId = id(`room ${String(n)}`) as RoomId;
    const key = new RoomKeys(PREFIX).key(roomId, 'meta');
    const slot = (await nodes[0]!.call('CLUSTER', 'KEYSLOT', key)) as number;
    const port = ranges.find(([from, to]) => from <= slot && slot <= to)![2][1];
    rooms.set(port, [...(rooms.get(port) ?? []), roomId]);
    await createAt(roomId);
  }
  return rooms;
}

const roomAt = async ({ options: { port } }: Redis): Promise<RoomId> => (await roomsByPort()).get(port!)![0]!;

test('a room moves to another node amid its commands: none is half done, and a generation begins', async () => {
  await create();
  await append(OWNER, message('a'));
  const { slot, from, to } = await places();
  const [source, target] = [await name(from), await name(to)];
  await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
  await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
  const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
  expect(keys.length).toBeGreaterThan(2);
  const { host, port } = to.options;
  const move = (some: string[]) => from.call('MIGRATE', host!, port!, '', 0, 5_000, 'KEYS', ...some);
  await move(keys.slice(0, 2));

  // Neither node has all of it: the client asks again until one has.
  let settled = false;
  const amid = append(OWNER, message('b')).finally(() => {
    settled = true;
  });
  const refused = await until('a refusal', async () => {
    const errors = await Promise.all(nodes.map((node) => node.info('errorstats')));
    return errors.some((text) => text.includes('TRYAGAIN'));
  });
  expect([refused, settled]).toEqual([true, false]);
  await move(keys.slice(2));
  for (const node of [to, from, ...nodes]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', target);

  const result = await amid;
  const { tip } = await facts();
  expect(tip.g).toBeGreaterThan(1_700_000_000_000);
  expect(result).toMatchObject({ ok: true, placed: [{ position: { g: tip.g, s: 2 } }] });
  expect(await append(OWNER, message('a'))).toMatchObject({ placed: [{ position: { g: 1, s: 1 } }] });
  const first = await readAll(OWNER, { g: 1, s: 0 });
  expect(first.entries.map(({ payload }) => payload)).toEqual([bytes('a', 40)]);
  const second = await readAll(OWNER, { g: 1, s: 1 });
  expect(second).toMatchObject({ generations: [{ generation: tip.g, from: { g: 1, s: 1 } }], end: true });
  expect(second.entries.map(({ payload }) => payload)).toEqual([bytes('b', 40)]);
});

test('scripts that a node has forgotten are sent to it again', async () => {
  await create();
  for (const node of nodes) await node.script('FLUSH');
  expect(await append(OWNER, message('a'))).toMatchObject({ ok: true });
});

test('replicas are waited for on the node of the room: none is there, so nothing is acknowledged', async () => {
  await create();
  const careful = await world.store({ waitReplicas: 1 });
  for (const node of nodes) await node.script('FLUSH');
  await expect(
    careful.append({
      roomId: ROOM,
      sender: OWNER,
      messages: [message('a')],
      rate: { perSecond: 9, burst: 9 },
    }),
  ).rejects.toMatchObject({ name: 'StoreError', code: 'TRY_AGAIN' });
  expect((await facts()).tip).toEqual({ g: 1, s: 1 });
});

test('a primary’s replica counts for its rooms and no other’s, and rooms without one wait together', async () => {
  const rooms = await roomsByPort();
  const [guarded, alone] = nodes as [Redis, Redis];
  await followed(guarded, async () => {
    const careful = await world.store({ waitReplicas: 1 });
    const say = (roomId: RoomId) =>
      careful.append({ roomId, sender: OWNER, messages: [message('a')], rate: { perSecond: 9, burst: 9 } });
    const [with1, without] = [guarded, alone].map(({ options: { port } }) => rooms.get(port!) ?? []);
    expect(Math.min(with1!.length, without!.length)).toBeGreaterThan(5);
    await alone.config('RESETSTAT');
    const [said, refused] = await Promise.all([
      Promise.all(with1!.map(say)),
      Promise.allSettled(without!.map(say)),
    ]);
    expect(said.every(({ ok }) => ok)).toBe(true);
    expect(refused.map((one) => one.status === 'rejected' && (one.reason as { code: string }).code)).toEqual(
      without!.map(() => 'TRY_AGAIN'),
    );
    const waits = Number(/cmdstat_wait:calls=(\d+)/.exec(await alone.info('commandstats'))?.[1]);
    expect(waits).toBeGreaterThan(0);
    expect(waits).toBeLessThanOrEqual(4);
  });
});

test('what a primary without replicas did of a room is not told once the room is another’s', async () => {
  await create();
  const careful = await world.store({ waitReplicas: 1 });
  const say = (text: string, roomId: RoomId = ROOM) =>
    careful.append({ roomId, sender: OWNER, messages: [message(text)], rate: { perSecond: 99, burst: 99 } });
  await expect(say('held')).rejects.toMatchObject({ code: 'TRY_AGAIN' });

  const { slot, from, to } = await places();
  const [source, target] = [await name(from), await name(to)];
  const beside = await roomAt(from);
  await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
  await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
  const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
  await from.call('MIGRATE', to.options.host!, to.options.port!, '', 0, 5_000, 'KEYS', ...keys);
  for (const node of [to, from, ...nodes]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', target);
  const heard: RoomEvent[] = [];
  await store.subscribe(ROOM, (event) => heard.push(event));
  const entries = () => heard.flatMap((event) => (event.type === 'entries' ? event.entries : []));
  await expect(say('moved')).rejects.toMatchObject({ code: 'TRY_AGAIN' });

  await followed(from, async () => {
    // All that was kept for this primary goes out with it.
    await until('an acknowledgement', () => say('beside', beside).catch(() => null));
  });
  await followed(to, async () => {
    await until('an acknowledgement', () => say('after').catch(() => null));
  });
  await until('what follows to be heard', () => entries().length > 0);
  const payloads = entries().map(({ payload }) => payload);
  expect(payloads).not.toContainEqual(message('held').payload);
  expect(payloads).toContainEqual(message('after').payload);
});

test('idle rooms and counts come from every node', async () => {
  for (let n = 0; n < 30; n++) {
    await store.createRoom({
      roomId: id(`room ${String(n)}`), version: PROTOCOL_VERSION, genesis: bytes('genesis'), head: bytes('head0'), owner: OWNER, history: 10, restored: false,
    }); // prettier-ignore
  }
  const held = await Promise.all(nodes.map((node) => node.dbsize()));
  expect(held.every((keys) => keys > 0)).toBe(true);
  expect(await store.storeStats()).toMatchObject({ open: 30 });
  const { rooms, next } = await store.idleRooms({ before: Date.now() + 60_000, limit: 100, cursor: null });
  expect(new Set(rooms).size).toBe(30);
  expect(next).toBeNull();
});
