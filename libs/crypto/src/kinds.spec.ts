/**
 * docs/protocol.md section 2, G4: each kind of body in the place of each other, and each context in the place
 * of each other. What is sealed around some of them is in keys/seals.spec.ts.
 */
import { describe, expect, it } from '@jest/globals';
import {
  BODIES, CONTEXT_KINDS, ctx, encodeCbor, toBase64Url, type Body, type BodyKind, type Bytes,
} from '@0fc/protocol'; // prettier-ignore
import { asRoomKey, generateKeyPair, openProfile, signBody } from './keys/index.js';
import { openCell, sealCell } from './cell.js';
import {
  applyRoster, readSuccession, startRoster, SuccessionError, verifyKeyGrant, verifyLeaveRequest, verifyKeyRequest, checkPrekey, verifyRotation,
  verifyTransferAcceptance, verifyTransferOffer,
} from './verify/index.js'; // prettier-ignore
import { sampleBodies } from './bodies.spec-support.js';
import { codeOf, hash, makeWorld, random, refusal } from './world.spec-support.js';

const world = await makeWorld();
const { roster, roomId, owner, bob } = world;
const samples = await sampleBodies(world);
const kinds = Object.keys(BODIES) as BodyKind[];
const payload = random.bytes(80);

const next = generateKeyPair();
const succession = { old: bob.identity.publicKey, new: next.publicKey, origin: 'https://chat.example.org' };
const statement = (...containers: readonly Bytes[]): string => toBase64Url(encodeCbor(containers));

/** Bodies that are right in their own place, where the samples are not. */
const fitting: { readonly [K in BodyKind]?: Body<K> } = {
  rotation: { ...samples.rotation, payload: await hash.sha256(payload) },
  message: { ...samples.message, content: { type: 'profile', name: 'Bob' } },
  'relay-succession': succession,
};

interface Place {
  readonly name: string;
  readonly take: (container: Bytes) => unknown;
  readonly kinds: readonly BodyKind[];
  /** who signs there */
  readonly by: typeof bob;
}

const places: readonly Place[] = [
  { name: 'a genesis', take: (c) => startRoster(hash, c), kinds: ['genesis'], by: bob },
  {
    name: 'a roster entry',
    take: (c) => applyRoster(hash, roster, c),
    kinds: ['admit', 'remove', 'leave', 'transfer', 'settings', 'close', 'upgrade'],
    by: owner,
  },
  {
    name: 'a rotation',
    take: (c) => verifyRotation(hash, roster, 1, c, payload),
    kinds: ['rotation'],
    by: owner,
  },
  {
    name: 'a request to leave',
    take: (c) => verifyLeaveRequest(roster, bob.id, c),
    kinds: ['leaveRequest'],
    by: bob,
  },
  { name: 'an offer', take: (c) => verifyTransferOffer(roster, c), kinds: ['transferOffer'], by: owner },
  {
    name: 'an acceptance',
    take: (c) => verifyTransferAcceptance(roster, c),
    kinds: ['transferAcceptance'],
    by: bob,
  },
  {
    name: 'a prekey',
    take: (c) => checkPrekey({ roomId, memberId: bob.id, key: bob.identity.publicKey }, c),
    kinds: ['prekey'],
    by: bob,
  },
  { name: 'a needKey', take: (c) => verifyKeyRequest(roster, bob.id, c), kinds: ['needKey'], by: bob },
  { name: 'a keyGrant', take: (c) => verifyKeyGrant(roster, owner.id, c), kinds: ['keyGrant'], by: owner },
  {
    name: 'a statement of succession',
    // Beside one that the new key has signed: what is asked about is the other's.
    take: (c) => {
      try {
        readSuccession(statement(c, signBody(next, 'relay-succession', succession)));
      } catch (error) {
        // What is wrong with the container itself.
        throw error instanceof SuccessionError ? error.cause : error;
      }
    },
    kinds: ['relay-succession'],
    by: bob,
  },
  {
    name: 'a profile',
    take: (c) => openProfile(bob.identity.publicKey, roomId, c),
    kinds: ['message'],
    by: bob,
  },
];

const sign = (by: typeof bob, kind: BodyKind): Bytes =>
  signBody(by.identity, kind, fitting[kind] ?? samples[kind]);

/** Bob is a member already: his admission is the one sample that stands nowhere. */
const own = places.flatMap((place) =>
  place.kinds.filter((kind) => kind !== 'admit').map((kind) => ({ ...place, kind })),
);
const foreign = places.flatMap((place) =>
  kinds.filter((kind) => !place.kinds.includes(kind)).map((kind) => ({ ...place, kind })),
);

describe('G4: each signed kind in each place', () => {
  it.each(own)('$kind is taken as $name', async ({ take, by, kind }) => {
    await take(sign(by, kind));
  });

  it.each(foreign)(
    '$kind is not taken as $name, whoever signs it',
    async ({ take, by, kind, kinds: fit }) => {
      // The right hand with the wrong kind is refused for the kind.
      const code = await codeOf(() => take(sign(by, kind)));
      // A statement has less room than a hybrid key.
      const large = fit.includes('relay-succession') && sign(by, kind).length > 1_000;
      expect(code).toBe(large ? 'TOO_LARGE' : 'UNKNOWN_KIND');
      await refusal(() => take(sign(by === owner ? bob : owner, kind)));
    },
  );

  it('has every kind in a place of its own, here or inside a seal', () => {
    const sealed: readonly BodyKind[] = [
      'joinRequest',
      'joinReply',
      'joinConfirm',
      'signal',
      'rotationInner',
    ];
    expect([...places.flatMap((place) => place.kinds), ...sealed].sort()).toEqual([...kinds].sort());
  });
});

describe('G4: each context in the place of each', () => {
  it('opens as itself and as no other', () => {
    const key = asRoomKey(random.bytes(32));
    for (const made of CONTEXT_KINDS) {
      const sealed = sealCell(key, Uint8Array.of(1, 2, 3), ctx(made, roomId, 1, bob.id));
      for (const asked of CONTEXT_KINDS) {
        const open = (): Bytes => openCell(key, sealed, ctx(asked, roomId, 1, bob.id), { code: 'MALFORMED' });
        if (asked === made) expect(open()).toEqual(Uint8Array.of(1, 2, 3));
        else expect(open).toThrow('does not open');
      }
    }
  });
});
