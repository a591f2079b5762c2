/** docs/protocol.md section 7; G8, G9, G10, G11: rotations and grants. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import {
  ctx,
  decodeBody,
  encodeAs,
  encodeCbor,
  wrapBody,
  type Body,
  type Bytes,
  type MemberId,
} from '@0fc/protocol';
import {
  asRoomKey, generateKeyPair, keyHash, type KeyPair, makeKeyGrant, makeNeedKey, makePrekey, makeRotation, type
  NewRotation, openKeyGrant, openRotation, type PublicPrekey, type RoomKey, signBody, wrapPrekey,
} from './index.js'; // prettier-ignore
import { openCell, sealCell } from './cell.js';
import { decryptFrom, encryptTo } from './envelope.js';
import { applyRoster, checkWraps, containerBody, verifyRotation, type Roster } from '../verify/index.js';
import {
  alarmOf, codeOf, flipBit, hash, makeWorld, newMemberId, newRoomId, ports, random, type Person,
} from '../world.spec-support.js'; // prettier-ignore

const world = await makeWorld();
const { roster, roomId, owner, bob, carol, room } = world;
const { roomKey } = room;

const rotate = (
  prekeys: ReadonlyMap<MemberId, PublicPrekey> = new Map(),
  on: Roster = roster,
  key = roomKey,
  epoch = 1,
): Promise<NewRotation> =>
  makeRotation(ports, { identity: owner.identity, roster: on, epoch, roomKey: key, prekeys });
const checked = (made: NewRotation, on: Roster = roster, epoch = 1): Promise<Body<'rotation'>> =>
  verifyRotation(hash, on, epoch, made.command.clear, made.command.payload);
const wrapsOf = (made: NewRotation): MemberId[] => Object.keys(made.command.wraps) as MemberId[];

interface Reading {
  readonly wrap?: Bytes | undefined;
  readonly oldKey?: RoomKey;
  readonly prekeys?: ReadonlyMap<number, KeyPair>;
}
async function read(made: NewRotation, who: Person, over: Reading = {}) {
  return openRotation(hash, {
    roster,
    rotation: await checked(made),
    payload: made.command.payload,
    wrap: made.command.wraps[who.id],
    oldKey: roomKey,
    memberId: who.id,
    prekeys: new Map([[1, who.prekey]]),
    ...over,
  });
}

const made = await rotate();

describe('a rotation', () => {
  it('gives every member, the owner included, the committed key', async () => {
    checkWraps(roster, await checked(made), wrapsOf(made));
    for (const who of [owner, bob, carol]) expect(await read(made, who)).toEqual({ key: made.newKey, k: 1 });
    expect(await keyHash(hash, roster.nonce, 2, made.newKey)).toEqual(made.keyHash);
    expect(made.newKey).not.toEqual(roomKey);
    expect(made.unwrapped).toEqual([]);
  });

  it('uses the newest prekey that it is given', async () => {
    const { keyPair } = makePrekey(bob.identity, roomId, bob.id, 7);
    const newer = await rotate(new Map([[bob.id, { k: 7, key: keyPair.publicKey }]]));
    expect(
      await read(newer, bob, {
        prekeys: new Map([
          [1, bob.prekey],
          [7, keyPair],
        ]),
      }),
    ).toEqual({ key: newer.newKey, k: 7 });
    expect(await alarmOf(() => read(newer, bob))).toBe('ALARM_NO_KEY');
    const place = { roomId, newEpoch: 2, memberId: bob.id, oldKey: roomKey };
    expect(wrapPrekey({ ...place, wrap: newer.command.wraps[bob.id]! })).toBe(7);
    expect(await alarmOf(() => wrapPrekey({ ...place, wrap: newer.command.wraps[carol.id]! }))).toBe(
      'ALARM_NO_KEY',
    );
  });

  it('is the owner’s alone', async () => {
    expect(
      await codeOf(() =>
        makeRotation(ports, { identity: bob.identity, roster, epoch: 1, roomKey, prekeys: new Map() }),
      ),
    ).toBe('NOT_OWNER');
  });

  it('goes on without a member whose prekey is no key, and says so; never without the owner', async () => {
    // Not canonical, and canonical without a point of the curve.
    for (const key of [random.bytes(45), flipBit(bob.prekey.publicKey, 8 * 12 + 1), new Uint8Array()]) {
      const without = await rotate(new Map([[bob.id, { k: 2, key }]]));
      expect(without.unwrapped).toEqual([bob.id]);
      checkWraps(roster, await checked(without), wrapsOf(without));
      expect(await read(without, carol)).toEqual({ key: without.newKey, k: 1 });
      expect(await alarmOf(() => read(without, bob))).toBe('ALARM_NO_KEY');
      expect(await codeOf(() => rotate(new Map([[owner.id, { k: 2, key }]])))).toBe('BAD_KEY');
    }
  });

  it('G9: the old key alone opens nothing', async () => {
    const thief = generateKeyPair();
    expect(await alarmOf(() => read(made, bob, { prekeys: new Map([[1, thief]]) }))).toBe('ALARM_NO_KEY');
    expect(await alarmOf(() => read(made, bob, { prekeys: new Map() }))).toBe('ALARM_NO_KEY');
    const wrap = openCell(roomKey, made.command.wraps[bob.id]!, ctx('wrap', roomId, 2, bob.id), {
      code: 'MALFORMED',
    });
    expect(Buffer.from(wrap).includes(Buffer.from(made.newKey))).toBe(false);
  });

  it('G9: the prekey alone opens nothing', async () => {
    expect(await alarmOf(() => read(made, bob, { oldKey: asRoomKey(random.bytes(32)) }))).toBe(
      'ALARM_FOREIGN_ROTATION',
    );
  });

  it('G10: the removed member gets no wrap, and holds no key that opens another’s', async () => {
    const entry = signBody(owner.identity, 'remove', {
      roomId,
      epoch: 1,
      head: roster.head,
      owner: owner.id,
      member: bob.id,
      reason: 'removed',
    });
    const after = (await applyRoster(hash, roster, entry)).roster;
    const without = await rotate(new Map(), after);
    expect(wrapsOf(without).sort()).toEqual([owner.id, carol.id].sort());
    const rotation = await checked(without, after);
    const asCarol = {
      roster: after,
      rotation,
      payload: without.command.payload,
      wrap: without.command.wraps[carol.id],
      oldKey: roomKey,
      memberId: carol.id,
    };
    expect((await openRotation(hash, { ...asCarol, prekeys: new Map([[1, carol.prekey]]) })).key).toEqual(
      without.newKey,
    );
    expect(await alarmOf(() => openRotation(hash, { ...asCarol, prekeys: new Map([[1, bob.prekey]]) }))).toBe(
      'ALARM_NO_KEY',
    );
  });

  it('G8: chains forwards only: each key opens the next rotation, none an earlier one', async () => {
    const second = await rotate(new Map(), roster, made.newKey, 2);
    const rotation = await checked(second, roster, 2);
    const args = {
      roster,
      rotation,
      payload: second.command.payload,
      wrap: second.command.wraps[bob.id],
      memberId: bob.id,
      prekeys: new Map([[1, bob.prekey]]),
    };
    expect((await openRotation(hash, { ...args, oldKey: made.newKey })).key).toEqual(second.newKey);
    expect(await alarmOf(() => openRotation(hash, { ...args, oldKey: roomKey }))).toBe(
      'ALARM_FOREIGN_ROTATION',
    );
    expect(await alarmOf(() => read(made, bob, { oldKey: second.newKey }))).toBe('ALARM_FOREIGN_ROTATION');
  });
});

describe('G11: the clear part', () => {
  const resigned = async (over: Partial<Body<'rotation'>>, by = owner.identity): Promise<Bytes> =>
    signBody(by, 'rotation', { ...(await checked(made)), ...over });
  const verify = async (
    clear: Bytes | Promise<Bytes>,
    payload = made.command.payload,
    on = roster,
    epoch = 1,
  ): Promise<unknown> => verifyRotation(hash, on, epoch, await clear, payload);

  it('is refused from anybody but the owner of the moment', async () => {
    expect(await codeOf(() => verify(resigned({}, bob.identity)))).toBe('BAD_SIGNATURE');
    expect(await codeOf(() => verify(resigned({}, generateKeyPair())))).toBe('BAD_SIGNATURE');
    expect(await codeOf(() => verify(made.command.clear, undefined, { ...roster, owner: bob.id }))).toBe(
      'BAD_SIGNATURE',
    );
    expect(await codeOf(() => verify(resigned({ owner: bob.id })))).toBe('BAD_ENTRY');
  });

  it('is refused for another room, epoch, head or payload, and after close', async () => {
    expect(await codeOf(() => verify(resigned({ roomId: newRoomId() })))).toBe('BAD_ENTRY');
    expect(await codeOf(() => verify(resigned({ newEpoch: 1 })))).toBe('STALE_EPOCH');
    expect(await codeOf(() => verify(resigned({ newEpoch: 3 })))).toBe('EPOCH_AHEAD');
    expect(await codeOf(() => verify(made.command.clear, undefined, roster, 2))).toBe('STALE_EPOCH');
    expect(await codeOf(() => verify(resigned({ head: random.bytes(32) })))).toBe('STALE_HEAD');
    expect(await codeOf(() => verify(made.command.clear, flipBit(made.command.payload, 0)))).toBe(
      'BAD_ENTRY',
    );
    expect(await codeOf(() => verify(resigned({ ephemeral: random.bytes(45) })))).toBe('BAD_KEY');
    expect(await codeOf(() => verify(made.command.clear, undefined, { ...roster, closed: true }))).toBe(
      'ROOM_CLOSED',
    );
    expect(
      await codeOf(() =>
        verify(signBody(owner.identity, 'close', { roomId, epoch: 1, head: roster.head, owner: owner.id })),
      ),
    ).toBe('UNKNOWN_KIND');
  });

  it('accounts for every member exactly once', async () => {
    const rotation = await checked(made);
    const all = [owner.id, bob.id, carol.id];
    const check = (wrapped: MemberId[], unwrapped: MemberId[]) => () =>
      checkWraps(roster, { ...rotation, unwrapped }, wrapped);
    check(all, [])();
    check([owner.id, bob.id], [carol.id])();
    const wrong: [MemberId[], MemberId[]][] = [
      [[owner.id, bob.id], []],
      [all, [carol.id]],
      [[...all, bob.id], []],
      [[...all, newMemberId()], []],
      [all, [newMemberId()]],
      [[bob.id, carol.id], [owner.id]],
      [[owner.id], [bob.id, bob.id]],
      [[], []],
    ];
    for (const [wrapped, unwrapped] of wrong)
      expect(await codeOf(check(wrapped, unwrapped))).toBe('BAD_WRAPS');
  });
});

describe('what a client shows when a rotation gives it no key', () => {
  it('ALARM_NO_KEY: no wrap, another member’s, a spoilt one', async () => {
    const wrap = made.command.wraps[bob.id]!;
    for (const wrong of [
      undefined,
      made.command.wraps[carol.id],
      wrap.slice(0, -1),
      new Uint8Array(),
      random.bytes(200),
    ]) {
      expect(await alarmOf(() => read(made, bob, { wrap: wrong }))).toBe('ALARM_NO_KEY');
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * wrap.length - 1), async (bit) => {
        expect(await alarmOf(() => read(made, bob, { wrap: flipBit(wrap, bit) }))).toBe('ALARM_NO_KEY');
      }),
      { numRuns: 30 },
    );
  });

  it('ALARM_WRONG_KEY: the owner commits to one key and gives another, or one for something else', async () => {
    const ephemeral = generateKeyPair();
    const lies: [string, string, number, string, Bytes | RoomKey][] = [
      ['0fc/1/wrapped-key', roomId, 2, bob.id, random.bytes(32)],
      ['0fc/1/wrapped-key', roomId, 2, carol.id, made.newKey],
      ['0fc/1/wrapped-key', roomId, 3, bob.id, made.newKey],
      ['0fc/1/wrapped-key', newRoomId(), 2, bob.id, made.newKey],
      ['0fc/1/granted-key', roomId, 2, bob.id, made.newKey],
    ];
    for (const lie of lies) {
      const sealed = encryptTo(ephemeral.privateKey, bob.prekey.publicKey, encodeCbor(lie));
      const wrap = sealCell(roomKey, encodeAs(wrapBody, { k: 1, sealed }), ctx('wrap', roomId, 2, bob.id));
      const rotation = { ...(await checked(made)), ephemeral: ephemeral.publicKey };
      const args = {
        roster,
        rotation,
        payload: made.command.payload,
        wrap,
        oldKey: roomKey,
        memberId: bob.id,
        prekeys: new Map([[1, bob.prekey]]),
      };
      expect(await alarmOf(() => openRotation(hash, args))).toBe('ALARM_WRONG_KEY');
    }
  });

  it('ALARM_FOREIGN_ROTATION: W2, a message relabelled as a rotation', async () => {
    const text = sealCell(
      roomKey,
      signBody(owner.identity, 'close', { roomId, epoch: 1, head: roster.head, owner: owner.id }),
      ctx('rotation', roomId, 2, owner.id),
    );
    const rotation = await checked(made);
    const args = {
      roster,
      rotation,
      payload: text,
      wrap: made.command.wraps[bob.id],
      oldKey: roomKey,
      memberId: bob.id,
      prekeys: new Map([[1, bob.prekey]]),
    };
    expect(await alarmOf(() => openRotation(hash, args))).toBe('ALARM_FOREIGN_ROTATION');
  });
});

describe('an envelope', () => {
  it('opens for its receiver, from its sender, in its one length', async () => {
    const [from, to] = [generateKeyPair(), generateKeyPair()];
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(1e6), async (plain, where) => {
        const sealed = encryptTo(from.privateKey, to.publicKey, plain);
        expect(decryptFrom(to.privateKey, from.publicKey, sealed)).toEqual(plain);
        const wrong: Bytes[] = [
          flipBit(sealed, where % (8 * sealed.length)),
          sealed.slice(0, -1),
          Uint8Array.of(...sealed, 0),
          plain,
        ];
        for (const bytes of wrong)
          expect(await codeOf(() => decryptFrom(to.privateKey, from.publicKey, bytes))).toBe('MALFORMED');
        expect(await codeOf(() => decryptFrom(from.privateKey, bob.identity.publicKey, sealed))).toBe(
          'MALFORMED',
        );
      }),
      { numRuns: 10 },
    );
  });
});

describe('needKey and keyGrant', () => {
  const news = { profiles: [random.bytes(300)], roomName: random.bytes(250) };
  const need = makeNeedKey(ports, { identity: bob.identity, roomId, memberId: bob.id });
  const give = {
    identity: owner.identity,
    roster,
    epoch: 2,
    roomKey: made.newKey,
    to: bob.id,
    request: need.container,
    news,
  };
  const take = {
    roster,
    granter: owner.id,
    memberId: bob.id,
    expectedKeyHash: made.keyHash,
    epoch: 2,
    request: need.container,
    prekey: need.prekey,
  };

  it('give a member the current key and the news', async () => {
    const granted = await makeKeyGrant(hash, give);
    expect(await openKeyGrant(hash, { ...take, ...granted })).toEqual({ key: made.newKey, news });
  });

  it('give the owner the key from any member', async () => {
    const lost = makeNeedKey(ports, { identity: owner.identity, roomId, memberId: owner.id });
    const granted = await makeKeyGrant(hash, {
      ...give,
      identity: carol.identity,
      to: owner.id,
      request: lost.container,
    });
    const opened = await openKeyGrant(hash, {
      ...take,
      granter: carol.id,
      memberId: owner.id,
      request: lost.container,
      prekey: lost.prekey,
      ...granted,
    });
    expect(opened.key).toEqual(made.newKey);
  });

  it('are not between members, nor to oneself, nor for a stranger', async () => {
    const own = makeNeedKey(ports, { identity: owner.identity, roomId, memberId: owner.id });
    expect(await codeOf(() => makeKeyGrant(hash, { ...give, identity: carol.identity }))).toBe('FORBIDDEN');
    expect(await codeOf(() => makeKeyGrant(hash, { ...give, to: owner.id, request: own.container }))).toBe(
      'FORBIDDEN',
    );
    expect(await codeOf(() => makeKeyGrant(hash, { ...give, identity: generateKeyPair() }))).toBe(
      'FORBIDDEN',
    );
    expect(await codeOf(() => makeKeyGrant(hash, { ...give, to: newMemberId() }))).toBe('BAD_ENTRY');
  });

  it('answer only a request that the asker itself signed for this room', async () => {
    const forged = makeNeedKey(ports, { identity: carol.identity, roomId, memberId: bob.id });
    const elsewhere = makeNeedKey(ports, { identity: bob.identity, roomId: newRoomId(), memberId: bob.id });
    expect(await codeOf(() => makeKeyGrant(hash, { ...give, request: forged.container }))).toBe(
      'BAD_SIGNATURE',
    );
    expect(await codeOf(() => makeKeyGrant(hash, { ...give, request: elsewhere.container }))).toBe(
      'BAD_ENTRY',
    );
  });

  it('answer this request of this member in this epoch, as the granter signed it', async () => {
    const granted = await makeKeyGrant(hash, give);
    const { body } = decodeBody(containerBody(granted.grant), 'keyGrant');
    const lies: Partial<Body<'keyGrant'>>[] = [
      { memberId: carol.id },
      { epoch: 3 },
      { request: random.bytes(32) },
      { roomId: newRoomId() },
      { granter: carol.id },
    ];
    for (const lie of lies) {
      const grant = signBody(owner.identity, 'keyGrant', { ...body, ...lie });
      expect(await codeOf(() => openKeyGrant(hash, { ...take, ...granted, grant }))).toBe('BAD_ENTRY');
    }
  });

  it('show a key that was encrypted for something else as the wrong one', async () => {
    const granted = await makeKeyGrant(hash, give);
    const { body } = decodeBody(containerBody(granted.grant), 'keyGrant');
    const lies: [string, number, string][] = [
      [newRoomId(), 2, bob.id],
      [roomId, 3, bob.id],
      [roomId, 2, carol.id],
    ];
    for (const [room, epoch, member] of lies) {
      const ephemeral = generateKeyPair();
      const plain = encodeCbor(['0fc/1/granted-key', room, epoch, member, made.newKey]);
      const sealed = encryptTo(ephemeral.privateKey, need.prekey.publicKey, plain);
      const grant = signBody(owner.identity, 'keyGrant', { ...body, ephemeral: ephemeral.publicKey, sealed });
      expect(await alarmOf(() => openKeyGrant(hash, { ...take, ...granted, grant }))).toBe('ALARM_WRONG_KEY');
    }
  });

  it('show a key that misses its commitment as the wrong one', async () => {
    const granted = await makeKeyGrant(hash, { ...give, roomKey: asRoomKey(random.bytes(32)) });
    expect(await alarmOf(() => openKeyGrant(hash, { ...take, ...granted }))).toBe('ALARM_WRONG_KEY');
  });
});
