/** Safety numbers, drafts, forgetting: what stays on this device. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generateKeyPair, safetyNumber } from '@0fc/crypto/keys';
import { fingerprintOf } from '@0fc/crypto/verify';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { Drafts } from './drafts.js';
import { deletionOf, assertRoomEnded, newMembership, safetyNumberWith, setVerified } from './room-acts.js';
import { change, newVault } from '../room/log/log.spec-support.js';
import { putInvite } from '../room/state/draft.js';
import { keyOf, STORES, type OwnerInvite } from '../vault/records.js';
import type { Room } from '../room/room.js';
import { stage, type Stage } from '../view/room.spec-support.js';

let on: Stage;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  on = await stage();
});

describe('a safety number', () => {
  test('is the same from both sides, and its code names the room', async () => {
    const { state } = on.source;
    const [mine, theirs] = [on.guest.identity.publicKey, on.log.owner.identity.publicKey];
    const shown = await safetyNumberWith(nodeHash, state, on.log.owner.id);
    const digits = (await safetyNumber(nodeHash, state.core.roomId, theirs, mine)).replaceAll(' ', '');
    expect(shown).toEqual({
      digits,
      qr: `0fc-safety:1:${state.core.roomId}:${digits}`,
      myFingerprint: await fingerprintOf(nodeHash, mine),
      theirFingerprint: await fingerprintOf(nodeHash, theirs),
    });
    expect(digits).toMatch(/^\d{60}$/);
  });

  test('is there for a former member and for who has claimed an invite, not for oneself or a stranger', async () => {
    on = await stage('owner');
    const { state } = on.source;
    const before = await safetyNumberWith(nodeHash, state, on.guest.id);
    await on.take(await on.log.change('remove', { member: on.guest.id, reason: 'removed' }));
    expect(await safetyNumberWith(nodeHash, state, on.guest.id)).toEqual(before);
    const inviteId = 'AAAAAAAAAAAAAAAAAAAAAA' as OwnerInvite['inviteId'];
    const joiner = { key: generateKeyPair().publicKey, name: 'T', joinKey: null, prekey: new Uint8Array(1), ek: new Uint8Array(1_184), request: new Uint8Array(1) }; // prettier-ignore
    await change(state, putInvite({
      inviteId, made: 1, expires: 2, pair: null, token: null, stage: 'asked', joiner, approved: false, replies: [],
      repliedAt: null, dropReason: null,
    })); // prettier-ignore
    expect((await safetyNumberWith(nodeHash, state, inviteId)).theirFingerprint).toBe(
      await fingerprintOf(nodeHash, joiner.key),
    );
    for (const nobody of [state.core.me, 'BBBBBBBBBBBBBBBBBBBBBA', '']) {
      await expect(safetyNumberWith(nodeHash, state, nobody)).rejects.toMatchObject({
        code: 'MEMBER_UNKNOWN',
      });
    }
  });

  test('is marked as compared, and unmarked', async () => {
    const { state } = on.source;
    await setVerified(on.room, on.log.owner.id, true);
    await setVerified(on.room, on.log.owner.id, true);
    expect(state.core.verified).toEqual([on.log.owner.id]);
    await setVerified(on.room, on.log.owner.id, false);
    expect(state.core.verified).toEqual([]);
    for (const nobody of [state.core.me, 'nobody']) {
      await expect(setVerified(on.room, nobody, true)).rejects.toMatchObject({ code: 'MEMBER_UNKNOWN' });
    }
  });
});

describe('in the vault', () => {
  test('a draft stays until it is replaced', async () => {
    const vault = await newVault();
    const drafts = await Drafts.load(vault);
    expect(await drafts.set('room', 'not yet sent')).toBe(true);
    expect(await drafts.set('room', 'not yet sent')).toBe(false);
    const again = await Drafts.load(vault);
    expect([again.of('room'), again.of('other')]).toEqual(['not yet sent', '']);
    await again.set('room', '');
    expect((await Drafts.load(vault)).of('room')).toBe('');
    expect(await vault.list(STORES.app)).toEqual([]);
  });

  test('forgetting a room leaves nothing of it, and everything of the others', async () => {
    const vault = await newVault();
    const value = new Uint8Array(1);
    const records = (room: string) => [
      { store: STORES.rooms, key: room, value },
      ...[STORES.chain, STORES.rotations, STORES.log, STORES.outbox].flatMap((store) =>
        [0, 1, 2].map((n) => ({ store, key: keyOf(room, n), value })),
      ),
      ...[STORES.slices, STORES.senders, STORES.invites].map((store) => ({
        store,
        key: `${room}/name`,
        value,
      })),
    ];
    await vault.write([...records('room'), ...records('rooms')]);
    await vault.write(await deletionOf(vault, 'room'));
    const left = await Promise.all(
      Object.values(STORES).map(async (store) =>
        (await vault.list(store)).map(({ key }) => ({ store, key })),
      ),
    );
    const expected = records('rooms').map(({ store, key }) => ({ store, key }));
    expect(left.flat()).toHaveLength(expected.length);
    expect(left.flat()).toEqual(expect.arrayContaining(expected));
  });

  test('a new membership is written under no key that has records, be they readable or damaged', () => {
    const roomId = on.source.state.core.roomId;
    const left = { state: { core: { roomId, stage: 'left' } } } as unknown as Room;
    const keyAfter = (rooms: readonly string[], damaged: readonly string[]): string =>
      newMembership(
        new Map(rooms.map((key) => [key, left])),
        new Map(damaged.map((key) => [key, {}])),
        roomId,
      );
    const [second, third] = [`${roomId}~2`, `${roomId}~3`];
    expect(keyAfter([], [])).toBe(roomId);
    expect(keyAfter([], [roomId])).toBe(second);
    expect(keyAfter([roomId], [second])).toBe(third);
    expect(keyAfter([second], [roomId])).toBe(third);
  });

  test('a room is forgotten only once it is over', () => {
    const room = (stage: string, code: string | null, listed = true, live = true) => {
      const state = { core: { stage, me: 'me' }, roster: { members: new Map(listed ? [['me', {}]] : []) } };
      return { state, live, stopped: code === null ? null : { code } } as unknown as Room;
    };
    // Whose log was not read to its end may find its own admission there.
    const unread = room('member', null, false, false);
    for (const still of [room('member', null), room('member', 'REPLACED'), unread]) {
      expect(() => assertRoomEnded(still, false)).toThrow(/^STILL_MEMBER/);
    }
    for (const over of ['left', 'removed', 'closed'].map((name) => room(name, null)))
      assertRoomEnded(over, false);
    assertRoomEnded(room('member', 'ROOM_UNKNOWN'), false);
    // Whoever no chain admits has nothing to leave.
    assertRoomEnded(room('member', null, false), false);
  });
});
