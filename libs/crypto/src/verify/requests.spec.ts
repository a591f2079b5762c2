/** docs/protocol.md sections 4 and 7: signed statements of members, as the relay and the others check them. */
import { describe, expect, it } from '@jest/globals';
import type { Body, BodyKind, Bytes } from '@0fc/protocol';
import { signBody, type KeyPair } from '../keys/index.js';
import { sampleBodies } from '../bodies.spec-support.js';
import { codeOf, makeWorld, newMemberId, otherBodies, random } from '../world.spec-support.js';
import {
  verifyKeyGrant, verifyLeaveRequest, verifyNeedKey, verifyPrekey, verifyTransferAcceptance, verifyTransferOffer,
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
    verify: (c) => verifyPrekey(roster, bob.id, c),
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
    verify: (c) => verifyNeedKey(roster, bob.id, c),
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
    expect(await codeOf(() => verifyPrekey(roster, stranger, prekey))).toBe('BAD_ENTRY');
    expect(await codeOf(() => verifyNeedKey(roster, stranger, prekey))).toBe('BAD_ENTRY');
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
