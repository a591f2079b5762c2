/** The store's contract: invites, joins and keys (sections 5 and 7). */
import { describe, expect, test } from '@jest/globals';
import type { MemberId } from '@0fc/protocol';
import {
  bytes, contractRoom, DAY, GUEST, id, INVITE, OWNER, ROOM, rotation, THIRD, type StoreWorld,
} from './contract-room.spec-support.js'; // prettier-ignore

export function joinsContract(world: StoreWorld): void {
  const { store, now, pass } = world;
  const { create, readAll, facts, role, invite, claim, entry, join, listen } = contractRoom(world);

  describe('invites', () => {
    test('have one winner under any race, who may repeat', async () => {
      await create();
      await invite();
      const results = await Promise.all([claim(GUEST), claim(THIRD), claim(GUEST)]);
      expect(results.map((result) => (result.ok ? result.state.stage : result.code))).toEqual([
        'claimed', 'INVITE_TAKEN', 'claimed',
      ]); // prettier-ignore
      expect(await role(GUEST)).toBe('joiner');
      expect(await role(THIRD)).toBe('stranger');
    });

    test('tell unknown, expired, revoked, used and taken apart', async () => {
      await create();
      expect(await claim(GUEST)).toMatchObject({ code: 'INVITE_UNKNOWN' });
      await invite(INVITE, now() + 1_000);
      pass(1_001);
      expect(await claim(GUEST)).toMatchObject({ code: 'INVITE_EXPIRED' });
      const revoked = id('revoked');
      await invite(revoked);
      expect(await store().revokeInvite(ROOM, revoked)).toEqual({ ok: true });
      expect(await store().revokeInvite(ROOM, revoked)).toEqual({ ok: true });
      expect(await claim(GUEST, revoked)).toMatchObject({ code: 'INVITE_REVOKED' });
      const used = id('used');
      expect(await join(GUEST, used)).toMatchObject({ ok: true });
      expect(await claim(THIRD, used)).toMatchObject({ code: 'INVITE_USED' });
      expect(await claim(GUEST, used)).toMatchObject({ state: { stage: 'admitted', reply: { epoch: 1 } } });
      expect(await claim(OWNER, used)).toMatchObject({ code: 'ALREADY_MEMBER' });
    });

    test('a joiner reads the chain from the reply on, until its join has ended', async () => {
      await create();
      await join(THIRD, id('third'));
      await invite();
      const chain = () => store().readChain(ROOM, 0, 10, GUEST);
      expect(await chain()).toEqual({ ok: false, code: 'FORBIDDEN' });
      await claim(GUEST);
      const step = { roomId: ROOM, inviteId: INVITE };
      await store().putJoinRequest({ ...step, memberId: GUEST, request: bytes('request') });
      expect(await chain()).toEqual({ ok: false, code: 'FORBIDDEN' });
      await store().putJoinReply({ ...step, epoch: 1, payload: bytes('reply') });
      expect(await chain()).toMatchObject({ length: 2, entries: [{}, {}] });
      // The reply to one is no reply to another.
      expect(await store().readChain(ROOM, 0, 10, id('other'))).toEqual({ ok: false, code: 'FORBIDDEN' });
      await store().dropJoin({ ...step, release: false, reason: 'declined' });
      expect(await chain()).toEqual({ ok: false, code: 'FORBIDDEN' });
    });

    test('are bounded, and registering one again succeeds', async () => {
      await create();
      for (const seed of ['1', '2', '3']) expect(await invite(id(seed))).toEqual({ ok: true });
      expect(await invite(id('1'))).toEqual({ ok: true });
      expect(await invite(id('1'), now() + 1)).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await invite(id('4'))).toMatchObject({ code: 'INVITE_LIMIT' });
      pass(2 * DAY);
      expect(await invite(id('4'))).toEqual({ ok: true });
      expect(await invite(id('5'), now() - 1)).toMatchObject({ code: 'BAD_ENTRY' });
    });

    test('a join goes by its steps, each repeatable, none by another key', async () => {
      await create();
      await invite();
      await claim(GUEST);
      const request = (member: MemberId, seed = 'request') =>
        store().putJoinRequest({ roomId: ROOM, inviteId: INVITE, memberId: member, request: bytes(seed) });
      const confirm = (member: MemberId, epoch = 1) =>
        store().putJoinConfirm({
          roomId: ROOM,
          inviteId: INVITE,
          memberId: member,
          epoch,
          payload: bytes('confirm'),
        });
      const reply = (epoch: number) =>
        store().putJoinReply({
          roomId: ROOM,
          inviteId: INVITE,
          epoch,
          payload: bytes(`reply${String(epoch)}`),
        });
      expect(await reply(1)).toMatchObject({ code: 'INVITE_UNKNOWN' });
      expect(await request(THIRD)).toMatchObject({ code: 'INVITE_UNKNOWN' });
      expect(await request(GUEST)).toMatchObject({ state: { stage: 'requested' } });
      expect(await request(GUEST)).toMatchObject({ state: { stage: 'requested' } });
      expect(await request(GUEST, 'other')).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await confirm(GUEST)).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await store().pendingJoins(ROOM)).toMatchObject({
        joins: [{ inviteId: INVITE, request: bytes('request') }],
      });
      expect(await reply(2)).toMatchObject({ code: 'EPOCH_AHEAD' });
      expect(await reply(1)).toEqual({ ok: true });
      expect(await claim(GUEST)).toMatchObject({
        state: { stage: 'replied', reply: { payload: bytes('reply1') } },
      });
      expect(await confirm(THIRD)).toMatchObject({ code: 'INVITE_UNKNOWN' });
      expect(await confirm(GUEST, 2)).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await confirm(GUEST)).toMatchObject({ state: { stage: 'confirmed' } });
      const admit = {
        kind: 'admit',
        member: THIRD,
        key: bytes(THIRD, 45),
        inviteId: INVITE,
      } as const;
      expect(await entry('wrong', admit)).toMatchObject({ code: 'INVITE_UNKNOWN' });
      expect(await entry('early', { ...admit, member: GUEST }, { epoch: 2 })).toMatchObject({
        code: 'EPOCH_AHEAD',
      });
      expect(await entry('right', { ...admit, member: GUEST })).toMatchObject({ ok: true });
      expect(await role(GUEST)).toBe('member');
    });

    test('a release opens the invite again, but never after a reply', async () => {
      await create();
      await invite();
      await claim(GUEST);
      const drop = (release: boolean) =>
        store().dropJoin({ roomId: ROOM, inviteId: INVITE, release, reason: 'badProof' });
      const { events } = await listen();
      expect(await drop(true)).toEqual({ ok: true });
      expect(events).toMatchObject([{ type: 'join', joiner: GUEST, released: 'badProof' }]);
      expect(await claim(THIRD)).toMatchObject({ state: { stage: 'claimed' } });
      await store().putJoinRequest({ roomId: ROOM, inviteId: INVITE, memberId: THIRD, request: bytes('q') });
      await store().putJoinReply({ roomId: ROOM, inviteId: INVITE, epoch: 1, payload: bytes('r') });
      expect(await drop(true)).toMatchObject({ code: 'FORBIDDEN' });
      expect(await drop(false)).toEqual({ ok: true });
      expect(await drop(false)).toEqual({ ok: true });
      expect(await claim(THIRD)).toMatchObject({ state: { stage: 'dropped', reason: 'badProof' } });
      expect(await claim(GUEST)).toMatchObject({ code: 'INVITE_USED' });
    });
  });

  describe('keys', () => {
    test('prekeys rise', async () => {
      await create();
      const put = (k: number, seed = String(k), memberId = OWNER) =>
        store().putPrekey({ roomId: ROOM, memberId, k, prekey: bytes(`prekey ${seed}`, 80) });
      expect(await put(2)).toEqual({ ok: true });
      expect(await put(2)).toEqual({ ok: true });
      expect(await put(2, 'other')).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await put(1)).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await put(1, '1', GUEST)).toMatchObject({ code: 'FORBIDDEN' });
      await join(GUEST);
      expect(await store().readPrekeys(ROOM)).toMatchObject({
        prekeys: [
          { memberId: OWNER, prekey: bytes('prekey 2', 80) },
          { memberId: GUEST, prekey: null },
        ],
      });
      expect(await readAll(OWNER, null)).toMatchObject({ prekey: bytes('prekey 2', 80) });
    });

    test('an admission brings its first prekey in the same write, which the next one follows', async () => {
      await create();
      await join(GUEST, INVITE, bytes('first prekey', 80));
      const prekeyOf = async () => {
        const read = await store().readPrekeys(ROOM);
        return read.ok ? read.prekeys.find(({ memberId }) => memberId === GUEST)?.prekey : read.code;
      };
      expect(await prekeyOf()).toEqual(bytes('first prekey', 80));
      const put = (k: number, prekey: string) =>
        store().putPrekey({ roomId: ROOM, memberId: GUEST, k, prekey: bytes(prekey, 80) });
      expect(await put(1, 'first prekey')).toEqual({ ok: true });
      expect(await put(1, 'another')).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await put(2, 'second')).toEqual({ ok: true });
      expect(await prekeyOf()).toEqual(bytes('second', 80));
    });

    test('a request for a key stands until it is granted and the key is gone', async () => {
      await create();
      await join(GUEST);
      await join(THIRD, id('third invite'));
      expect(await store().putNeedKey(ROOM, GUEST, bytes('need'))).toEqual({ ok: true });
      expect(await store().pendingNeedKeys(ROOM, OWNER)).toMatchObject({ requests: [{ from: GUEST }] });
      expect(await store().pendingNeedKeys(ROOM, THIRD)).toMatchObject({ requests: [] });
      const grant = (request: string) =>
        store().putKeyGrant({
          roomId: ROOM, from: OWNER, to: GUEST, request: bytes(request), grant: bytes('grant'), news: bytes('news'),
        }); // prettier-ignore
      expect(await grant('another')).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await grant('need')).toEqual({ ok: true });
      expect(await grant('need')).toEqual({ ok: true });
      expect(await store().pendingNeedKeys(ROOM, OWNER)).toMatchObject({ requests: [] });
      expect(await store().keyGrants(ROOM, GUEST)).toMatchObject({
        grants: [{ from: OWNER, grant: bytes('grant') }],
      });
      const { head } = await facts();
      await store().rotate({ roomId: ROOM, signer: OWNER, head, rotation: rotation(2) });
      expect(await store().keyGrants(ROOM, GUEST)).toMatchObject({ grants: [] });
      expect(await store().readNeedKey(ROOM, GUEST)).toMatchObject({ request: null });
    });

    test('anybody may answer the owner; the first answer stands until its request or its granter goes', async () => {
      await create();
      await join(GUEST);
      await join(THIRD, id('third invite'));
      const pending = (who: MemberId) => store().pendingNeedKeys(ROOM, who);
      const grant = (from: MemberId, seed: string, request = 'need') =>
        store().putKeyGrant({
          roomId: ROOM, from, to: OWNER, request: bytes(request), grant: bytes(seed), news: bytes('news'),
        }); // prettier-ignore
      await store().putNeedKey(ROOM, OWNER, bytes('need'));
      for (const who of [GUEST, THIRD])
        expect(await pending(who)).toMatchObject({ requests: [{ from: OWNER }] });
      expect(await grant(GUEST, 'first')).toEqual({ ok: true });
      for (const who of [GUEST, THIRD]) expect(await pending(who)).toMatchObject({ requests: [] });
      expect(await grant(THIRD, 'second')).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await grant(THIRD, 'first')).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await grant(GUEST, 'other')).toMatchObject({ code: 'BAD_ENTRY' });
      expect(await grant(GUEST, 'first')).toEqual({ ok: true });
      const { grants } = (await store().keyGrants(ROOM, OWNER)) as { grants?: readonly object[] };
      expect(grants).toEqual([{ from: GUEST, grant: bytes('first'), news: bytes('news') }]);
      await store().putNeedKey(ROOM, OWNER, bytes('again'));
      expect(await store().keyGrants(ROOM, OWNER)).toMatchObject({ grants: [] });
      expect(await grant(THIRD, 'third', 'again')).toEqual({ ok: true });
      expect(await entry('goes', { kind: 'remove', member: THIRD }, { restored: true })).toMatchObject({
        ok: true,
      });
      expect(await store().keyGrants(ROOM, OWNER)).toMatchObject({ grants: [] });
      expect(await pending(GUEST)).toMatchObject({ requests: [{ from: OWNER }] });
    });
  });
}
