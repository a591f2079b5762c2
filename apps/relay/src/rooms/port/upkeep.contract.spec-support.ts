/** The store's contract: the end of rooms (section 8). */
import { describe, expect, test } from '@jest/globals';
import {
  bytes, contractRoom, DAY, GUEST, id, many, message, OWNER, RATE, ROOM, THIRD, type StoreWorld,
} from './contract-room.spec-support.js'; // prettier-ignore

export function upkeepContract(world: StoreWorld): void {
  const { store, now, pass } = world;
  const {
    create,
    read,
    readAll,
    append,
    role,
    invite,
    claim,
    entry,
    join,
    listen,
    rotate,
    ack,
    stats,
    history,
  } = contractRoom(world);

  describe('the end of rooms', () => {
    const idle = async (days: number) => {
      const before = now() - days * DAY;
      const { rooms } = await store().idleRooms({ before, limit: 10, cursor: null });
      return { before, rooms };
    };

    test('an idle room expires to nothing; any use of a member puts it off, a stranger’s look does not', async () => {
      await create();
      await append(OWNER, message('a'));
      const uses: (() => Promise<unknown>)[] = [
        () => append(OWNER, message('b')),
        () => readAll(OWNER, null),
        () => ack(OWNER, 1),
        () => store().signal(ROOM, OWNER, 1, bytes('here')),
        () => history(7),
        () => rotate(2),
      ];
      for (const use of uses) {
        pass(80 * DAY);
        await use();
        expect((await idle(79)).rooms).toEqual([]);
      }
      pass(90 * DAY);
      await role(THIRD);
      await claim(THIRD);
      expect((await idle(91)).rooms).toEqual([]);
      const { before, rooms } = await idle(90);
      expect(rooms).toEqual([ROOM]);
      const { events } = await listen();
      expect(await store().expireRoom(ROOM, before - 1)).toEqual({ expired: false });
      expect(await store().expireRoom(ROOM, before)).toEqual({ expired: true });
      expect(await store().expireRoom(ROOM, before)).toEqual({ expired: false });
      expect(events).toEqual([{ type: 'closed' }]);
      expect(await role(OWNER)).toBe('ROOM_UNKNOWN');
      expect(await stats()).toBeNull();
      // It may come back, and has nothing of before.
      await create();
      expect((await readAll(OWNER, null)).entries).toHaveLength(1);
      expect(await role(GUEST)).toBe('stranger');
    });

    test('a tombstone expires too, and reading it does not put that off', async () => {
      await create();
      await entry('close', { kind: 'close' });
      pass(90 * DAY);
      await read(OWNER, null);
      const { before, rooms } = await idle(90);
      expect(rooms).toEqual([ROOM]);
      await store().expireRoom(ROOM, before);
      expect(await role(OWNER)).toBe('ROOM_UNKNOWN');
    });

    test('an erased room is closed to everybody and comes back by nothing, until that expires', async () => {
      await create();
      await join(GUEST);
      const { events } = await listen();
      expect(await store().eraseRoom(ROOM)).toEqual({ ok: true });
      expect(await store().eraseRoom(ROOM)).toEqual({ ok: true });
      expect(events).toEqual([{ type: 'closed' }]);
      for (const member of [OWNER, GUEST, THIRD]) expect(await role(member)).toBe('ROOM_CLOSED');
      expect(await create()).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      expect(await append(OWNER, message('a'))).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      expect(await store().findRoster(ROOM, bytes('head0'))).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      expect(await stats()).toMatchObject({ state: 'erased', members: 0, former: 0, entries: 0, bytes: 0 });
      expect(await store().storeStats()).toMatchObject({
        open: 0,
        closed: 0,
        erased: 1,
        entries: 0,
        bytes: 0,
      });
      expect(await store().eraseRoom(id('another'))).toEqual({ ok: false, code: 'ROOM_UNKNOWN' });
      pass(91 * DAY);
      await store().expireRoom(ROOM, now() - 90 * DAY);
      expect(await create()).toMatchObject({ ok: true });
    });

    test('counts say what is there', async () => {
      await create();
      await join(GUEST);
      await invite(id('open'));
      await invite(id('claimed'));
      await claim(THIRD, id('claimed'));
      await store().append({ roomId: ROOM, sender: OWNER, messages: many(2), rate: RATE });
      await store().leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
      expect(await stats()).toMatchObject({
        state: 'open', members: 1, leaving: 1, former: 0, epoch: 1, chain: 2, entries: 5, invitesOpen: 1, joinsPending: 1,
        tip: { g: 1, s: 4 }, trimmed: { g: 1, s: 0 },
      }); // prettier-ignore
      expect(await store().storeStats()).toMatchObject({ open: 1, entries: 5 });
    });
  });
}
