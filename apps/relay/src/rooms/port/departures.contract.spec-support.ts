/** The store's contract: departure notices, and what is brought back after a loss (sections 4 and 6). */
import { describe, expect, test } from '@jest/globals';
import type { Bytes, MemberId } from '@0fc/protocol';
import {
  bytes, contractRoom, GUEST, id, INVITE, message, OWNER, ROOM, rotation, settingsTo, THIRD, type StoreWorld,
} from './contract-room.spec-support.js'; // prettier-ignore
import type { AppendRoster } from './room-store.js';

export function departuresContract(world: StoreWorld): void {
  const { store } = world;
  const {
    create,
    read,
    readAll,
    append,
    facts,
    role,
    invite,
    claim,
    entry,
    join,
    listen,
    rotate,
    trim,
    stats,
    history,
  } = contractRoom(world);

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
}
