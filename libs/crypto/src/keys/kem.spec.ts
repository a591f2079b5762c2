/**
 * ML-KEM-768 as FIPS 203 has it: against vectors that others publish, against OpenSSL, and at the edges of its inputs.
 * A library that computes something else is found here.
 */
import { createHash, createPrivateKey, createPublicKey, decapsulate as opensslDecapsulate, encapsulate as opensslEncapsulate } from 'node:crypto'; // prettier-ignore
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { toHex, type Bytes } from '@0fc/protocol';
import type { Random } from '../ports.js';
import { asKemSeed } from '../secrets.js';
import { isEncapsulationKey } from '../verify/kem-key.js';
import { codeOf, flipBit, random } from '../world.spec-support.js';
import { decapsulate, encapsulate, encapsulationKeyOf, newKemSeed } from './kem.js';

const seed = newKemSeed(random);
const ek = encapsulationKeyOf(seed);

/** Gives these bytes once. */
const given = (bytes: Bytes): Random => ({
  bytes(n) {
    expect(n).toBe(bytes.length);
    return Uint8Array.from(bytes);
  },
});

/** A vector of polynomials as 768 coefficients of 12 bits, in front of `tail`. */
function encoded(coefficients: readonly number[], tail: Bytes): Bytes {
  const out = new Uint8Array(1_184);
  for (let pair = 0; pair < 384; pair++) {
    const [low, high] = [coefficients[2 * pair]!, coefficients[2 * pair + 1]!];
    out.set([low & 255, (low >> 8) | ((high & 15) << 4), high >> 4], 3 * pair);
  }
  out.set(tail, 1_152);
  return out;
}

describe('known answers', () => {
  it('of C2SP/CCTV, accumulated over 100 keys: key, ciphertext, secret, and a refused ciphertext’s secret', () => {
    // One stream of SHAKE-128 over nothing is all randomness; what comes out is hashed in order.
    const rounds = 100;
    const stream = Uint8Array.from(
      createHash('shake128', { outputLength: rounds * (64 + 32 + 1_088) }).digest(),
    );
    let at = 0;
    const next = (n: number): Bytes => stream.slice(at, (at += n));
    const out = createHash('shake128', { outputLength: 32 });
    for (let round = 0; round < rounds; round++) {
      const one = asKemSeed(next(64));
      const key = encapsulationKeyOf(one);
      const { ct, sharedSecret } = encapsulate(given(next(32)), key);
      const opened = decapsulate(one, ct);
      expect(opened).toEqual({ ek: key, sharedSecret });
      out
        .update(key)
        .update(ct)
        .update(sharedSecret)
        .update(decapsulate(one, next(1_088)).sharedSecret);
    }
    expect(out.digest('hex')).toBe('1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415');
  });

  it('OpenSSL makes the same key of a seed, opens what is made here, and is opened here', () => {
    const derPublic = Buffer.concat([Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex'), ek]);
    const derPrivate = Buffer.concat([
      Buffer.from('3054020100300b060960864801650304040204428040', 'hex'),
      seed,
    ]);
    const publicKey = createPublicKey({ key: derPublic, format: 'der', type: 'spki' });
    const privateKey = createPrivateKey({ key: derPrivate, format: 'der', type: 'pkcs8' });
    const theirs = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    expect(toHex(theirs.subarray(-1_184))).toBe(toHex(ek));
    for (let round = 0; round < 5; round++) {
      const made = encapsulate(random, ek);
      expect(toHex(opensslDecapsulate(privateKey, made.ct))).toBe(toHex(made.sharedSecret));
      const { ciphertext, sharedKey } = opensslEncapsulate(publicKey);
      expect(toHex(decapsulate(seed, Uint8Array.from(ciphertext)).sharedSecret)).toBe(toHex(sharedKey));
      const spoiled = flipBit(made.ct, 8 * round + 3);
      expect(toHex(opensslDecapsulate(privateKey, spoiled))).toBe(
        toHex(decapsulate(seed, spoiled).sharedSecret),
      );
    }
  });
});

describe('an encapsulation key', () => {
  it('has 1,184 bytes', async () => {
    for (const length of [0, 1, 45, 1_088, 1_183, 1_185, 2_400]) {
      expect(await codeOf(() => encapsulate(random, new Uint8Array(length).fill(1)))).toBe('BAD_KEY');
    }
  });

  it('has no coefficient of 3,329 or more: FIPS 203’s own check, the same as the library’s', async () => {
    const accepts = (key: Bytes): boolean => {
      try {
        ml_kem768.encapsulate(key, new Uint8Array(32));
        return true;
      } catch {
        return false;
      }
    };
    const coefficient = fc.integer({ min: 3_300, max: 4_095 });
    await fc.assert(
      fc.asyncProperty(fc.nat(767), coefficient, fc.nat(3_328), async (at, value, other) => {
        const coefficients = Array.from({ length: 768 }, (_, n) =>
          n === at ? value : (other + 31 * n) % 3_329,
        );
        const key = encoded(coefficients, random.bytes(32));
        expect(isEncapsulationKey(key)).toBe(value < 3_329);
        expect(accepts(key)).toBe(value < 3_329);
        if (value >= 3_329) expect(await codeOf(() => encapsulate(random, key))).toBe('BAD_KEY');
      }),
      { numRuns: 100 },
    );
  });

  it('is not a vector of zeros, whose secrets anybody reads off the ciphertext', async () => {
    const open = encoded(Array<number>(768).fill(0), random.bytes(32));
    // The library, as FIPS 203, lets it pass.
    expect(ml_kem768.encapsulate(open).cipherText).toHaveLength(1_088);
    expect(await codeOf(() => encapsulate(random, open))).toBe('BAD_KEY');
    expect(await codeOf(() => encapsulate(random, new Uint8Array(1_184)))).toBe('BAD_KEY');
    for (const at of [0, 767]) {
      const one = encoded(
        Array.from({ length: 768 }, (_, n) => (n === at ? 1 : 0)),
        random.bytes(32),
      );
      expect(isEncapsulationKey(one)).toBe(true);
    }
  });
});

describe('a ciphertext', () => {
  it('has 1,088 bytes', async () => {
    for (const length of [0, 1, 1_087, 1_089, 1_184])
      expect(await codeOf(() => decapsulate(seed, new Uint8Array(length)))).toBe('MALFORMED');
  });

  it('with any bit changed, or all zero, gives another secret and no error', () => {
    const { ct, sharedSecret } = encapsulate(random, ek);
    fc.assert(
      fc.property(fc.nat(8 * 1_088 - 1), (bit) => {
        const other = decapsulate(seed, flipBit(ct, bit)).sharedSecret;
        expect(other).toHaveLength(32);
        expect(other).not.toEqual(sharedSecret);
      }),
      { numRuns: 60 },
    );
    const zero = decapsulate(seed, new Uint8Array(1_088)).sharedSecret;
    expect(zero).not.toEqual(decapsulate(newKemSeed(random), new Uint8Array(1_088)).sharedSecret);
  });
});

describe('randomness', () => {
  it('is drawn anew each time, and wiped', () => {
    const drawn: Bytes[] = [];
    const recording: Random = {
      bytes(n) {
        const bytes = random.bytes(n);
        drawn.push(bytes);
        return bytes;
      },
    };
    const [one, two] = [encapsulate(recording, ek), encapsulate(recording, ek)];
    expect(one.ct).not.toEqual(two.ct);
    expect(drawn).toEqual([new Uint8Array(32), new Uint8Array(32)]);
  });

  it('of a seed stays as it was: it is its owner’s', () => {
    const before = Uint8Array.from(seed);
    decapsulate(seed, encapsulate(random, encapsulationKeyOf(seed)).ct);
    expect(seed).toEqual(before);
  });
});
