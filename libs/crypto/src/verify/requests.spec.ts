/** docs/protocol.md sections 4 and 7: signed statements of members, as the relay and the others check them. */
import { describe, expect, it } from '@jest/globals';
import type { Body, BodyKind, Bytes } from '@0fc/protocol';
import { hybridPublicKey, makePrekey, signBody, type KeyPair } from '../keys/index.js';
import { sampleBodies } from '../bodies.spec-support.js';
import {
  appended,
  codeOf,
  flipBit,
  hash,
  makeWorld,
  newMemberId,
  otherBodies,
  ports,
  random,
} from '../world.spec-support.js';
import {
  checkPrekey, verifyKeyGrant, verifyLeaveRequest, verifyKeyRequest, verifyPrekey,
  verifyTransferAcceptance, verifyTransferOffer,
} from './index.js'; // prettier-ignore

const world = await makeWorld();
const { roster, owner, bob, carol } = world;
const samples = await sampleBodies(world);

interface Case {
  readonly kind: BodyKind;
  readonly by: KeyPair;
  readonly verify: (container: Bytes) => unknown;
  /** fields that another value may not take; the others are the signer's to choose */
  readonly bound: readonly string[];
}

const cases: Case[] = [
  {
    kind: 'prekey',
    by: bob.identity,
    verify: (c) => checkPrekey({ roomId: roster.roomId, memberId: bob.id, key: bob.identity.publicKey }, c),
    bound: ['roomId', 'memberId', 'key'],
  },
  {
    kind: 'leaveRequest',
    by: bob.identity,
    verify: (c) => verifyLeaveRequest(roster, bob.id, c),
    bound: ['roomId', 'member', 'admit'],
  },
  {
    kind: 'transferOffer',
    by: owner.identity,
    verify: (c) => verifyTransferOffer(roster, c),
    bound: ['roomId', 'old', 'new'],
  },
  {
    kind: 'transferAcceptance',
    by: bob.identity,
    verify: (c) => verifyTransferAcceptance(roster, c),
    bound: ['roomId', 'old', 'new'],
  },
  {
    kind: 'needKey',
    by: bob.identity,
    verify: (c) => verifyKeyRequest(roster, bob.id, c),
    bound: ['roomId', 'memberId', 'prekey'],
  },
  {
    kind: 'keyGrant',
    by: owner.identity,
    verify: (c) => verifyKeyGrant(roster, owner.id, c),
    bound: ['roomId', 'granter', 'memberId', 'ephemeral'],
  },
];

describe.each(cases)('a $kind', ({ kind, by, verify, bound }) => {
  it('verifies as its member signed it', () => {
    expect(verify(signBody(by, kind, samples[kind]))).toEqual(samples[kind]);
  });

  it('is refused from anybody else', async () => {
    expect(await codeOf(() => verify(signBody(carol.identity, kind, samples[kind])))).toBe('BAD_SIGNATURE');
  });

  it('is refused for another room or member, or with a key that is none', async () => {
    const fields = new Set<string>();
    for (const { field, body } of otherBodies(kind, samples[kind]).filter((other) =>
      bound.includes(other.field),
    )) {
      fields.add(field);
      // The last bit of a key is its point's: only use can tell.
      if (['key', 'prekey', 'ephemeral'].includes(field)) continue;
      expect(await codeOf(() => verify(signBody(by, kind, body)))).toBe('BAD_ENTRY');
    }
    for (const field of bound.filter((name) => ['key', 'prekey', 'ephemeral'].includes(name))) {
      const body = { ...samples[kind], [field]: random.bytes(45) };
      expect(await codeOf(() => verify(signBody(by, kind, body)))).toBe('BAD_KEY');
    }
    expect([...fields].sort()).toEqual([...bound].sort());
  });

  it('is no other kind', async () => {
    for (const other of (Object.keys(samples) as BodyKind[]).filter((name) => name !== kind)) {
      expect(await codeOf(() => verify(signBody(by, other, samples[other])))).toBe('UNKNOWN_KIND');
    }
  });
});

describe('who may not', () => {
  it('the owner leaves by nothing but a transfer or close', async () => {
    const body: Body<'leaveRequest'> = {
      ...samples.leaveRequest,
      member: owner.id,
      admit: roster.members.get(owner.id)!.admit,
    };
    expect(
      await codeOf(() =>
        verifyLeaveRequest(roster, owner.id, signBody(owner.identity, 'leaveRequest', body)),
      ),
    ).toBe('BAD_ENTRY');
  });

  it('nobody off the roster', async () => {
    const stranger = newMemberId();
    const prekey = signBody(bob.identity, 'prekey', samples.prekey);
    const { ek } = hybridPublicKey(bob.prekey);
    expect(await codeOf(() => verifyPrekey(hash, roster, stranger, { prekey, ek }))).toBe('BAD_ENTRY');
    expect(await codeOf(() => verifyKeyRequest(roster, stranger, prekey))).toBe('BAD_ENTRY');
    expect(await codeOf(() => verifyLeaveRequest(roster, stranger, prekey))).toBe('BAD_ENTRY');
    expect(await codeOf(() => verifyKeyGrant(roster, stranger, prekey))).toBe('BAD_ENTRY');
  });

  it('members do not grant to members, nor anybody to itself', async () => {
    const between: Body<'keyGrant'> = { ...samples.keyGrant, granter: bob.id, memberId: carol.id };
    expect(
      await codeOf(() => verifyKeyGrant(roster, bob.id, signBody(bob.identity, 'keyGrant', between))),
    ).toBe('BAD_ENTRY');
    const self: Body<'keyGrant'> = { ...samples.keyGrant, memberId: owner.id };
    expect(
      await codeOf(() => verifyKeyGrant(roster, owner.id, signBody(owner.identity, 'keyGrant', self))),
    ).toBe('BAD_ENTRY');
    const toOwner: Body<'keyGrant'> = { ...samples.keyGrant, granter: bob.id, memberId: owner.id };
    expect(verifyKeyGrant(roster, bob.id, signBody(bob.identity, 'keyGrant', toOwner))).toEqual(toOwner);
  });

  it('nobody accepts an offer to somebody else, or offers to the owner', async () => {
    const offer: Body<'transferOffer'> = { ...samples.transferOffer, new: owner.id };
    expect(
      await codeOf(() => verifyTransferOffer(roster, signBody(owner.identity, 'transferOffer', offer))),
    ).toBe('BAD_ENTRY');
    const stranger: Body<'transferOffer'> = { ...samples.transferOffer, new: newMemberId() };
    expect(
      await codeOf(() => verifyTransferOffer(roster, signBody(owner.identity, 'transferOffer', stranger))),
    ).toBe('BAD_ENTRY');
  });
});

it('a needKey has an encapsulation key that can be encrypted to', async () => {
  const { ek } = samples.needKey;
  for (const bad of [new Uint8Array(1_184), Uint8Array.of(0xff, 0xff, ...ek.subarray(2))]) {
    const container = signBody(bob.identity, 'needKey', { ...samples.needKey, ek: bad });
    expect(await codeOf(() => verifyKeyRequest(roster, bob.id, container))).toBe('BAD_KEY');
  }
});

describe('the encapsulation key beside a prekey', () => {
  const place = { identity: bob.identity, roomId: roster.roomId, memberId: bob.id, k: 4 };
  const made = makePrekey(ports, place);
  const verify = async (ek: Bytes, prekey?: Bytes) =>
    verifyPrekey(hash, roster, bob.id, { prekey: prekey ?? (await made).prekey, ek });
  const signedFor = async (ek: Bytes): Promise<Bytes> => {
    const { publicKey: key } = (await made).keyPair;
    const fields = { roomId: roster.roomId, memberId: bob.id, k: 4, key, ekHash: await hash.sha256(ek) };
    return signBody(bob.identity, 'prekey', fields);
  };

  it('comes with its number and the curve key', async () => {
    const { keyPair, ek } = await made;
    expect(await verify(ek)).toEqual({ k: 4, ...hybridPublicKey(keyPair) });
  });

  it('is the one that was signed for', async () => {
    const { ek } = await made;
    for (const other of [
      flipBit(ek, 0),
      flipBit(ek, 8 * 1_184 - 1),
      ek.slice(1),
      appended(ek, 0),
      new Uint8Array(),
    ])
      expect(await codeOf(() => verify(other))).toBe('BAD_KEY');
  });

  it('is a key that can be encrypted to, whoever signed for it', async () => {
    const { ek } = await made;
    // A coefficient of 4,095, nothing but zeros, another length.
    const high = Uint8Array.of(0xff, 0xff, ...ek.subarray(2));
    for (const bad of [high, new Uint8Array(1_184), ek.slice(1), appended(ek, 0), new Uint8Array()])
      expect(await codeOf(async () => verify(bad, await signedFor(bad)))).toBe('BAD_KEY');
  });
});
