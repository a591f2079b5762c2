/** The store's contract, upkeep: trimming, departure notices, restored entries, the end of rooms (sections 4, 6 and 8). */
import { describe, expect, test } from '@jest/globals';
import type { Bytes, MemberId, Position } from '@0fc/protocol';
import {
  bytes, contractRoom, DAY, GUEST, id, INVITE, message, OWNER, RATE, ROOM, rotation, settingsTo, THIRD,
} from './contract-room.spec-support.js'; // prettier-ignore
import type { AppendMessage, AppendRoster, RoomStore } from './room-store.js';

export interface StoreWorld {
  readonly store: () => RoomStore;
  readonly now: () => number;
  readonly pass: (ms: number) => void;
  /** false: nothing is kept, so there is nothing to start again */
  readonly restart: () => Promise<boolean>;
}

const WIDE = 1_000_000_000;
const many = (count: number, epoch = 1, seed = 'm'): AppendMessage[] =>
  Array.from({ length: count }, (_, n) => message(`${seed}${String(n)}`, epoch));

export function upkeepContract({ store, now, pass, restart }: StoreWorld): void {
  const { create, read, readAll, append, facts, role, invite, claim, entry, join, listen } = contractRoom(
    store,
    now,
  );

  const rotate = async (newEpoch: number, members: readonly MemberId[] = [OWNER]) => {
    const { head } = await facts();
    return store().rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(newEpoch, 'r', members) });
  };
  const ack = (memberId: MemberId, s: number, g = 1) => store().acknowledge(ROOM, memberId, { g, s });
  const trimmable = async (historyBytes = WIDE, maxEntries = 100, maxBytes = WIDE) => {
    const result = await store().readTrimmable({ roomId: ROOM, historyBytes, maxEntries, maxBytes });
    if (!result.ok) throw new Error(result.code);
    return result.trimmable;
  };
  const edge = async (historyBytes = WIDE) =>
    (await trimmable(historyBytes))?.entries.at(-1)?.position.s ?? null;
  /** What a replica does, with any bytes for the transcript. */
  const trim = async (historyBytes = WIDE): Promise<Position | null> => {
    const next = await trimmable(historyBytes);
    const to = next?.entries.at(-1)?.position;
    if (next === null || to === undefined) return null;
    expect(await store().trim({ roomId: ROOM, from: next.from, to, t: bytes(`t${String(to.s)}`) })).toEqual({
      ok: true,
      trimmed: true,
    });
    return to;
  };
  const stats = async () => (await store().roomStats(ROOM)).stats;
  const history = (entries: number) => entry(`history ${String(entries)}`, settingsTo(entries));

  describe('trimming', () => {
    test('takes what everybody has acknowledged, and stops before the epoch’s beginning', async () => {
      await create();
      await join(GUEST);
      await append(OWNER, ...many(3)); // 2, 3, 4
      expect(await edge()).toBeNull();
      await rotate(2, [OWNER, GUEST]); // 5
      await append(OWNER, ...many(2, 2, 'n')); // 6, 7
      await ack(OWNER, 7);
      // The guest has taken in nothing but what it was admitted with.
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
      // 44 bytes a message, 100 the genesis; and one entry goes, however large.
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
      // Older than 32 of its sender: a new message, as after a loss.
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

  describe('departure notices', () => {
    test('outlive the log: a leaver its request, then its entry; a removed one its entry', async () => {
      await create();
      await join(GUEST);
      await join(THIRD, id('third invite'));
      await store().leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
      await history(0);
      await trim();
      expect(await read(GUEST, null)).toMatchObject({
        role: 'departed',
        entry: { kind: 'leaveRequest', sender: GUEST, payload: bytes('bye'), position: { g: 1, s: 3 } },
      });
      expect(await store().leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') })).toMatchObject({
        placed: { position: { g: 1, s: 3 } },
      });
      await entry('leave', { kind: 'leave', member: GUEST }, { rotation: rotation(2) });
      await entry('remove', { kind: 'remove', member: THIRD }, { rotation: rotation(3) });
      await trim();
      expect(await read(GUEST, null)).toMatchObject({
        entry: { payload: bytes('entry leave', 90) },
        epoch: 1,
      });
      expect(await read(THIRD, null)).toMatchObject({
        entry: { payload: bytes('entry remove', 90) },
        epoch: 2,
      });
    });

    test('outlive the room: whoever was in it reads the close, whoever had gone its own entry', async () => {
      await create();
      await join(GUEST);
      await join(THIRD, id('third invite'));
      await entry('remove', { kind: 'remove', member: THIRD }, { rotation: rotation(2) });
      await store().leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
      const closing = await entry('close', { kind: 'close' });
      for (const member of [OWNER, GUEST]) {
        expect(await read(member, null)).toMatchObject({
          role: 'departed',
          entry: { payload: bytes('entry close', 90) },
        });
      }
      expect(await read(THIRD, null)).toMatchObject({ entry: { payload: bytes('entry remove', 90) } });
      expect(await stats()).toMatchObject({ state: 'closed', entries: 0, bytes: 0, members: 0, former: 3 });
      // Closed again by the same entry: it has succeeded. Another one: it is closed.
      expect(await store().findRoster(ROOM, bytes('close'))).toMatchObject({
        placed: closing.ok && closing.placed,
      });
      expect(await store().findRoster(ROOM, bytes('head0'))).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      expect(await store().readChain(ROOM, 0, 9)).toEqual({ ok: false, code: 'ROOM_CLOSED' });
    });

    test('a room is not handed over to who is leaving', async () => {
      await create();
      await join(GUEST);
      await store().leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
      const transfer = { kind: 'transfer', from: OWNER, to: GUEST } as const;
      expect(await entry('transfer', transfer)).toEqual({ ok: false, code: 'BAD_ENTRY' });
      expect(await role(OWNER)).toBe('owner');
    });

    test('a rotation has no wrap for a leaver', async () => {
      await create();
      await join(GUEST);
      await store().leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
      const { events } = await listen();
      await rotate(2, [OWNER, GUEST]);
      const [event] = events;
      const wraps = event?.type === 'entries' ? event.entries[0]?.wraps : undefined;
      expect([...(wraps?.keys() ?? [])]).toEqual([OWNER]);
    });
  });

  describe('what is brought back', () => {
    test('a departure without its rotation lets nothing follow but that', async () => {
      await create();
      await join(GUEST);
      await entry('rm', { kind: 'remove', member: GUEST }, { restored: true });
      expect(await role(GUEST)).toBe('departed');
      expect(await history(5)).toEqual({ ok: false, code: 'EPOCH_AHEAD' });
      expect(await entry('late', { kind: 'close' }, { restored: true })).toEqual({
        ok: false,
        code: 'EPOCH_AHEAD',
      });
      expect(await rotate(2)).toMatchObject({ ok: true });
      expect(await history(5)).toMatchObject({ ok: true });
    });

    test('entries and rotations have one order: each stands on the head and in the epoch before it', async () => {
      await create();
      await join(GUEST);
      await join(THIRD, id('another invite'));
      const { head } = await facts();
      const changes: readonly AppendRoster['change'][] = [
        { kind: 'remove', member: THIRD },
        { kind: 'leave', member: THIRD },
        { kind: 'transfer', from: OWNER, to: GUEST },
        settingsTo(7),
        { kind: 'close' },
      ];
      const turn = (newEpoch: number, at = head, signer = OWNER) =>
        store().rotate({ roomId: ROOM, signer, head: at, rotation: rotation(newEpoch) });
      expect(await turn(2)).toMatchObject({ ok: true });
      for (const change of changes) {
        for (const restored of [true, false]) {
          const at = (epoch: number) => entry(`${change.kind} off its epoch`, change, { epoch, restored });
          expect([change, await at(1)]).toEqual([change, { ok: false, code: 'STALE_EPOCH' }]);
          expect([change, await at(3)]).toEqual([change, { ok: false, code: 'EPOCH_AHEAD' }]);
        }
      }
      expect(await facts()).toMatchObject({ head, epoch: 2, owner: OWNER, closed: false });
      // Handed over after two more rotations: whoever brings that back first stops nobody.
      const transfer = () =>
        entry(
          'transfer',
          { kind: 'transfer', from: OWNER, to: GUEST },
          { before: head, epoch: 4, restored: true },
        );
      expect(await transfer()).toEqual({ ok: false, code: 'EPOCH_AHEAD' });
      expect(await turn(3)).toMatchObject({ ok: true });
      expect(await transfer()).toEqual({ ok: false, code: 'EPOCH_AHEAD' });
      expect(await turn(4)).toMatchObject({ ok: true });
      expect(await transfer()).toMatchObject({ ok: true });
      expect(await turn(5, bytes('transfer'), GUEST)).toMatchObject({ ok: true });
      expect(await facts()).toMatchObject({ owner: GUEST, epoch: 5 });
    });

    test('a departure names the epoch before its own rotation', async () => {
      await create();
      await join(GUEST);
      const remove = (epoch: number, newEpoch: number) =>
        entry('rm', { kind: 'remove', member: GUEST }, { epoch, rotation: rotation(newEpoch) });
      expect(await remove(2, 2)).toEqual({ ok: false, code: 'EPOCH_AHEAD' });
      expect(await remove(1, 3)).toEqual({ ok: false, code: 'EPOCH_AHEAD' });
      expect(await remove(1, 1)).toEqual({ ok: false, code: 'STALE_EPOCH' });
      expect(await remove(1, 2)).toMatchObject({ ok: true });
    });

    test('no rotation stands on an earlier head, not even one that its signer owned the room at', async () => {
      await create();
      await join(GUEST);
      const { head } = await facts();
      await history(5);
      const bring = (signer: MemberId, at: Bytes, newEpoch = 2) =>
        store().rotate({ roomId: ROOM, signer, head: at, rotation: rotation(newEpoch) });
      expect(await bring(OWNER, head)).toEqual({ ok: false, code: 'STALE_HEAD' });
      expect(await bring(OWNER, bytes('none'))).toEqual({ ok: false, code: 'STALE_HEAD' });
      // G11: nor does a former owner's, on any head.
      await entry('transfer', { kind: 'transfer', from: OWNER, to: GUEST });
      for (const at of [head, bytes('transfer')]) {
        expect(await bring(OWNER, at)).toEqual({ ok: false, code: 'STALE_HEAD' });
      }
      expect(await bring(GUEST, head)).toEqual({ ok: false, code: 'STALE_HEAD' });
      expect(await bring(GUEST, bytes('transfer'))).toMatchObject({ ok: true });
    });

    test('a hand-over stands whoever asked to leave before it was back: its new owner stays', async () => {
      await create();
      await join(GUEST);
      const request = { roomId: ROOM, memberId: GUEST, request: bytes('bye') };
      await store().leave(request);
      const transfer = { kind: 'transfer', from: OWNER, to: GUEST } as const;
      expect(await entry('new', transfer)).toEqual({ ok: false, code: 'BAD_ENTRY' });
      expect(await entry('transfer', transfer, { restored: true })).toMatchObject({ ok: true });
      expect([await role(OWNER), await role(GUEST)]).toEqual(['member', 'owner']);
      expect(await read(GUEST, null)).toMatchObject({ role: 'owner' });
      expect(await append(GUEST, message('mine'))).toMatchObject({ ok: true, placed: [{}] });
      expect(await stats()).toMatchObject({ members: 2, leaving: 0, former: 0 });
      // It hands over as it did, and may ask again.
      expect(await store().leave(request)).toEqual({ ok: false, code: 'FORBIDDEN' });
      const back = { kind: 'transfer', from: GUEST, to: OWNER } as const;
      expect(await entry('back', back, { signer: GUEST, restored: true })).toMatchObject({ ok: true });
      expect(await store().leave(request)).toMatchObject({ ok: true });
      expect(await role(GUEST)).toBe('departed');
      // Of nobody else.
      expect(await entry('no', { ...back, to: THIRD }, { restored: true })).toEqual({
        ok: false,
        code: 'BAD_ENTRY',
      });
    });

    test('an admission without its invite makes a member, whom no invite admits again', async () => {
      await create();
      const admit = {
        kind: 'admit',
        member: GUEST,
        key: bytes(GUEST, 45),
        inviteId: INVITE,
      } as const;
      expect(await entry('admit', admit, { restored: true })).toMatchObject({ ok: true });
      expect(await role(GUEST)).toBe('member');
      expect(await claim(GUEST)).toEqual({ ok: false, code: 'ALREADY_MEMBER' });
      expect(await append(GUEST, message('here'))).toMatchObject({ placed: [{}] });
    });

    test('an admission uses its invite up, whoever has claimed it meanwhile', async () => {
      await create();
      await invite();
      await claim(THIRD);
      const { events } = await listen();
      const admit = {
        kind: 'admit',
        member: GUEST,
        key: bytes(GUEST, 45),
        inviteId: INVITE,
      } as const;
      expect(await entry('admit', admit)).toEqual({ ok: false, code: 'INVITE_UNKNOWN' });
      expect(await entry('admit', admit, { restored: true })).toMatchObject({ ok: true });
      expect(events).toContainEqual({ type: 'join', inviteId: INVITE, joiner: THIRD, released: 'other' });
      expect(await claim(THIRD)).toEqual({ ok: false, code: 'INVITE_USED' });
      expect(await claim(GUEST)).toMatchObject({ state: { stage: 'admitted' } });
    });

    test('wraps are added where they are missing, anybody’s by the rotation’s owner, else one’s own', async () => {
      await create();
      await join(GUEST);
      await join(THIRD, id('third invite'));
      await rotate(2, [OWNER]); // 3
      const { hash } = rotation(2);
      const add = (by: MemberId, ...members: readonly MemberId[]) =>
        store().addWraps({
          roomId: ROOM,
          by,
          newEpoch: 2,
          hash,
          wraps: new Map(members.map((member) => [member, bytes(`late ${member}`, 50)])),
        });
      const wrapOf = async (member: MemberId) => (await readAll(member, { g: 1, s: 2 })).entries[0]?.wrap;
      expect(await add(GUEST, GUEST, THIRD)).toMatchObject({ ok: true, placed: { position: { s: 3 } } });
      expect(await wrapOf(GUEST)).toEqual(bytes(`late ${GUEST}`, 50));
      expect(await wrapOf(THIRD)).toBeUndefined();
      const before = (await stats())?.bytes ?? 0;
      await add(OWNER, OWNER, GUEST, THIRD, id('nobody'));
      expect(await wrapOf(OWNER)).toEqual(bytes(`wrap ${OWNER}`, 50));
      expect(await wrapOf(THIRD)).toEqual(bytes(`late ${THIRD}`, 50));
      expect((await stats())?.bytes).toBe(before + 50);
      const unknown = { roomId: ROOM, by: OWNER, newEpoch: 3, hash, wraps: new Map() };
      expect(await store().addWraps(unknown)).toEqual({ ok: true, placed: null });
    });
  });

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
