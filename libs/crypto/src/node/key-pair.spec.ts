/** The public half of a private key, for a relay that keeps the private one alone. */
import { describe, expect, it } from '@jest/globals';
import type { Bytes } from '@0fc/protocol';
import { exposeSecret, generateKeyPair } from '../keys/index.js';
import { flipBit } from '../world.spec-support.js';
import { keyPairOf } from './index.js';
import { crc32c } from './key-pair.js';

describe('the pair of a private key', () => {
  it('is the pair that Themis made, and the copy is its own', () => {
    for (let n = 0; n < 20; n++) {
      const made = generateKeyPair();
      const found = keyPairOf(exposeSecret(made.privateKey));
      expect(found).toEqual(made);
      expect(found.privateKey).not.toBe(made.privateKey);
    }
  });

  it('is none for bytes that are no private key: BAD_KEY, and nothing of them in it', () => {
    const { privateKey, publicKey } = generateKeyPair();
    const whole = exposeSecret(privateKey);
    /** The checksum is right, the number is not one of the curve. */
    const ofNumber = (number: Uint8Array): Bytes => {
      const bytes = Uint8Array.from(whole);
      bytes.set(number, 13);
      new DataView(bytes.buffer).setUint32(8, 0);
      new DataView(bytes.buffer).setUint32(8, crc32c(bytes), true);
      return bytes;
    };
    const none = [
      new Uint8Array(), whole.slice(0, 44), Uint8Array.of(...whole, 0), new Uint8Array(45), publicKey,
      ofNumber(new Uint8Array(32)), ofNumber(new Uint8Array(32).fill(0xff)),
      ...Array.from(whole, (_, at) => flipBit(whole, at * 8 + 3)),
    ]; // prettier-ignore
    for (const bytes of none) expect(() => keyPairOf(bytes)).toThrow(/^BAD_KEY: not a private key$/);
    expect(keyPairOf(ofNumber(whole.slice(13)))).toEqual({ publicKey, privateKey });
  });
});
