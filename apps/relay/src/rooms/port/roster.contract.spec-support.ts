/** The store's contract: roster entries and rotations (sections 4 and 7). */
import { describe, expect, test } from '@jest/globals';
import {
  bytes, contractRoom, GUEST, id, message, OWNER, ROOM, rotation, settingsTo, THIRD, type StoreWorld,
} from './contract-room.spec-support.js'; // prettier-ignore

export function rosterContract(world: StoreWorld): void {
  const { store } = world;
  const { create, read, append, facts, role, invite, claim, entry, join, listen } = contractRoom(world);

  describe('rotations', () => {
    test('compare epoch and head; the same again stands where it is', async () => {
      await create();
      const command = { roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2) };
      const first = await store().rotate(command);
      expect(first).toMatchObject({ ok: true, placed: { position: { s: 1 } } });
      expect(await store().rotate(command)).toEqual(first);
      expect(await store().rotate({ ...command, rotation: rotation(2, 'other') })).toMatchObject({
        code: 'STALE_EPOCH',
      });
      expect(await store().rotate({ ...command, rotation: rotation(4) })).toMatchObject({
        code: 'EPOCH_AHEAD',
      });
      expect(await store().rotate({ ...command, head: bytes('x'), rotation: rotation(3) })).toMatchObject({
        code: 'STALE_HEAD',
      });
      expect(await store().findRotation(ROOM, 2, rotation(2).hash)).toMatchObject({
        placed: { position: { s: 1 } },
      });
      expect(await facts()).toMatchObject({ epoch: 2, epochStart: { g: 1, s: 1 }, epochMessages: 0 });
    });

    test('of two at one time one wins', async () => {
      await create();
      const results = await Promise.all(
        ['a', 'b', 'c'].map((seed) =>
          store().rotate({ roomId: ROOM, signer: OWNER, head: bytes('head0'), rotation: rotation(2, seed) }),
        ),
      );
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    });
  });

  describe('the roster', () => {
    test('an entry compares the head; the same again stands where it is', async () => {
      await create();
      const first = await entry('s', settingsTo(1_000));
      expect(first).toMatchObject({ ok: true, placed: { position: { s: 1 } } });
      expect(await entry('s', settingsTo(1_000), { before: bytes('head0') })).toEqual(first);
      expect(await entry('t', settingsTo(1_000), { before: bytes('head0') })).toMatchObject({
        code: 'STALE_HEAD',
      });
      expect(await entry('u', settingsTo(1_000), { signer: GUEST })).toMatchObject({
        code: 'STALE_HEAD',
      });
      expect(await facts()).toMatchObject({ length: 2, head: bytes('s') });
      expect(await store().findRoster(ROOM, bytes('s'))).toMatchObject({ placed: { position: { s: 1 } } });
      expect(await store().findRoster(ROOM, bytes('t'))).toMatchObject({ placed: null });
    });

    test('settings have a quota, which refuses them and nothing else', async () => {
      await create();
      await join(GUEST);
      const few = { entries: 3 };
      for (const n of [1, 2, 3])
        expect(await entry(`s${String(n)}`, settingsTo(n, few))).toMatchObject({ ok: true });
      const before = await facts();
      expect(await entry('s4', settingsTo(4, few))).toEqual({ ok: false, code: 'SETTINGS_LIMIT' });
      // Brought back or not: restoring adds no more than there can have been.
      expect(await entry('s4', settingsTo(4, few), { restored: true })).toMatchObject({
        code: 'SETTINGS_LIMIT',
      });
      expect(await facts()).toEqual(before);
      const { head } = before;
      expect(
        await entry('rm', { kind: 'remove', member: GUEST }, { before: head, rotation: rotation(2) }),
      ).toMatchObject({
        ok: true,
      });
      expect(await entry('s5', settingsTo(5, { entries: 4 }))).toMatchObject({ ok: true });
      expect(await entry('end', { kind: 'close' })).toMatchObject({ ok: true });
    });

    test('settings have a rate, which those that are brought back do not, nor what stands already', async () => {
      await create();
      const slow = { rate: { perSecond: 0.001, burst: 2 } };
      const one = await entry('s1', settingsTo(1, slow));
      const { head } = await facts();
      expect(await entry('s2', settingsTo(2, slow))).toMatchObject({ ok: true });
      const refused = await entry('s3', settingsTo(3, slow));
      expect(refused).toMatchObject({ ok: false, code: 'RATE_LIMITED' });
      expect((refused as { retryMs: number }).retryMs).toBeGreaterThan(900_000);
      expect((refused as { retryMs: number }).retryMs).toBeLessThanOrEqual(1_000_000);
      expect(await entry('s1', settingsTo(1, slow), { before: head })).toEqual(one);
      expect(await entry('s4', settingsTo(4, slow), { restored: true })).toMatchObject({ ok: true });
      expect(await entry('s5', settingsTo(5, slow))).toMatchObject({ code: 'RATE_LIMITED' });
      // A refused one takes nothing from what there is.
      expect(await entry('s6', settingsTo(6, slow), { before: bytes('elsewhere') })).toMatchObject({
        code: 'STALE_HEAD',
      });
    });

    test('a removal takes its rotation along, in one step, and its repetition finds both', async () => {
      await create();
      await join(GUEST);
      const { head } = await facts();
      const { events } = await listen();
      const remove = () =>
        entry('rm', { kind: 'remove', member: GUEST }, { before: head, rotation: rotation(2) });
      const first = await remove();
      expect(first).toMatchObject({ placed: { position: { s: 2 } }, rotation: { position: { s: 3 } } });
      expect(await remove()).toEqual(first);
      expect(events.map((event) => (event.type === 'role' ? event.role : event.type))).toEqual([
        'entries', 'departed', 'entries',
      ]); // prettier-ignore
      expect(await role(GUEST)).toBe('departed');
      expect(await append(GUEST, message('late'))).toEqual({ ok: false, code: 'FORBIDDEN' });
      expect(await entry('rm2', { kind: 'remove', member: GUEST }, { rotation: rotation(5) })).toMatchObject({
        code: 'EPOCH_AHEAD',
      });
    });

    test('the departed read the entry that says so, and nothing later', async () => {
      await create();
      await join(GUEST);
      await append(OWNER, message('before'));
      await entry('rm', { kind: 'remove', member: GUEST }, { rotation: rotation(2) });
      await append(OWNER, message('after', 2));
      const page = await read(GUEST, { g: 1, s: 0 });
      expect(page).toMatchObject({ role: 'departed', epoch: 1, entry: { payload: bytes('entry rm', 90) } });
    });

    test('the departed read the chain up to their own entry, and nothing later', async () => {
      await create();
      await join(GUEST);
      await join(THIRD, id('third'));
      await entry('transfer', { kind: 'transfer', from: OWNER, to: THIRD });
      await entry('rm', { kind: 'remove', member: GUEST }, { signer: THIRD, rotation: rotation(2) });
      const upTo = bytes('entry rm', 90);
      expect(await store().readChain(ROOM, 3, 10, GUEST)).toMatchObject({ length: 5, entries: [{}, upTo] });
      await store().leave({ roomId: ROOM, memberId: OWNER, request: bytes('bye') });
      await entry('later', { kind: 'settings', history: 9, limits: { entries: 9, rate: { perSecond: 1, burst: 9 } } }, { signer: THIRD });
      expect(await store().readChain(ROOM, 3, 10, GUEST)).toMatchObject({ length: 5, entries: [{}, upTo] });
      expect(await store().readChain(ROOM, 4, 1, GUEST)).toMatchObject({ length: 5, entries: [upTo] });
      expect(await store().readChain(ROOM, 5, 10, GUEST)).toMatchObject({ length: 5, entries: [] });
      // Who has asked to leave reads it as it was then, until its owner's entry is there.
      expect(await store().readChain(ROOM, 5, 10, OWNER)).toMatchObject({ length: 5, entries: [] });
      await entry('left', { kind: 'leave', member: OWNER }, { signer: THIRD, rotation: rotation(3) });
      expect(await store().readChain(ROOM, 5, 10, OWNER)).toMatchObject({ length: 7, entries: [{}, bytes('entry left', 90)] });
      await entry('close', { kind: 'close' }, { signer: THIRD });
      expect(await store().readChain(ROOM, 3, 10, GUEST)).toMatchObject({ length: 5, entries: [{}, upTo] });
      expect(await store().readChain(ROOM, 7, 10, THIRD)).toMatchObject({ length: 8, entries: [bytes('entry close', 90)] });
      expect(await store().readChain(ROOM, 0, 10, id('nobody'))).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      expect(await store().readChain(ROOM, 0, 10)).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      await store().eraseRoom(ROOM);
      expect(await store().readChain(ROOM, 0, 10, THIRD)).toEqual({ ok: false, code: 'ROOM_CLOSED' });
    }); // prettier-ignore

    test('a leaver acts no more; its request and then its entry is what it reads', async () => {
      await create();
      await join(GUEST);
      const leave = () => store().leave({ roomId: ROOM, memberId: GUEST, request: bytes('bye') });
      const first = await leave();
      expect(first).toMatchObject({ ok: true, placed: { position: { s: 2 } } });
      expect(await leave()).toEqual(first);
      expect(await append(GUEST, message('x'))).toEqual({ ok: false, code: 'FORBIDDEN' });
      expect(await read(GUEST, null)).toMatchObject({ role: 'departed', entry: { kind: 'leaveRequest' } });
      await entry('leave', { kind: 'leave', member: GUEST }, { rotation: rotation(2) });
      expect(await read(GUEST, null)).toMatchObject({ role: 'departed', entry: { kind: 'roster' } });
      expect(await claim(GUEST)).toMatchObject({ code: 'WAS_MEMBER' });
    });

    test('a hand-over changes the owner, drops joins and revokes invites', async () => {
      await create();
      await join(GUEST);
      const open = id('open');
      const claimed = id('claimed');
      await invite(open);
      await invite(claimed);
      await claim(THIRD, claimed);
      expect(await store().putOffer(ROOM, GUEST, bytes('offer'))).toEqual({ ok: true });
      expect(await store().putAcceptance(ROOM, GUEST, bytes('yes'))).toEqual({ ok: true });
      expect(await store().readOffer(ROOM)).toMatchObject({
        offer: { from: OWNER, to: GUEST, acceptance: bytes('yes') },
      });
      await entry('transfer', { kind: 'transfer', from: OWNER, to: GUEST });
      expect([await role(OWNER), await role(GUEST)]).toEqual(['member', 'owner']);
      expect(await claim(THIRD, open)).toMatchObject({ code: 'INVITE_REVOKED' });
      expect(await claim(THIRD, claimed)).toMatchObject({ state: { stage: 'dropped' } });
      expect(await store().readOffer(ROOM)).toMatchObject({ offer: null });
    });

    test('close erases; members read the last entry, others that it is closed', async () => {
      await create();
      await join(GUEST);
      await append(OWNER, message('x'));
      const { events } = await listen();
      await entry('close', { kind: 'close' });
      expect(events.at(-1)).toEqual({ type: 'closed' });
      expect(await read(GUEST, null)).toMatchObject({
        role: 'departed',
        entry: { payload: bytes('entry close', 90) },
      });
      expect([await role(OWNER), await role(THIRD)]).toEqual(['departed', 'ROOM_CLOSED']);
      expect(await create()).toEqual({ ok: false, code: 'ROOM_CLOSED' });
      expect(await append(OWNER, message('y'))).toEqual({ ok: false, code: 'ROOM_CLOSED' });
    });
  });
}
