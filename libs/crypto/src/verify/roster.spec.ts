/** docs/protocol.md section 4, G11: the roster as a pure function of its chain. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  decodeCbor,
  encodeCbor,
  PROTOCOL_VERSION,
  toBase64Url,
  type CborValue,
  type Body,
  type BodyKind,
  type Bytes,
  type RoomId,
} from '@0fc/protocol';
import { createGenesis, generateKeyPair, makePrekey, signBody, type KeyPair } from '../keys/index.js';
import { signAnything } from '../keys/unchecked.spec-support.js';
import { applyRoster, decodeRoster, encodeRoster, readChain, startRoster, type Roster } from './index.js';
import {
  admitEntry, appended, codeOf, flipBit, hash, makeWorld, newRoomId, person, ports, random, SETTINGS,
  type Person, type World,
} from '../world.spec-support.js'; // prettier-ignore

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});

const apply = async (roster: Roster, container: Bytes): Promise<Roster> =>
  (await applyRoster(hash, roster, container)).roster;
const onHead = (roster: Roster): { roomId: RoomId; epoch: number; head: Bytes; owner: Roster['owner'] } => ({
  roomId: roster.roomId,
  epoch: roster.epoch,
  head: roster.head,
  owner: roster.owner,
});
const entry = <K extends BodyKind>(by: KeyPair, kind: K, body: Body<K>): Bytes => signBody(by, kind, body);
const remove = (by: KeyPair, roster: Roster, member: Person): Bytes =>
  entry(by, 'remove', { ...onHead(roster), member: member.id, reason: 'removed' });
const leaveRequest = (who: Person, roster: Roster, over: Partial<Body<'leaveRequest'>> = {}): Bytes =>
  entry(who.identity, 'leaveRequest', {
    roomId: roster.roomId,
    member: who.id,
    admit: roster.members.get(who.id)!.admit,
    ...over,
  });
const leave = (by: KeyPair, roster: Roster, member: Person, request = leaveRequest(member, roster)): Bytes =>
  entry(by, 'leave', { ...onHead(roster), member: member.id, request });
const acceptance = (who: Person, roster: Roster, over: Partial<Body<'transferAcceptance'>> = {}): Bytes =>
  entry(who.identity, 'transferAcceptance', {
    roomId: roster.roomId,
    epoch: roster.epoch,
    old: roster.owner,
    new: who.id,
    nonce: random.bytes(16),
    ...over,
  });
const transfer = (by: KeyPair, roster: Roster, to: Person, accepted = acceptance(to, roster)): Bytes =>
  entry(by, 'transfer', { ...onHead(roster), to: to.id, acceptance: accepted });

describe('genesis', () => {
  it('makes a roster of one, and the room id from its body', async () => {
    const room = await createGenesis(ports, { settings: SETTINGS });
    const roster = await startRoster(hash, room.container);
    expect(roster).toMatchObject({
      roomId: room.roomId,
      length: 1,
      closed: false,
      settings: SETTINGS,
      nonce: room.nonce,
    });
    expect(toBase64Url(roster.head.subarray(0, 16))).toBe(room.roomId);
    const [founder] = roster.members.values();
    expect(founder).toMatchObject({
      memberId: roster.owner,
      key: room.identity.publicKey,
      admit: roster.head,
      epoch: 1,
    });
  });

  it('by another key than it names is refused', async () => {
    const mallory = generateKeyPair();
    const body: Body<'genesis'> = {
      version: PROTOCOL_VERSION,
      ownerKey: world.owner.identity.publicKey,
      nonce: random.bytes(32),
      keyHash: random.bytes(32),
      settings: SETTINGS,
    };
    expect(await codeOf(() => startRoster(hash, signBody(mallory, 'genesis', body)))).toBe('BAD_SIGNATURE');
    const notAKey = { ...body, ownerKey: random.bytes(45) };
    expect(await codeOf(() => startRoster(hash, signBody(mallory, 'genesis', notAKey)))).toBe('BAD_KEY');
  });

  it('that is another kind of entry is refused', async () => {
    expect(await codeOf(() => startRoster(hash, world.chain[1]!))).toBe('UNKNOWN_KIND');
  });
});

describe('admit', () => {
  it('adds the member, and gives its verified first prekey', async () => {
    const { roster, bob, room } = world;
    const member = roster.members.get(bob.id);
    expect(member).toMatchObject({ key: bob.identity.publicKey, epoch: 1 });
    const dora = await person(roster.roomId);
    const container = admitEntry(room.identity, roster, dora, { epoch: 3 });
    const { roster: next, change } = await applyRoster(hash, roster, container);
    expect(change).toMatchObject({ kind: 'admit', member: dora.id, epoch: 3, prekey: dora.prekeyContainer });
    expect(next.length).toBe(roster.length + 1);
    expect(next.head).toEqual(next.members.get(dora.id)?.admit);
  });

  it('G2: of a second key on one invite is refused, also once the first is gone', async () => {
    const { roster, room } = world;
    const [dora, eve] = [await person(roster.roomId), await person(roster.roomId)];
    const inviteId = 'BBBBBBBBBBBBBBBBBBBBBA' as Body<'admit'>['inviteId'];
    const admitted = await apply(roster, admitEntry(room.identity, roster, dora, { inviteId }));
    const gone = await apply(admitted, remove(room.identity, admitted, dora));
    for (const at of [admitted, gone, decodeRoster(encodeRoster(gone))]) {
      const second = admitEntry(room.identity, at, eve, { inviteId });
      expect(await codeOf(() => applyRoster(hash, at, second))).toBe('BAD_ENTRY');
    }
  });

  it('of a member, a former member, or into a full room is refused', async () => {
    const { roster, bob, room } = world;
    expect(await codeOf(() => applyRoster(hash, roster, admitEntry(room.identity, roster, bob)))).toBe(
      'ALREADY_MEMBER',
    );
    const without = await apply(roster, remove(room.identity, roster, bob));
    expect(await codeOf(() => applyRoster(hash, without, admitEntry(room.identity, without, bob)))).toBe(
      'WAS_MEMBER',
    );
    const small = await makeWorld({ ...SETTINGS, maxMembers: 3 });
    const dora = await person(small.roomId);
    expect(
      await codeOf(() =>
        applyRoster(hash, small.roster, admitEntry(small.room.identity, small.roster, dora)),
      ),
    ).toBe('ROOM_FULL');
  });

  it('needs a prekey that the joiner signed for this room, as number 1', async () => {
    const { roster, roomId, carol, room } = world;
    const dora = await person(roomId);
    const prekeyOf = async (over: Partial<Parameters<typeof makePrekey>[1]>): Promise<Bytes> =>
      (await makePrekey(ports, { identity: dora.identity, roomId, memberId: dora.id, k: 1, ...over })).prekey;
    const ekHash = random.bytes(32);
    const attempts: [string, Bytes][] = [
      ['BAD_SIGNATURE', await prekeyOf({ identity: carol.identity })],
      ['BAD_SIGNATURE', room.container],
      ['BAD_ENTRY', await prekeyOf({ roomId: newRoomId() })],
      ['BAD_ENTRY', await prekeyOf({ memberId: carol.id })],
      ['BAD_ENTRY', await prekeyOf({ k: 2 })],
      [
        'BAD_KEY',
        signBody(dora.identity, 'prekey', { roomId, memberId: dora.id, k: 1, key: random.bytes(45), ekHash }),
      ],
      [
        'UNKNOWN_KIND',
        signBody(dora.identity, 'needKey', {
          roomId,
          memberId: dora.id,
          epoch: 1,
          rotation: random.bytes(32),
          prekey: dora.prekey.publicKey,
          ek: random.bytes(1_184),
          nonce: random.bytes(16),
          failed: [],
        }),
      ],
      ['MALFORMED', dora.prekeyContainer.slice(1)],
      ['MALFORMED', appended(dora.prekeyContainer, 0)],
    ];
    for (const [code, prekey] of attempts) {
      expect(
        await codeOf(() => applyRoster(hash, roster, admitEntry(room.identity, roster, dora, { prekey }))),
      ).toBe(code);
    }
    expect(
      await codeOf(() =>
        applyRoster(hash, roster, admitEntry(room.identity, roster, dora, { key: random.bytes(45) })),
      ),
    ).toBe('BAD_KEY');
  });
});

describe('remove and leave', () => {
  it('move a member to the former, with how it went', async () => {
    const { roster, bob, carol, room } = world;
    const one = await apply(roster, remove(room.identity, roster, bob));
    expect(one.members.has(bob.id)).toBe(false);
    expect(one.former.get(bob.id)).toEqual({ key: bob.identity.publicKey, how: 'removed' });
    const { roster: two, change } = await applyRoster(hash, one, leave(room.identity, one, carol));
    expect(change).toEqual({ kind: 'leave', epoch: 2, member: carol.id });
    expect(two.former.get(carol.id)?.how).toBe('left');
    expect([...two.members.keys()]).toEqual([roster.owner]);
  });

  it('never concern the owner, a stranger or somebody gone', async () => {
    const { roster, owner, bob, room } = world;
    const dora = await person(roster.roomId);
    expect(await codeOf(() => applyRoster(hash, roster, remove(room.identity, roster, owner)))).toBe(
      'BAD_ENTRY',
    );
    expect(await codeOf(() => applyRoster(hash, roster, leave(room.identity, roster, owner)))).toBe(
      'BAD_ENTRY',
    );
    expect(await codeOf(() => applyRoster(hash, roster, remove(room.identity, roster, dora)))).toBe(
      'BAD_ENTRY',
    );
    const without = await apply(roster, remove(room.identity, roster, bob));
    expect(await codeOf(() => applyRoster(hash, without, remove(room.identity, without, bob)))).toBe(
      'BAD_ENTRY',
    );
  });

  it('leave needs the leaver’s own request, for this room and this admission', async () => {
    const { roster, bob, carol, room } = world;
    const attempts: [string, Bytes][] = [
      ['BAD_SIGNATURE', leaveRequest({ ...bob, identity: room.identity }, roster)],
      ['BAD_SIGNATURE', leaveRequest(carol, roster)],
      ['BAD_ENTRY', leaveRequest(bob, roster, { member: carol.id })],
      ['BAD_ENTRY', leaveRequest(bob, roster, { roomId: newRoomId() })],
      ['BAD_ENTRY', leaveRequest(bob, roster, { admit: random.bytes(32) })],
      ['UNKNOWN_KIND', bob.prekeyContainer],
    ];
    for (const [code, request] of attempts) {
      expect(await codeOf(() => applyRoster(hash, roster, leave(room.identity, roster, bob, request)))).toBe(
        code,
      );
    }
  });
});

describe('transfer', () => {
  it('makes the new owner the only one who signs from there on', async () => {
    const { roster, bob, carol, room } = world;
    const { roster: next, change } = await applyRoster(hash, roster, transfer(room.identity, roster, bob));
    expect(change).toEqual({ kind: 'transfer', epoch: 1, from: roster.owner, to: bob.id });
    expect(next.members.size).toBe(roster.members.size);
    expect(await codeOf(() => applyRoster(hash, next, remove(room.identity, next, carol)))).toBe(
      'BAD_SIGNATURE',
    );
    expect((await apply(next, remove(bob.identity, next, carol))).members.has(carol.id)).toBe(false);
    // The old owner is a member like any other now.
    expect((await apply(next, leave(bob.identity, next, world.owner))).members.size).toBe(2);
  });

  it('needs the new owner’s consent to this very hand-over', async () => {
    const { roster, owner, bob, carol, room } = world;
    const attempts: [string, Bytes][] = [
      ['BAD_SIGNATURE', acceptance({ ...bob, identity: room.identity }, roster)],
      ['BAD_ENTRY', acceptance(carol, roster)],
      ['BAD_ENTRY', acceptance(bob, roster, { roomId: newRoomId() })],
      ['BAD_ENTRY', acceptance(bob, roster, { old: carol.id })],
      ['BAD_ENTRY', acceptance(owner, roster)],
      ['BAD_ENTRY', acceptance(bob, roster, { epoch: roster.epoch + 1 })],
      [
        'UNKNOWN_KIND',
        entry(room.identity, 'transferOffer', {
          roomId: roster.roomId,
          head: roster.head,
          old: owner.id,
          new: bob.id,
          nonce: random.bytes(16),
        }),
      ],
    ];
    for (const [code, accepted] of attempts) {
      expect(
        await codeOf(() => applyRoster(hash, roster, transfer(room.identity, roster, bob, accepted))),
      ).toBe(code);
    }
  });

  it('uses an acceptance once: the room does not go out again on an old one', async () => {
    const { roster, owner, bob, room } = world;
    const accepted = acceptance(bob, roster);
    const there = await apply(roster, transfer(room.identity, roster, bob, accepted));
    const back = await apply(there, transfer(bob.identity, there, owner));
    expect(await codeOf(() => applyRoster(hash, back, transfer(room.identity, back, bob, accepted)))).toBe(
      'BAD_ENTRY',
    );
    expect((await apply(back, transfer(room.identity, back, bob))).owner).toBe(bob.id);
  });

  it('holds an acceptance of its own epoch: it ends with a rotation, for whoever kept it', async () => {
    const { roster, bob, room } = world;
    const kept = acceptance(bob, roster);
    const later = { ...onHead(roster), epoch: roster.epoch + 1, to: bob.id };
    const on = (accepted: Bytes): Bytes =>
      entry(room.identity, 'transfer', { ...later, acceptance: accepted });
    expect(await codeOf(() => applyRoster(hash, roster, on(kept)))).toBe('BAD_ENTRY');
    const renewed = acceptance(bob, roster, { epoch: later.epoch });
    expect((await apply(roster, on(renewed))).owner).toBe(bob.id);
  });
});

describe('settings and close', () => {
  it('settings replace the settings', async () => {
    const { roster, room } = world;
    const settings = { ...SETTINGS, rotateEvery: 7 };
    const next = await apply(roster, entry(room.identity, 'settings', { ...onHead(roster), settings }));
    expect(next.settings).toEqual(settings);
  });

  it('nothing follows close', async () => {
    const { roster, bob, room } = world;
    const closed = await apply(roster, entry(room.identity, 'close', onHead(roster)));
    expect(closed.closed).toBe(true);
    expect(await codeOf(() => applyRoster(hash, closed, remove(room.identity, closed, bob)))).toBe(
      'ROOM_CLOSED',
    );
    expect(await codeOf(() => applyRoster(hash, closed, entry(room.identity, 'close', onHead(closed))))).toBe(
      'ROOM_CLOSED',
    );
  });
});

describe('G11: any entry', () => {
  const everyKind = (roster: Roster, by: KeyPair, over: Partial<ReturnType<typeof onHead>>): Bytes[] => {
    const { bob } = world;
    const at = { ...onHead(roster), ...over };
    return [
      entry(by, 'admit', {
        ...at,
        key: bob.identity.publicKey,
        prekey: bob.prekeyContainer,
        inviteId: 'AAAAAAAAAAAAAAAAAAAAAA' as Body<'admit'>['inviteId'],
      }),
      entry(by, 'remove', { ...at, member: bob.id, reason: 'removed' }),
      entry(by, 'leave', { ...at, member: bob.id, request: leaveRequest(bob, roster) }),
      entry(by, 'transfer', { ...at, to: bob.id, acceptance: acceptance(bob, roster) }),
      entry(by, 'settings', { ...at, settings: SETTINGS }),
      entry(by, 'close', at),
    ];
  };

  it('by a member, by a stranger: refused', async () => {
    for (const by of [world.bob.identity, generateKeyPair()]) {
      for (const container of everyKind(world.roster, by, {})) {
        expect(await codeOf(() => applyRoster(hash, world.roster, container))).toBe('BAD_SIGNATURE');
      }
    }
  });

  it('on another head, for another room, in another owner’s name: refused', async () => {
    const { roster, room, bob } = world;
    const wrong: [string, Partial<ReturnType<typeof onHead>>][] = [
      ['STALE_HEAD', { head: random.bytes(32) }],
      ['BAD_ENTRY', { roomId: newRoomId() }],
      ['BAD_ENTRY', { owner: bob.id }],
    ];
    for (const [code, over] of wrong) {
      for (const container of everyKind(roster, room.identity, over)) {
        expect(await codeOf(() => applyRoster(hash, roster, container))).toBe(code);
      }
    }
  });

  it('a second time: refused, because the head has moved', async () => {
    const { roster, room } = world;
    const container = entry(room.identity, 'settings', { ...onHead(roster), settings: SETTINGS });
    const next = await apply(roster, container);
    expect(await codeOf(() => applyRoster(hash, next, container))).toBe('STALE_HEAD');
  });

  it('of another kind than a roster entry: refused', async () => {
    const { roster, room, owner } = world;
    for (const container of [world.chain[0]!, owner.prekeyContainer]) {
      expect(await codeOf(() => applyRoster(hash, roster, container))).toBe('UNKNOWN_KIND');
    }
    expect(
      await codeOf(() =>
        applyRoster(
          hash,
          roster,
          signBody(room.identity, 'leaveRequest', {
            roomId: roster.roomId,
            member: owner.id,
            admit: roster.head,
          }),
        ),
      ),
    ).toBe('UNKNOWN_KIND');
  });

  it('with any bit flipped: refused, and the roster that it was applied to stays as it was', async () => {
    const { roster, room, bob } = world;
    const before = encodeRoster(roster);
    const container = remove(room.identity, roster, bob);
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * container.length - 1), async (bit) => {
        await codeOf(() => applyRoster(hash, roster, flipBit(container, bit)));
      }),
      { numRuns: 40 },
    );
    await apply(roster, container);
    expect(encodeRoster(roster)).toEqual(before);
  });
});

describe('a chain', () => {
  it('reads to the same roster as its entries one by one', async () => {
    expect(await readChain(hash, world.roomId, world.chain)).toEqual(world.roster);
  });

  it('of another room, in another order, with an entry left out or twice: refused', async () => {
    const [genesis, first, second] = world.chain as [Bytes, Bytes, Bytes];
    expect(await codeOf(() => readChain(hash, newRoomId(), world.chain))).toBe('BAD_ENTRY');
    expect(await codeOf(() => readChain(hash, world.roomId, []))).toBe('BAD_ENTRY');
    expect(await codeOf(() => readChain(hash, world.roomId, [first, second]))).toBe('UNKNOWN_KIND');
    for (const wrong of [
      [genesis, second, first],
      [genesis, second],
      [genesis, first, first, second],
    ]) {
      expect(await codeOf(() => readChain(hash, world.roomId, wrong))).toBe('STALE_HEAD');
    }
    // A prefix is a chain: that it is not the whole one shows by the head.
    expect((await readChain(hash, world.roomId, [genesis, first])).head).not.toEqual(world.roster.head);
  });
});

describe('an entry of a later version', () => {
  const raw = async (kind: string, fields: Record<string, CborValue>): Promise<Roster> => {
    const onHead = {
      roomId: world.roster.roomId,
      epoch: world.roster.epoch,
      head: world.roster.head,
      owner: world.owner.id,
    };
    const container = signAnything(
      world.owner.identity,
      encodeCbor([`0fc/2/${kind}`, { ...onHead, ...fields }]),
    );
    return (await applyRoster(hash, world.roster, container)).roster;
  };

  it('with a field that is not known is believed, and says so from then on', async () => {
    expect(world.roster.newer).toBe(false);
    const after = await raw('remove', { member: world.bob.id, reason: 'removed', why: 'later' });
    expect(after).toMatchObject({ newer: true, length: world.roster.length + 1 });
    expect(after.members.has(world.bob.id)).toBe(false);
    expect((await raw('remove', { member: world.bob.id, reason: 'removed', 'x-why': 'later' })).newer).toBe(
      false,
    );
    const stored = decodeRoster(encodeRoster(after));
    expect(stored.newer).toBe(true);
  });

  it('raises the version of the room, and never lowers it', async () => {
    expect(await raw('upgrade', { version: 3 })).toMatchObject({ version: 3, newer: true });
    expect(await codeOf(() => raw('upgrade', { version: 2 }))).toBe('MALFORMED');
    const later = { ...world.roster, version: 7 };
    const container = signBody(world.owner.identity, 'upgrade', {
      roomId: later.roomId, epoch: later.epoch, head: later.head, owner: world.owner.id, version: 7,
    }); // prettier-ignore
    expect(await codeOf(() => applyRoster(hash, later, container))).toBe('BAD_ENTRY');
  });
});

describe('a stored roster', () => {
  it('decodes to what was encoded, former members and acceptances included', async () => {
    const { roster, bob, carol, room } = world;
    const one = await apply(roster, remove(room.identity, roster, carol));
    const two = await apply(one, transfer(room.identity, one, bob));
    const closed = await apply(two, entry(bob.identity, 'close', onHead(two)));
    for (const each of [roster, one, two, closed]) {
      expect(decodeRoster(encodeRoster(each))).toEqual(each);
      expect(structuredClone(each)).toEqual(each);
    }
  });

  it('of a room of version 1 says so', () => {
    const fields = decodeCbor(encodeRoster(world.roster)) as CborValue[];
    // It took more members, and had everybody's first prekey.
    const settings = { ...world.roster.settings, maxMembers: 1_000 };
    const members = (fields[8] as CborValue[][]).map(([id, key, admit, epoch]) => [
      id!, key!, admit!, random.bytes(45), random.bytes(200), epoch!,
    ]); // prettier-ignore
    const first = [
      1,
      ...fields.slice(1, 4),
      settings,
      ...fields.slice(5, 8),
      members,
      ...fields.slice(9, -2),
    ];
    expect(decodeRoster(encodeCbor(first))).toEqual({ ...world.roster, settings, version: 1 });
    expect(world.roster.version).toBe(2);
  });

  it('that is cut, changed in shape or something else is refused', async () => {
    const whole = encodeRoster(world.roster);
    for (const wrong of [
      new Uint8Array(),
      whole.slice(0, -1),
      appended(whole, 0),
      Uint8Array.of(0x80),
      Uint8Array.of(...whole.subarray(0, 1), 1, ...whole.subarray(2)),
      Uint8Array.of(...whole.subarray(0, 1), 3, ...whole.subarray(2)),
    ]) {
      expect(await codeOf(() => decodeRoster(wrong))).toBe('MALFORMED');
    }
  });
});
