/** Hybrid messages (G17): both private keys are needed, and what a message is for is bound into it. */
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { concat, ctx, type Bytes } from '@0fc/protocol';
import { asHybridKey, asPrivateKey } from '../secrets.js';
import { crc32c } from '../node/key-pair.js';
import type { Hash } from '../ports.js';
import {
  codeOf,
  flipBit,
  hash,
  newMemberId,
  newRoomId,
  ports,
  random,
  refusal,
} from '../world.spec-support.js';
import { openCell } from '../cell.js';
import { decryptFrom } from './envelope.js';
import {
  decryptHybrid, encryptHybrid, exposeSecret, generateHybridKeyPair, generateKeyPair, hybridPublicKey,
  type HybridMessage, type HybridPlace,
} from './index.js'; // prettier-ignore
import { decapsulate, newKemSeed } from './kem.js';

const pair = generateHybridKeyPair(random);
const to = hybridPublicKey(pair);
const ephemeral = generateKeyPair();
const place: HybridPlace = { kind: 'wrap', roomId: newRoomId(), epoch: 7, memberId: newMemberId() };
const plain = random.bytes(100);
const message = await encryptHybrid(ports, { ephemeral, to, place, plain });

type Opening = Parameters<typeof decryptHybrid>[1];
const right: Opening = { pair, ephemeral: ephemeral.publicKey, place, message };
const open = (over: Partial<Opening> = {}): Promise<Bytes> => decryptHybrid(hash, { ...right, ...over });

/** The key of the negative point: with the same private key it gives the same secret of the curve. */
function negative(publicKey: Bytes): Bytes {
  const other = Uint8Array.from(publicKey);
  other[12]! ^= 1;
  const view = new DataView(other.buffer);
  view.setUint32(8, 0);
  view.setUint32(8, crc32c(other), true);
  return other;
}

/** The key of a message's outer seal, from the words of docs/decisions/0027 alone. */
async function outerKey(...sharedSecret: Bytes[]): Promise<{ readonly key: Bytes; readonly context: Bytes }> {
  const fields = [
    'wrap', place.roomId, 7, place.memberId, await hash.sha256(concat(to.key, to.ek)),
    await hash.sha256(concat(ephemeral.publicKey, message.ct)),
  ]; // prettier-ignore
  return {
    key: await hash.sha256(ctx('hybrid', ...fields, ...sharedSecret)),
    context: ctx('hybrid', ...fields),
  };
}

describe('a hybrid message', () => {
  it('opens to what went in, whatever it is for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
        fc.constantFrom('wrap', 'cold-wrap', 'grant'),
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        async (bytes, kind, epoch) => {
          const there: HybridPlace = { kind, epoch, roomId: newRoomId(), memberId: newMemberId() };
          const made = await encryptHybrid(ports, { ephemeral, to, place: there, plain: bytes });
          expect(made.ct).toHaveLength(1_088);
          expect(await open({ place: there, message: made })).toEqual(bytes);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is built as the record says', async () => {
    const { key, context } = await outerKey(decapsulate(pair.seed, message.ct).sharedSecret);
    const inner = openCell(asHybridKey(key), message.sealed, context, { code: 'MALFORMED' });
    expect(decryptFrom(pair.privateKey, ephemeral.publicKey, inner)).toEqual(plain);
  });

  it('is another each time', async () => {
    const again = await encryptHybrid(ports, { ephemeral, to, place, plain });
    expect(again.ct).not.toEqual(message.ct);
    expect(again.sealed).not.toEqual(message.sealed);
  });
});

/** Everything that a message is bound to, each with something else in its place. */
const others: Readonly<Record<string, () => Promise<Partial<Opening>> | Partial<Opening>>> = {
  kind: () => ({ place: { ...place, kind: 'grant' } }),
  'kind, without the old key': () => ({ place: { ...place, kind: 'cold-wrap' } }),
  room: () => ({ place: { ...place, roomId: newRoomId() } }),
  epoch: () => ({ place: { ...place, epoch: 8 } }),
  member: () => ({ place: { ...place, memberId: newMemberId() } }),
  'both private keys': () => ({ pair: generateHybridKeyPair(random) }),
  'curve pair': () => ({ pair: { ...generateKeyPair(), seed: pair.seed } }),
  'curve private key alone': () => ({ pair: { ...pair, privateKey: generateKeyPair().privateKey } }),
  'curve public key alone': () => ({ pair: { ...pair, publicKey: negative(pair.publicKey) } }),
  seed: () => ({ pair: { ...pair, seed: newKemSeed(random) } }),
  ephemeral: () => ({ ephemeral: generateKeyPair().publicKey }),
  'ephemeral, its negative': () => ({ ephemeral: negative(ephemeral.publicKey) }),
  'ciphertext of the same key': async () => ({
    message: { ...message, ct: (await encryptHybrid(ports, { ephemeral, to, place, plain })).ct },
  }),
  'sealed part of the same key': async () => ({
    message: { ...message, sealed: (await encryptHybrid(ports, { ephemeral, to, place, plain })).sealed },
  }),
};

describe('a hybrid message opens with no other', () => {
  it.each(Object.entries(others))('%s', async (_, over) => {
    expect(await open()).toEqual(plain);
    const other = await over();
    expect(await codeOf(() => open(other))).toBe('MALFORMED');
  });

  it('place, drawn at random', async () => {
    const id = fc.constantFrom(place.roomId, newRoomId());
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          kind: fc.constantFrom('wrap', 'cold-wrap', 'grant'),
          roomId: id,
          epoch: fc.integer({ min: 6, max: 8 }),
          memberId: fc.constantFrom(place.memberId, newMemberId()),
        }),
        async (there) => {
          const same = (Object.keys(place) as (keyof HybridPlace)[]).every(
            (field) => there[field] === place[field],
          );
          if (same) expect(await open({ place: there })).toEqual(plain);
          else expect(await codeOf(() => open({ place: there }))).toBe('MALFORMED');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('bit of ciphertext or sealed part', async () => {
    const parts = fc.constantFrom<keyof HybridMessage>('ct', 'sealed');
    await fc.assert(
      fc.asyncProperty(parts, fc.nat(), async (part, at) => {
        const spoiled = { ...message, [part]: flipBit(message[part], at % (8 * message[part].length)) };
        expect(await codeOf(() => open({ message: spoiled }))).toBe('MALFORMED');
      }),
      { numRuns: 60 },
    );
  });

  it('length, nor bytes of any kind: a typed error each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 1_300 }),
        fc.uint8Array({ maxLength: 400 }),
        async (ct, sealed) => {
          for (const spoiled of [
            { ct, sealed },
            { ...message, ct },
            { ...message, sealed },
          ])
            expect(await codeOf(() => open({ message: spoiled }))).toBe('MALFORMED');
        },
      ),
      { numRuns: 30 },
    );
    const zeros = new Uint8Array(1_088);
    for (const ct of [zeros, message.ct.slice(1), concat(message.ct, zeros.slice(0, 1))])
      expect(await codeOf(() => open({ message: { ...message, ct } }))).toBe('MALFORMED');
    for (const sealed of [message.sealed.slice(0, -1), concat(message.sealed, zeros.slice(0, 1))])
      expect(await codeOf(() => open({ message: { ...message, sealed } }))).toBe('MALFORMED');
    for (const key of [new Uint8Array(), new Uint8Array(45), random.bytes(45)])
      expect(await codeOf(() => open({ ephemeral: key }))).toBe('BAD_KEY');
  });
});

describe('a key to encrypt to', () => {
  it('is refused in either half, and nothing crashes', async () => {
    const encrypt = (over: Partial<typeof to>): Promise<HybridMessage> =>
      encryptHybrid(ports, { ephemeral, to: { ...to, ...over }, place, plain });
    const off = flipBit(to.key, 8 * 12 + 1);
    for (const key of [new Uint8Array(), new Uint8Array(45), to.ek, random.bytes(45), off])
      expect(await codeOf(() => encrypt({ key }))).toBe('BAD_KEY');
    const high = Uint8Array.from(to.ek);
    high.fill(255, 0, 2);
    for (const ek of [
      new Uint8Array(),
      new Uint8Array(1_184),
      to.key,
      to.ek.slice(1),
      concat(to.ek, to.ek),
      high,
    ])
      expect(await codeOf(() => encrypt({ ek }))).toBe('BAD_KEY');
  });

  it('with one bit flipped is refused, or what comes of it opens nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * 1_184 - 1), async (bit) => {
        const ek = flipBit(to.ek, bit);
        const error = await refusal(async () =>
          open({ message: await encryptHybrid(ports, { ephemeral, to: { ...to, ek }, place, plain }) }),
        );
        expect(['BAD_KEY', 'MALFORMED']).toContain(error.code);
      }),
      { numRuns: 40 },
    );
  });
});

describe('an attacker with the whole record', () => {
  const holds = (bytes: Bytes): boolean => Buffer.from(bytes).includes(Buffer.from(plain.subarray(0, 16)));

  it('and every private key of the curve opens nothing: the seed is missing', async () => {
    // The receiver's pair and the sender's: everything that the curve has hidden.
    for (const [privateKey, peer] of [
      [pair.privateKey, ephemeral.publicKey],
      [ephemeral.privateKey, pair.publicKey],
    ] as const) {
      expect(await codeOf(() => decryptFrom(privateKey, peer, message.sealed))).toBe('MALFORMED');
    }
    const guesses = [
      new Uint8Array(32),
      await hash.sha256(message.ct),
      await hash.sha256(to.ek),
      to.ek.slice(-32),
      null,
    ];
    for (const guess of guesses) {
      const { key, context } = await (guess === null ? outerKey() : outerKey(guess));
      const cell = (): Bytes => openCell(asHybridKey(key), message.sealed, context, { code: 'MALFORMED' });
      expect(await codeOf(cell)).toBe('MALFORMED');
    }
    expect(await codeOf(() => open({ pair: { ...pair, seed: newKemSeed(random) } }))).toBe('MALFORMED');
    // With the seed it is open: that alone was missing.
    expect(await open()).toEqual(plain);
  });

  it('and the seed alone opens nothing: a key of the curve is missing', async () => {
    const { key, context } = await outerKey(decapsulate(pair.seed, message.ct).sharedSecret);
    const inner = openCell(asHybridKey(key), message.sealed, context, { code: 'MALFORMED' });
    expect(holds(inner)).toBe(false);
    for (const privateKey of [
      generateKeyPair().privateKey,
      asPrivateKey(flipBit(exposeSecret(pair.privateKey), 200)),
    ])
      await refusal(() => decryptFrom(privateKey, ephemeral.publicKey, inner));
    expect(decryptFrom(pair.privateKey, ephemeral.publicKey, inner)).toEqual(plain);
  });

  it('sees a plaintext in none of its parts', () => {
    expect([message.ct, message.sealed].map(holds)).toEqual([false, false]);
  });
});

describe('hygiene', () => {
  it('wipes what the shared secret was hashed with, and the key that came of it', async () => {
    const hashed: Bytes[] = [];
    const digests: Bytes[] = [];
    const recording: Hash = {
      async sha256(data) {
        hashed.push(data);
        const digest = await hash.sha256(data);
        digests.push(digest);
        return digest;
      },
    };
    const made = await encryptHybrid({ hash: recording, random }, { ephemeral, to, place, plain });
    expect(await decryptHybrid(recording, { ...right, message: made })).toEqual(plain);
    await codeOf(() => decryptHybrid(recording, { ...right, message: { ...made, sealed: message.sealed } }));
    expect(hashed).toHaveLength(9);
    for (const at of [2, 5, 8]) {
      expect(hashed[at]).toEqual(new Uint8Array(hashed[at]!.length));
      expect(digests[at]).toEqual(new Uint8Array(32));
    }
  });
});
