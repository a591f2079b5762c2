/** docs/protocol.md section 2: signed containers, keys, ids. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { BODIES, decodeBody, encodeBody, type Body, type BodyKind, type Bytes } from '@0fc/protocol';
import { generateKeyPair, signBody } from '../keys/index.js';
import {
  bodyHash,
  containerBody,
  fingerprintOf,
  memberIdOf,
  parsePublicKey,
  verifyContainer,
} from './index.js';
import { sampleBodies } from '../bodies.spec-support.js';
import {
  appended, codeOf, flipBit, hash, makeWorld, otherBodies, random, refusal, withBody,
} from '../world.spec-support.js'; // prettier-ignore

const world = await makeWorld();
const { identity } = world.bob;
const samples = await sampleBodies(world);
const kinds = Object.keys(BODIES) as BodyKind[];

/** CRC-32C as Themis's key containers have it: lets a spec make keys that only the curve refuses. */
function withChecksum(key: Bytes): Bytes {
  const copy = Uint8Array.from(key).fill(0, 8, 12);
  let crc = 0xffffffff;
  for (const byte of copy) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  new DataView(copy.buffer).setUint32(8, ~crc >>> 0, true);
  return copy;
}

/** A canonical key whose x coordinate belongs to no point, or to another one. */
const offCurve = (): Bytes => withChecksum(Uint8Array.from(identity.publicKey).fill(0xff, 13));

describe('signed containers', () => {
  it('give back what was signed, for any body', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 64, unit: 'binary' }), fc.nat(1e6), (text, n) => {
        const body: Body<'message'> = { ...samples.message, n: n + 1, content: { type: 'text', text } };
        const container = signBody(identity, 'message', body);
        expect(decodeBody(verifyContainer(identity.publicKey, container), 'message').body).toEqual(body);
      }),
      { numRuns: 30 },
    );
  });

  it('sign the canonical encoding of the body, and nothing raw', () => {
    const container = signBody(identity, 'prekey', samples.prekey);
    expect(containerBody(container)).toEqual(encodeBody('prekey', samples.prekey));
  });

  it.each(kinds)('of kind %s do not verify with any field changed', async (kind) => {
    const container = signBody(identity, kind, samples[kind]);
    const others = otherBodies(kind, samples[kind]);
    // The version of genesis has one value; another one is no body of this version.
    const fixed = kind === 'genesis' ? 'version' : '';
    const free = Object.keys(BODIES[kind].entries).filter((field) => field !== fixed);
    expect(new Set(others.map(({ field }) => field))).toEqual(new Set(free));
    for (const { body } of others) {
      const forged = withBody(container, encodeBody(kind, body));
      expect(await codeOf(() => verifyContainer(identity.publicKey, forged))).toBe('BAD_SIGNATURE');
    }
  });

  it.each(kinds)('of kind %s pass as no other kind', async (kind) => {
    const body = verifyContainer(identity.publicKey, signBody(identity, kind, samples[kind]));
    for (const other of kinds.filter((candidate) => candidate !== kind)) {
      expect(await codeOf(() => decodeBody(body, other))).toBe('UNKNOWN_KIND');
      const relabelled = withBody(signBody(identity, kind, samples[kind]), encodeBody(other, samples[other]));
      expect(await codeOf(() => verifyContainer(identity.publicKey, relabelled))).toBe('BAD_SIGNATURE');
    }
  });

  it('verify under no other key', async () => {
    const container = signBody(identity, 'prekey', samples.prekey);
    expect(await codeOf(() => verifyContainer(world.carol.identity.publicKey, container))).toBe(
      'BAD_SIGNATURE',
    );
  });

  it('do not verify with any bit flipped', async () => {
    const container = signBody(identity, 'close', samples.close);
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * container.length - 1), async (bit) => {
        const code = await codeOf(() => verifyContainer(identity.publicKey, flipBit(container, bit)));
        expect(['BAD_SIGNATURE', 'MALFORMED']).toContain(code);
      }),
      { numRuns: 60 },
    );
  });

  it('have exactly one length', async () => {
    const container = signBody(identity, 'close', samples.close);
    for (const wrong of [
      appended(container, 0),
      appended(container, ...container),
      container.subarray(0, -1),
      container.subarray(0, 12),
      container.subarray(1),
      new Uint8Array(),
    ]) {
      expect(await codeOf(() => containerBody(wrong))).toBe('MALFORMED');
      expect(await codeOf(() => verifyContainer(identity.publicKey, wrong))).toBe('MALFORMED');
    }
    // A longer signature field would be trailing bytes by another name.
    const longer = appended(container, 0, 0, 0, 0);
    const view = new DataView(longer.buffer);
    view.setUint32(8, view.getUint32(8, true) + 4, true);
    expect(['MALFORMED', 'BAD_SIGNATURE']).toContain(
      await codeOf(() => verifyContainer(identity.publicKey, longer)),
    );
  });

  it('survive arbitrary bytes with a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => {
        await refusal(() => verifyContainer(identity.publicKey, noise));
        await refusal(() => parsePublicKey(noise));
      }),
      { numRuns: 100 },
    );
  });

  it('are named by their body, not by their signature', async () => {
    const [one, two] = [
      signBody(identity, 'close', samples.close),
      signBody(identity, 'close', samples.close),
    ];
    expect(one).not.toEqual(two);
    expect(await bodyHash(hash, one)).toEqual(await bodyHash(hash, two));
  });
});

describe('public keys', () => {
  it('are 45 canonical bytes, and nothing else', async () => {
    const key = generateKeyPair().publicKey;
    expect(parsePublicKey(key)).toEqual(key);
    expect(parsePublicKey(key)).not.toBe(key);
    const wrong = [
      new Uint8Array(),
      key.subarray(0, -1),
      appended(key, 0),
      generateKeyPair().privateKey,
      withChecksum(Uint8Array.from(key).fill(4, 12, 13)),
      withChecksum(Uint8Array.from(key).fill(0, 12, 13)),
      withChecksum(flipBit(key, 7)),
      withChecksum(flipBit(key, 8 * 3)),
      withChecksum(flipBit(key, 8 * 7)),
      // checksum
      flipBit(key, 8 * 9),
      flipBit(key, 8 * 40),
      random.bytes(45),
    ];
    for (const bytes of wrong) expect(await codeOf(() => parsePublicKey(bytes))).toBe('BAD_KEY');
  });

  it('that are no point of the curve show in use, as a bad key', async () => {
    const container = signBody(identity, 'close', samples.close);
    expect(parsePublicKey(offCurve())).toEqual(offCurve());
    expect(await codeOf(() => verifyContainer(offCurve(), container))).toBe('BAD_KEY');
  });

  it('have ids and fingerprints made of their hash', async () => {
    const digest = await hash.sha256(identity.publicKey);
    expect(await memberIdOf(hash, identity.publicKey)).toBe(
      Buffer.from(digest.subarray(0, 16)).toString('base64url'),
    );
    expect(await fingerprintOf(hash, identity.publicKey)).toBe(
      Buffer.from(digest.subarray(0, 8)).toString('hex').toUpperCase(),
    );
  });
});
