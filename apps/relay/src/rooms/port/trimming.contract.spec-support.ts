/** The store's contract: trimming (section 8). */
import { describe, expect, test } from '@jest/globals';
import type { MemberId } from '@0fc/protocol';
import {
  bytes, contractRoom, GUEST, id, many, message, OWNER, ROOM, rotation, THIRD, WIDE, type StoreWorld,
} from './contract-room.spec-support.js'; // prettier-ignore

export function trimmingContract(world: StoreWorld): void {
  const { store, pass, restart } = world;
  const {
    create,
    readAll,
    append,
    facts,
    invite,
    claim,
    entry,
    join,
    rotate,
    ack,
    trimmable,
    edge,
    trim,
    stats,
    history,
  } = contractRoom(world);

  describe('trimming', () => {
    test('takes what everybody has acknowledged, and stops before the epoch’s beginning', async () => {
      await create();
      await join(GUEST);
      await append(OWNER, ...many(3)); // 2, 3, 4
      expect(await edge()).toBeNull();
      await rotate(2, [OWNER, GUEST]); // 5
      await append(OWNER, ...many(2, 2, 'n')); // 6, 7
      await ack(OWNER, 7);
      // The guest has acknowledged nothing but what it was admitted with.
      expect(await edge()).toBeNull();
      await ack(GUEST, 3);
      expect(await edge()).toBe(3);
      await ack(GUEST, 7);
      expect(await edge()).toBe(4);
      const before = await trimmable();
      expect(before).toMatchObject({ from: { g: 1, s: 0 }, t: null, generations: [] });
      expect(before?.entries[0]).toMatchObject({ position: { g: 1, s: 0 }, payload: bytes('genesis', 100) });
      expect(await trim()).toEqual({ g: 1, s: 4 });
      expect(await facts()).toMatchObject({ trimmed: { g: 1, s: 4 }, trimmedT: bytes('t4'), tip: { s: 7 } });
      expect((await readAll(OWNER, { g: 1, s: 4 })).entries.map(({ position }) => position.s)).toEqual([
        5, 6, 7,
      ]);
      expect(await trim()).toBeNull();
      // The chain never goes.
      expect(await store().readChain(ROOM, 0, 10)).toMatchObject({ length: 2 });
      // What may go next goes with the rotation, its wraps included.
      await rotate(3, [OWNER, GUEST]); // 8
      expect(await edge()).toBe(7);
      expect(await trimmable()).toMatchObject({ from: { g: 1, s: 4 }, t: bytes('t4') });
      await trim();
      expect((await readAll(GUEST, { g: 1, s: 7 })).entries).toMatchObject([
        { wrap: bytes(`wrap ${GUEST}`, 50) },
      ]);
    });

    test('moves the edge only from where it was; the same again has succeeded', async () => {
      await create();
      await append(OWNER, ...many(3));
      await rotate(2);
      await ack(OWNER, 4);
      const from = { g: 1, s: 0 };
      const to = { g: 1, s: 2 };
      const move = (over: object) => store().trim({ roomId: ROOM, from, to, t: bytes('t'), ...over });
      expect(await move({ from: { g: 1, s: 1 } })).toEqual({ ok: true, trimmed: false });
      expect(await move({ to: from })).toEqual({ ok: true, trimmed: false });
      expect(await move({ to: { g: 1, s: 9 } })).toEqual({ ok: true, trimmed: false });
      const results = await Promise.all([move({}), move({ to: { g: 1, s: 3 } })]);
      expect(results).toEqual([
        { ok: true, trimmed: true },
        { ok: true, trimmed: false },
      ]);
      expect(await move({})).toEqual({ ok: true, trimmed: true });
      expect(await move({ t: bytes('another') })).toEqual({ ok: true, trimmed: false });
      expect(await facts()).toMatchObject({ trimmed: to, trimmedT: bytes('t') });
    });

    test('goes by bounded pieces', async () => {
      await create();
      await append(OWNER, ...many(10));
      await rotate(2);
      await ack(OWNER, 11);
      expect((await trimmable(WIDE, 4))?.entries.map(({ position }) => position.s)).toEqual([0, 1, 2, 3]);
      // 44 bytes a many, message, 100 the genesis; and one entry goes, however large.
      expect((await trimmable(WIDE, 100, 200))?.entries).toHaveLength(3);
      await store().trim({ roomId: ROOM, from: { g: 1, s: 0 }, to: { g: 1, s: 3 }, t: bytes('t') });
      expect((await trimmable(WIDE, 100, 1))?.entries.map(({ position }) => position.s)).toEqual([4]);
    });

    test('beyond the room’s own limit waits for nobody, and takes the epoch’s beginning along', async () => {
      await create();
      await join(GUEST); // 1
      await append(OWNER, ...many(4)); // 2 to 5
      await history(3); // 6
      expect(await edge()).toBe(3);
      await rotate(2, [OWNER, GUEST]); // 7
      await append(OWNER, ...many(5, 2, 'n')); // 8 to 12
      expect(await trim()).toEqual({ g: 1, s: 9 });
      expect(await facts()).toMatchObject({ epochStart: { s: 7 }, epoch: 2, epochMessages: 5 });
      expect(await stats()).toMatchObject({ entries: 3, history: 3 });
      await history(0);
      expect(await trim()).toEqual({ g: 1, s: 13 });
      expect((await readAll(OWNER, null)).entries).toEqual([]);
    });

    test('beyond the bytes of a room counts payloads, clear parts and wraps', async () => {
      await create(); // 100
      await append(OWNER, ...many(10)); // 44 each
      expect(await stats()).toMatchObject({ entries: 11, bytes: 540 });
      expect(await edge(540)).toBeNull();
      expect(await edge(400)).toBe(1);
      await rotate(2); // 120 and a wrap of 50
      expect(await stats()).toMatchObject({ entries: 12, bytes: 710 });
      expect(await edge(709)).toBeNull(); // genesis alone is no edge
      await trim(400);
      expect(await stats()).toMatchObject({ entries: 6, bytes: 390 });
    });

    test('does not ask who is leaving or gone', async () => {
      await create();
      await join(GUEST); // 1
      await join(THIRD, id('third invite')); // 2
      await append(OWNER, ...many(2)); // 3, 4
      await rotate(2); // 5
      for (const member of [OWNER, GUEST]) await ack(member, 5);
      expect(await edge()).toBeNull();
      await store().leave({ roomId: ROOM, memberId: THIRD, request: bytes('bye') });
      expect(await edge()).toBe(4);
      expect(await ack(THIRD, 5)).toEqual({ ok: false, code: 'FORBIDDEN' });
      await entry('leave', { kind: 'leave', member: THIRD }, { rotation: rotation(3) });
      await ack(OWNER, 8);
      expect(await edge()).toBe(5);
    });

    test('who is admitted later asks for nothing that went, and holds the log from its floor', async () => {
      await create();
      await append(OWNER, ...many(3));
      await rotate(2); // 4
      await ack(OWNER, 4);
      await invite();
      await claim(GUEST);
      expect(await trim()).toEqual({ g: 1, s: 3 });
      await join(GUEST, id('other')); // 5
      expect((await readAll(GUEST, null)).entries.map(({ position }) => position.s)).toEqual([4, 5]);
      await rotate(3, [OWNER, GUEST]); // 6
      await ack(OWNER, 6);
      expect(await edge()).toBe(4);
      await trim();
      expect((await readAll(GUEST, { g: 1, s: 4 })).entries.map(({ position }) => position.s)).toEqual([
        5, 6,
      ]);
    });

    test('who was away reads on from the edge', async () => {
      await create();
      await append(OWNER, ...many(6)); // 1 to 6
      await history(2); // 7
      await trim(); // 5
      const page = await readAll(OWNER, { g: 1, s: 1 });
      expect(page).toMatchObject({
        room: { trimmed: { s: 5 }, trimmedT: bytes('t5') },
        generations: [],
        end: true,
      });
      expect(page.entries.map(({ position }) => position.s)).toEqual([6, 7]);
      expect((await readAll(OWNER, { g: 1, s: 5 })).entries).toHaveLength(2);
    });

    test('the last rotation is there for who was away across it, with its own wrap, until the next', async () => {
      await create();
      await join(GUEST); // 1
      await rotate(2, [OWNER, GUEST]); // 2
      await append(OWNER, ...many(4, 2)); // 3 to 6
      expect((await readAll(GUEST, { g: 1, s: 1 })).rotation).toBeNull(); // it is in the log
      await history(2); // 7
      expect(await trim()).toEqual({ g: 1, s: 5 });
      const kept = (epoch: number, s: number, member: MemberId) => {
        const { clear, payload, wraps } = rotation(epoch, 'r', [OWNER, GUEST]);
        const wrap = wraps.get(member);
        return { position: { g: 1, s }, kind: 'rotation', sender: OWNER, clear, payload, wrap };
      };
      for (const member of [OWNER, GUEST]) {
        expect((await readAll(member, { g: 1, s: 1 })).rotation).toMatchObject(kept(2, 2, member));
        expect((await readAll(member, { g: 1, s: 2 })).rotation).toBeNull();
      }
      await rotate(3, [OWNER, GUEST]); // 8
      const page = await readAll(GUEST, { g: 1, s: 1 });
      expect(page.rotation).toBeNull();
      expect(page.entries.at(-1)).toMatchObject(kept(3, 8, GUEST));
      await append(OWNER, ...many(3, 3, 'later')); // 9 to 11
      expect(await trim()).toEqual({ g: 1, s: 9 });
      expect((await readAll(GUEST, { g: 1, s: 1 })).rotation).toMatchObject(kept(3, 8, GUEST));
      await entry('remove', { kind: 'remove', member: GUEST }, { rotation: rotation(4) }); // 12, 13
      await append(OWNER, ...many(3, 4, 'last'));
      await trim();
      expect((await readAll(OWNER, { g: 1, s: 1 })).rotation).toMatchObject(kept(4, 13, OWNER));
    });

    test('a message that went is known as sent, as many as one append may repeat', async () => {
      await create();
      await append(OWNER, ...many(32));
      await append(OWNER, ...many(8, 1, 'later'));
      await history(0);
      await trim();
      expect(await append(OWNER, message('later0'))).toMatchObject({
        placed: [{ position: { g: 1, s: 33 } }],
      });
      expect(await append(OWNER, message('m8'))).toMatchObject({ placed: [{ position: { g: 1, s: 9 } }] });
      // Older than 32 of its sender: a new many, message, as after a loss.
      expect(await append(OWNER, message('m7'))).toMatchObject({ placed: [{ position: { g: 1, s: 42 } }] });
    });

    test('crosses generations, and tells the first loss behind the edge', async () => {
      await create();
      await append(OWNER, ...many(4)); // (1,1) to (1,4)
      if (!(await restart())) return;
      pass(10);
      await append(OWNER, ...many(2, 1, 'n')); // (g2,5), (g2,6)
      const second = (await facts()).tip.g;
      await history(1); // (g2,7)
      const next = await trimmable();
      expect(next?.generations).toEqual([{ generation: second, from: { g: 1, s: 4 } }]);
      expect(next?.entries.map(({ position }) => position.g)).toEqual([1, 1, 1, 1, 1, second, second]);
      await trim();
      // Nothing was lost to a reader within the range: it goes on from the edge.
      const page = await readAll(OWNER, { g: 1, s: 2 });
      expect(page).toMatchObject({ generations: [], room: { trimmed: { g: second, s: 6 } }, end: true });
      expect(page.entries.map(({ position }) => position)).toEqual([{ g: second, s: 7 }]);
      // A reader that held more than the store that came back learns so first.
      const ahead = await readAll(OWNER, { g: 1, s: 9 });
      expect(ahead.generations).toEqual([{ generation: second, from: { g: 1, s: 4 } }]);
      expect(ahead.entries).toHaveLength(1);
      // A generation that begins at the edge or later comes with the page after.
      await restart();
      pass(10);
      const third = (await facts()).tip.g;
      await trim();
      const split = await readAll(OWNER, { g: 1, s: 2 });
      expect(split).toMatchObject({ generations: [], end: false });
      const after = split.entries.at(-1)?.position ?? split.room.trimmed;
      expect(await readAll(OWNER, after)).toMatchObject({
        generations: [{ generation: third, from: { g: second, s: 7 } }],
        end: true,
      });
    });
  });
}
