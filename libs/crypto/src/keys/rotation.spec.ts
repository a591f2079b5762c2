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
  type CborValue,
  type MemberId,
} from '@0fc/protocol';
import {
  asRoomKey, encryptHybrid, generateHybridKeyPair, generateKeyPair, type HybridKeyPair, hybridPublicKey, keyHash,
  makeKeyGrant, makeKeyRequest, makeRotation, type NewRotation, openKeyGrant, openRotation, type RoomKey,
  rotationPrekeys, signBody, wrapPrekey,
} from './index.js'; // prettier-ignore
import { openCell, sealCell } from '../cell.js';
import { signAnything } from './unchecked.spec-support.js';
import { decryptFrom, encryptTo } from './envelope.js';
import {
  applyRoster,
  checkWraps,
  containerBody,
  verifyRotation,
  type Roster,
  type HybridPrekey,
  type HybridPublicKey,
} from '../verify/index.js';
import {
  alarmOf, codeOf, firstPrekeys, flipBit, hash, makeWorld, newMemberId, newRoomId, ports, random, type Person,
} from '../world.spec-support.js'; // prettier-ignore

const world = await makeWorld();
const { roster, roomId, owner, bob, carol, room } = world;
const { roomKey } = room;
const first = firstPrekeys(owner, bob, carol);

const rotate = (
  prekeys: ReadonlyMap<MemberId, HybridPrekey> = new Map(),
  on: Roster = roster,
  key = roomKey,
  epoch = 1,
): Promise<NewRotation> =>
  makeRotation(ports, {
    identity: owner.identity,
    roster: on,
    epoch,
    roomKey: key,
    base: null,
    prekeys: new Map([...first, ...prekeys]),
    least: new Map(),
  });
const checked = (made: NewRotation, on: Roster = roster, epoch = 1): Promise<Body<'rotation'>> =>
  verifyRotation(hash, on, epoch, made.command.clear, made.command.payload);
const wrapsOf = (made: NewRotation): MemberId[] => Object.keys(made.command.wraps) as MemberId[];

interface Reading {
  readonly wrap?: Bytes | undefined;
  readonly oldKey?: RoomKey | null;
  readonly prekeys?: ReadonlyMap<number, HybridKeyPair>;
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
const cold = await makeRotation(ports, {
  identity: owner.identity, roster, epoch: 1, roomKey: null, base: null, prekeys: first, least: new Map(),
}); // prettier-ignore

describe('a rotation', () => {
  it('gives every member, the owner included, the committed key', async () => {
    checkWraps(roster, await checked(made), wrapsOf(made));
    for (const who of [owner, bob, carol]) expect(await read(made, who)).toEqual({ key: made.newKey, k: 1 });
    expect(await keyHash(hash, roster.nonce, 2, made.newKey)).toEqual(made.keyHash);
    expect(made.newKey).not.toEqual(roomKey);
    expect(made.unwrapped).toEqual([]);
  });

  it('lets everything else in between its wraps: a full room’s takes seconds', async () => {
    const bobs = roster.members.get(bob.id)!;
    const others = Array.from({ length: 21 }, () => newMemberId());
    const crowd = new Map([
      ...roster.members,
      ...others.map((memberId) => [memberId, { ...bobs, memberId }] as const),
    ]);
    const offered = new Map(others.map((memberId) => [memberId, first.get(bob.id)!]));
    let turns = 0;
    const done = new AbortController();
    const counting = (async () => {
      for (; !done.signal.aborted; turns++) await new Promise((resolve) => setImmediate(resolve));
    })();
    const large = await rotate(offered, { ...roster, members: crowd });
    done.abort();
    const counted = turns;
    await counting;
    expect(wrapsOf(large)).toHaveLength(24);
    expect(counted).toBeGreaterThanOrEqual(6);
  });

  it('uses the newest prekey that it is given', async () => {
    const keyPair = generateHybridKeyPair(random);
    const newer = await rotate(new Map([[bob.id, { k: 7, ...hybridPublicKey(keyPair) }]]));
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

  it('that cannot be made wipes its key', async () => {
    const drawn: Bytes[] = [];
    const bytes = (length: number): Bytes => {
      const made = random.bytes(length);
      drawn.push(made);
      return made;
    };
    const unusable = new Map([
      ...first,
      [owner.id, { k: 1, key: new Uint8Array(45), ek: new Uint8Array(1_184) }] as const,
    ]);
    const attempt = makeRotation({ ...ports, random: { bytes } }, {
      identity: owner.identity, roster, epoch: 1, roomKey, base: null, prekeys: unusable, least: new Map(),
    }); // prettier-ignore
    await expect(attempt).rejects.toMatchObject({ code: 'BAD_KEY' });
    expect(drawn[0]).toEqual(new Uint8Array(32));
  });

  it('G9: wraps to no prekey before the one that the last rotation used', async () => {
    const newer = { k: 7, ...hybridPublicKey(generateHybridKeyPair(random)) };
    const prekeys = new Map([...first, [bob.id, newer] as const]);
    const lately = await makeRotation(ports, {
      identity: owner.identity, roster, epoch: 1, roomKey, base: null, prekeys, least: new Map([[bob.id, 7]]),
    }); // prettier-ignore
    expect(lately.unwrapped).toEqual([]);
    const before = await makeRotation(ports, {
      identity: owner.identity, roster, epoch: 1, roomKey, base: null, prekeys, least: new Map([[bob.id, 8]]),
    }); // prettier-ignore
    expect(before.unwrapped).toEqual([bob.id]);
    checkWraps(roster, await checked(before), wrapsOf(before));
    const told = {
      roster,
      rotation: await checked(before),
      payload: before.command.payload,
      oldKey: roomKey,
    };
    expect([...rotationPrekeys(told).keys()].toSorted()).toEqual([owner.id, carol.id].toSorted());
  });

  it('is foreign where it lists another prekey than a wrap uses, or has more inside than it may', async () => {
    const rotation = await checked(made);
    const context = ctx('rotation', roomId, 2, owner.id);
    const sealedInner = openCell(roomKey, made.command.payload, context, { code: 'MALFORMED' });
    const { body } = decodeBody(containerBody(sealedInner), 'rotationInner');
    const wrong: [string, CborValue][] = [
      ['prekeys', body.prekeys.map(() => 2 ** 40 - 1)],
      ['prekeys', body.prekeys.map(() => 0)],
      ['later', 1],
    ];
    for (const [field, value] of wrong) {
      const inner = signAnything(
        owner.identity,
        encodeCbor(['0fc/2/rotationInner', { ...body, [field]: value }]),
      );
      const payload = sealCell(roomKey, inner, context);
      const told = { ...rotation, payload: await hash.sha256(payload) };
      const opening = {
        roster, rotation: told, payload, wrap: made.command.wraps[bob.id], oldKey: roomKey, memberId: bob.id,
        prekeys: new Map([[1, bob.prekey]]),
      }; // prettier-ignore
      expect(await alarmOf(() => openRotation(hash, opening))).toBe('ALARM_FOREIGN_ROTATION');
    }
  });

  it('goes to its owner whatever number somebody has listed for it', async () => {
    const next = await makeRotation(ports, {
      identity: owner.identity, roster, epoch: 1, roomKey, base: null, prekeys: first,
      least: new Map([[owner.id, 2 ** 40 - 1]]),
    }); // prettier-ignore
    expect(next.unwrapped).toEqual([]);
    expect((await read(next, owner)).key).toEqual(next.newKey);
  });

  describe('that is cold, by an owner without the key', () => {
    it('gives every member the key, without the old one, and says that it is cold', async () => {
      const rotation = await checked(cold);
      expect(rotation.cold).toBe(true);
      for (const who of [owner, bob, carol]) {
        expect(await read(cold, who, { oldKey: null })).toEqual({ key: cold.newKey, k: 1 });
        expect(await read(cold, who)).toEqual({ key: cold.newKey, k: 1 });
      }
      const told = { roster, rotation, payload: cold.command.payload, oldKey: null };
      expect(rotationPrekeys(told)).toEqual(new Map([owner, bob, carol].map(({ id }) => [id, 1])));
    });

    it('G9: opens with the member’s prekey only', async () => {
      const thief = generateHybridKeyPair(random);
      expect(await alarmOf(() => read(cold, bob, { prekeys: new Map([[1, thief]]) }))).toBe('ALARM_NO_KEY');
      expect(await alarmOf(() => read(cold, bob, { wrap: cold.command.wraps[carol.id] }))).toBe(
        'ALARM_NO_KEY',
      );
    });

    it('is never taken for one under the old key, nor the other way round', async () => {
      for (const [one, other] of [
        [cold, made],
        [made, cold],
      ] as const) {
        const body = { ...(await checked(one)), cold: other === cold };
        const clear = signBody(owner.identity, 'rotation', body);
        const turned = { ...one, command: { ...one.command, clear } };
        expect(await alarmOf(() => read(turned, bob))).toBe('ALARM_FOREIGN_ROTATION');
      }
    });
  });

  it('is the owner’s alone', async () => {
    expect(
      await codeOf(() =>
        makeRotation(ports, {
          identity: bob.identity,
          roster,
          epoch: 1,
          roomKey,
          base: null,
          prekeys: first,
          least: new Map(),
        }),
      ),
    ).toBe('NOT_OWNER');
  });

  it('goes on without a member whose prekey is no key, and says so; never without the owner', async () => {
    const good = hybridPublicKey(bob.prekey);
    const bad: Partial<HybridPublicKey>[] = [
      // Not canonical, and canonical without a point of the curve.
      { key: random.bytes(45) },
      { key: flipBit(good.key, 8 * 12 + 1) },
      { key: new Uint8Array() },
      { ek: good.ek.slice(1) },
      { ek: Uint8Array.of(...good.ek, 0) },
      { ek: new Uint8Array(1_184) },
      { ek: new Uint8Array(1_184).fill(255) },
      { ek: new Uint8Array() },
    ];
    for (const half of bad) {
      const prekey = { k: 2, ...good, ...half };
      const without = await rotate(new Map([[bob.id, prekey]]));
      expect(without.unwrapped).toEqual([bob.id]);
      checkWraps(roster, await checked(without), wrapsOf(without));
      expect(await read(without, carol)).toEqual({ key: without.newKey, k: 1 });
      expect(await alarmOf(() => read(without, bob))).toBe('ALARM_NO_KEY');
      expect(await codeOf(() => rotate(new Map([[owner.id, prekey]])))).toBe('BAD_KEY');
    }
  });

  it('goes on without a member of whom no prekey is here, and says so', async () => {
    const without = await makeRotation(ports, {
      identity: owner.identity, roster, epoch: 1, roomKey, base: null, prekeys: firstPrekeys(owner, carol), least: new Map(),
    }); // prettier-ignore
    expect(without.unwrapped).toEqual([bob.id]);
    checkWraps(roster, await checked(without), wrapsOf(without));
    expect((await read(without, carol)).key).toEqual(without.newKey);
  });

  it('G9: the old key alone opens nothing', async () => {
    const thief = generateHybridKeyPair(random);
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
      ['0fc/2/wrapped-key', roomId, 2, bob.id, random.bytes(32)],
      ['0fc/2/wrapped-key', roomId, 2, carol.id, made.newKey],
      ['0fc/2/wrapped-key', roomId, 3, bob.id, made.newKey],
      ['0fc/2/wrapped-key', newRoomId(), 2, bob.id, made.newKey],
      ['0fc/2/granted-key', roomId, 2, bob.id, made.newKey],
    ];
    for (const lie of lies) {
      const message = await encryptHybrid(ports, {
        ephemeral, to: hybridPublicKey(bob.prekey), plain: encodeCbor(lie),
        place: { kind: 'wrap', roomId, epoch: 2, memberId: bob.id },
      }); // prettier-ignore
      const wrap = sealCell(
        roomKey,
        encodeAs(wrapBody, { k: 1, ...message }),
        ctx('wrap', roomId, 2, bob.id),
      );
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
  const begin = random.bytes(32);
  const of = { epoch: 2, rotation: begin, failed: [] as MemberId[] };
  const news = { profiles: [random.bytes(300)], roomName: random.bytes(250) };
  const keyRequest = makeKeyRequest(ports, { ...of, identity: bob.identity, roomId, memberId: bob.id });
  const give = {
    identity: owner.identity,
    roster,
    epoch: 2,
    roomKey: made.newKey,
    to: bob.id,
    request: keyRequest.container,
    rotation: begin,
    news,
  };
  const take = {
    roster,
    granter: owner.id,
    memberId: bob.id,
    expectedKeyHash: made.keyHash,
    epoch: 2,
    request: keyRequest.container,
    prekey: keyRequest.prekey,
  };

  it('give a member the current key and the news', async () => {
    const granted = await makeKeyGrant(ports, give);
    expect(await openKeyGrant(hash, { ...take, ...granted })).toEqual({ key: made.newKey, news });
  });

  it('give the owner the key from any member', async () => {
    const lost = makeKeyRequest(ports, { ...of, identity: owner.identity, roomId, memberId: owner.id });
    const granted = await makeKeyGrant(ports, {
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
    const own = makeKeyRequest(ports, { ...of, identity: owner.identity, roomId, memberId: owner.id });
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, identity: carol.identity }))).toBe('FORBIDDEN');
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, to: owner.id, request: own.container }))).toBe(
      'FORBIDDEN',
    );
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, identity: generateKeyPair() }))).toBe(
      'FORBIDDEN',
    );
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, to: newMemberId() }))).toBe('BAD_ENTRY');
  });

  it('answer only a request that the asker itself signed for this room', async () => {
    const forged = makeKeyRequest(ports, { ...of, identity: carol.identity, roomId, memberId: bob.id });
    const elsewhere = makeKeyRequest(ports, {
      ...of,
      identity: bob.identity,
      roomId: newRoomId(),
      memberId: bob.id,
    });
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, request: forged.container }))).toBe(
      'BAD_SIGNATURE',
    );
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, request: elsewhere.container }))).toBe(
      'BAD_ENTRY',
    );
  });

  it('answer no request of another epoch, or of another rotation to it', async () => {
    for (const other of [{ epoch: 1 }, { epoch: 3 }, { rotation: random.bytes(32) }]) {
      const { container } = makeKeyRequest(ports, {
        ...of,
        ...other,
        identity: bob.identity,
        roomId,
        memberId: bob.id,
      });
      expect(await codeOf(() => makeKeyGrant(ports, { ...give, request: container }))).toBe('BAD_ENTRY');
    }
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, rotation: random.bytes(32) }))).toBe(
      'BAD_ENTRY',
    );
  });

  it('are not by whom the asker names as failed', async () => {
    const named = { ...of, identity: bob.identity, roomId, memberId: bob.id, failed: [carol.id, owner.id] };
    const { container } = makeKeyRequest(ports, named);
    expect(await codeOf(() => makeKeyGrant(ports, { ...give, request: container }))).toBe('FORBIDDEN');
  });

  it('give the same bytes again to the same request, beside the news of now', async () => {
    const first = await makeKeyGrant(ports, give);
    const later = { profiles: [], roomName: null };
    const again = await makeKeyGrant(ports, { ...give, news: later, given: first.grant });
    expect(again.grant).toEqual(first.grant);
    expect(await openKeyGrant(hash, { ...take, ...again })).toEqual({ key: made.newKey, news: later });
  });

  it('answer this request of this member in this epoch, as the granter signed it', async () => {
    const granted = await makeKeyGrant(ports, give);
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
    const granted = await makeKeyGrant(ports, give);
    const { body } = decodeBody(containerBody(granted.grant), 'keyGrant');
    const lies: [string, number, string][] = [
      [newRoomId(), 2, bob.id],
      [roomId, 3, bob.id],
      [roomId, 2, carol.id],
    ];
    for (const [room, epoch, member] of lies) {
      const ephemeral = generateKeyPair();
      const plain = encodeCbor(['0fc/2/granted-key', room, epoch, member, made.newKey]);
      const message = await encryptHybrid(ports, {
        ephemeral, to: hybridPublicKey(keyRequest.prekey), plain,
        place: { kind: 'grant', roomId, epoch: 2, memberId: bob.id },
      }); // prettier-ignore
      const lie = { ...body, ephemeral: ephemeral.publicKey, ...message };
      const grant = signBody(owner.identity, 'keyGrant', lie);
      expect(await alarmOf(() => openKeyGrant(hash, { ...take, ...granted, grant }))).toBe('ALARM_WRONG_KEY');
    }
  });

  it('show a key that misses its commitment as the wrong one', async () => {
    const granted = await makeKeyGrant(ports, { ...give, roomKey: asRoomKey(random.bytes(32)) });
    expect(await alarmOf(() => openKeyGrant(hash, { ...take, ...granted }))).toBe('ALARM_WRONG_KEY');
  });
});
