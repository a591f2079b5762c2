/** Rotations of large rooms (docs/decisions/0036): the largest in one frame, and one spoilt wrap among many. */
import { splitForFrames } from '../link/split.js';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { encodeSessionFrame, LIMITS, type Bytes, type MemberId } from '@0fc/protocol';
import { verifyRotation, type Roster, type RosterMember } from '../verify/index.js';
import {
  alarmOf, firstPrekeys, flipBit, hash, makeWorld, newMemberId, newRoomId, ports, random,
} from '../world.spec-support.js'; // prettier-ignore
import {
  asRoomKey, generateHybridKeyPair, generateKeyPair, type HybridKeyPair, hybridPublicKey, makePrekey, makeRotation,
  openRotation, sealWrap,
} from './index.js'; // prettier-ignore

/** What counts on from there needs no more bytes in CBOR. */
const LARGEST = Number.MAX_SAFE_INTEGER;

beforeAll(() => {
  expect(LIMITS.prekeyNumber).toBeLessThan(LARGEST);
});

describe('the largest room', () => {
  const longest = (): Promise<Bytes> =>
    sealWrap(ports, {
      roomId: newRoomId(),
      newEpoch: LARGEST,
      memberId: newMemberId(),
      ephemeral: generateKeyPair(),
      prekey: { k: LIMITS.prekeyNumber, ...hybridPublicKey(generateHybridKeyPair(random)) },
      oldKey: asRoomKey(random.bytes(32)),
      newKey: asRoomKey(random.bytes(32)),
    });
  const ofAll = <T>(value: T): readonly (readonly [MemberId, T])[] =>
    Array.from({ length: LIMITS.maxMembers }, () => [newMemberId(), value] as const);

  it('has no wrap that the wire does not take', async () => {
    const { length } = await longest();
    expect(length).toBeLessThanOrEqual(LIMITS.wrapBytes);
    // Else the limit could be lower.
    expect(length).toBeGreaterThan(LIMITS.wrapBytes - 64);
  });

  it('is rotated in one frame: the longest parts, entry and wraps', () => {
    const rotation = {
      clear: random.bytes(LIMITS.clearBytes),
      payload: random.bytes(LIMITS.payloadBytes),
      wraps: Object.fromEntries(ofAll(random.bytes(LIMITS.wrapBytes))),
    };
    const body = { entry: random.bytes(LIMITS.containerBytes), rotation };
    const message = { q: LARGEST, kind: 'roster', body };
    expect(splitForFrames([message])).toEqual([[message]]);
    expect(() => encodeSessionFrame(LARGEST, [message])).not.toThrow();
  });

  it('has its prekeys told in one frame', async () => {
    const identity = generateKeyPair();
    const place = { identity, roomId: newRoomId(), memberId: newMemberId(), k: LIMITS.prekeyNumber };
    const { prekey, ek } = await makePrekey(ports, place);
    const prekeys = ofAll({ prekey, ek }).map(([memberId, published]) => ({ memberId, prekey: published }));
    const message = { r: LARGEST, body: { prekeys } };
    expect(splitForFrames([message])).toEqual([[message]]);
    expect(() => encodeSessionFrame(LARGEST, [message])).not.toThrow();
  });
});

describe('a room of 200', () => {
  it('loses one member to one bit of one wrap: that one shows it, and the others have the key', async () => {
    const { roster: alone, owner, bob, carol, room } = await makeWorld();
    const people = new Map<MemberId, HybridKeyPair>([owner, bob, carol].map((who) => [who.id, who.prekey]));
    const members = new Map<MemberId, RosterMember>(alone.members);
    const prekeys = firstPrekeys(owner, bob, carol);
    while (members.size < 200) {
      const memberId = newMemberId();
      const pair = generateHybridKeyPair(random);
      people.set(memberId, pair);
      prekeys.set(memberId, { k: 1, ...hybridPublicKey(pair) });
      // No chain admits them: a rotation asks for nobody's key but the owner's.
      members.set(memberId, { memberId, key: random.bytes(45), admit: alone.head, epoch: 1 });
    }
    const roster: Roster = { ...alone, members };
    const { command, newKey } = await makeRotation(ports, {
      identity: owner.identity, roster, epoch: 1, roomKey: room.roomKey, base: null, prekeys, least: new Map(),
    }); // prettier-ignore
    const { payload, wraps } = command;
    const ids = [...people.keys()];
    const at = random.bytes(4).reduce((sum, byte) => 256 * sum + byte, 0);
    const unlucky = ids[at % ids.length]!;
    const spoilt = flipBit(wraps[unlucky]!, at % (8 * wraps[unlucky]!.length));
    const rotation = await verifyRotation(hash, roster, 1, command.clear, payload);
    for (const [memberId, pair] of people) {
      const wrap = memberId === unlucky ? spoilt : wraps[memberId];
      const opened = openRotation(hash, {
        roster, rotation, payload, wrap, oldKey: room.roomKey, memberId, prekeys: new Map([[1, pair]]),
      }); // prettier-ignore
      if (memberId === unlucky) expect([at, await alarmOf(() => opened)]).toEqual([at, 'ALARM_NO_KEY']);
      else expect(await opened).toEqual({ key: newKey, k: 1 });
    }
  });
});
