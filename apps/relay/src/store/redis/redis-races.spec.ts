/** Two replicas at one time: whatever the order, nothing is accepted that should not be. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { PROTOCOL_VERSION, type InviteId, type MemberId, type RoomId } from '@0fc/protocol';
import {
  bytes,
  contractRoom,
  GUEST,
  id,
  message,
  OWNER,
  ROOM,
  rotation,
  THIRD,
} from '../../rooms/port/contract-room.spec-support.js';
import type { ReadEntry, RoomStore } from '../../rooms/port/room-store.js';
import { RedisWorld } from './redis-world.spec-support.js';

let world: RedisWorld;
let a: RoomStore;
let b: RoomStore;
beforeAll(async () => {
  world = await RedisWorld.start('standalone');
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.clear();
  a = await world.store();
  b = await world.store();
});

const { create, join, facts } = contractRoom({ store: () => a, now: () => Date.now() });

async function wholeLog(member: MemberId): Promise<ReadEntry[]> {
  const entries: ReadEntry[] = [];
  for (let after = { g: 1, s: 0 }; ;) {
    const result = await a.readLog({
      roomId: ROOM, memberId: member, after, maxEntries: 128, maxBytes: 1_000_000, maxGenerations: 8,
    }); // prettier-ignore
    if (!result.ok || result.page.role === 'departed') throw new Error('no log');
    entries.push(...result.page.entries);
    if (result.page.end) return entries;
    after = entries.at(-1)!.position;
  }
}

test('ten thousand claims by two joiners: each invite has one winner', async () => {
  const rooms = Array.from({ length: 100 }, (_, n) => id(`room ${String(n)}`));
  const invites = Array.from({ length: 100 }, (_, n) => id(`invite ${String(n)}`));
  const expires = Date.now() + 3_600_000;
  const claim = (store: RoomStore, roomId: RoomId, inviteId: InviteId, memberId: MemberId) =>
    store.claimInvite({ roomId, inviteId, memberId, key: bytes(memberId, 45) });
  let won = 0;
  for (const roomId of rooms) {
    await a.createRoom({
      roomId, version: PROTOCOL_VERSION, genesis: bytes('genesis'), head: bytes('head0'), owner: OWNER, history: 10, restored: false,
    }); // prettier-ignore
    await Promise.all(
      invites.map((inviteId) => a.registerInvite({ roomId, inviteId, expires, maxOpen: 1_000 })),
    );
    const results = await Promise.all(
      invites.map((inviteId) =>
        Promise.all([claim(a, roomId, inviteId, GUEST), claim(b, roomId, inviteId, THIRD)]),
      ),
    );
    for (const both of results) {
      expect(both.map((result) => (result.ok ? result.state.stage : result.code)).sort()).toEqual([
        'INVITE_TAKEN', 'claimed',
      ]); // prettier-ignore
      if (both[0].ok) won++;
    }
  }
  // Both connections were in the race.
  expect(won).toBeGreaterThan(0);
  expect(won).toBeLessThan(10_000);
});

test('rotations against messages: each message stands in its own epoch', async () => {
  await create();
  const rate = { perSecond: 1e6, burst: 1e6 };
  const acknowledged = new Map<number, number>();
  let refused = 0;
  for (let epoch = 1; epoch <= 150; epoch++) {
    const sends = Array.from({ length: 8 }, async (_, n) => {
      const text = `${String(epoch)}/${String(n)}`;
      const result = await b.append({ roomId: ROOM, sender: OWNER, messages: [message(text, epoch)], rate });
      if (!result.ok) throw new Error(result.code);
      const [placed] = result.placed;
      if (placed !== undefined) acknowledged.set(placed.position.s, epoch);
      else refused++;
    });
    const rotated = a.rotate({
      roomId: ROOM,
      signer: OWNER,
      head: bytes('head0'),
      rotation: rotation(epoch + 1),
    });
    await Promise.all([...sends, rotated]);
    expect(await rotated).toMatchObject({ ok: true });
  }
  let epoch = 1;
  let found = 0;
  for (const entry of await wholeLog(OWNER)) {
    if (entry.kind === 'rotation') epoch++;
    if (entry.kind !== 'message') continue;
    found++;
    expect(entry.clear).toEqual(bytes(`clear${String(epoch)}`, 4));
    expect(acknowledged.get(entry.position.s)).toBe(epoch);
  }
  expect(epoch).toBe(151);
  expect(found).toBe(acknowledged.size);
  expect(found + refused).toBe(150 * 8);
});

test('removals against messages: nothing of a member stands after its removal', async () => {
  await create();
  const rate = { perSecond: 1e6, burst: 1e6 };
  const placed: number[] = [];
  let forbidden = 0;
  for (let round = 0; round < 60; round++) {
    const member = id(`member ${String(round)}`);
    await join(member, id(`invite ${String(round)}`));
    const { head, epoch } = await facts();
    const sends = Array.from({ length: 8 }, async (_, n) => {
      const text = `${member}/${String(n)}`;
      const result = await b.append({
        roomId: ROOM,
        sender: member,
        messages: [message(text, epoch)],
        rate,
      });
      if (result.ok) placed.push(...result.placed.map(({ position }) => position.s));
      else forbidden++;
    });
    const removal = a.appendRoster({
      roomId: ROOM, signer: OWNER, before: head, epoch, head: bytes(`removal ${String(round)}`), container: bytes(member, 90),
      change: { kind: 'remove', member }, rotation: rotation(epoch + 1), restored: false,
    }); // prettier-ignore
    await Promise.all([...sends, removal]);
    expect(await removal).toMatchObject({ ok: true });
  }
  const removed = new Set<string>();
  const messages: number[] = [];
  for (const entry of await wholeLog(OWNER)) {
    if (entry.kind === 'roster') removed.add(Buffer.from(entry.payload).toString('hex'));
    if (entry.kind !== 'message') continue;
    expect(removed.has(Buffer.from(bytes(entry.sender, 90)).toString('hex'))).toBe(false);
    messages.push(entry.position.s);
  }
  expect(messages).toEqual(placed.sort((x, y) => x - y));
  expect(messages.length + forbidden).toBe(60 * 8);
});
