/**
 * ML-KEM-768 (FIPS 203) by @noble/post-quantum, in plain JavaScript: nothing else touches that library. Its randomness
 * is given, so that there is one source of it; what it hands out is wiped by whoever takes it.
 */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { LIMITS, type Bytes } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import type { Random } from '../ports.js';
import { asKemSeed, type KemSeed } from '../secrets.js';
import { isEncapsulationKey } from '../verify/kem-key.js';

/** Of the message that one encapsulation is made of. */
const MESSAGE_BYTES = 32;

/** A ciphertext, and what its sender and its receiver have in common: 32 bytes. */
export interface Encapsulation {
  readonly ct: Bytes;
  readonly sharedSecret: Uint8Array;
}

/** A fresh private key, 64 bytes. */
export const newKemSeed = (random: Random): KemSeed => asKemSeed(random.bytes(LIMITS.kemSeedBytes));

/** The public key of a seed, 1,184 bytes. */
export function encapsulationKeyOf(seed: KemSeed): Bytes {
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  secretKey.fill(0);
  return publicKey;
}

/** Throws BAD_KEY for what is no encapsulation key. */
export function encapsulate(random: Random, ek: Bytes): Encapsulation {
  if (!isEncapsulationKey(ek)) throw new CryptoError('BAD_KEY', 'not an encapsulation key');
  const message = random.bytes(MESSAGE_BYTES);
  try {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(ek, message);
    return { ct: cipherText, sharedSecret };
  } finally {
    message.fill(0);
  }
}

/**
 * The shared secret of a ciphertext, and the public key that it was made for. Of 1,088 bytes that were not made for this
 * key it is 32 bytes that nobody else knows (implicit rejection): what is sealed under it tells. Throws MALFORMED for
 * another length.
 */
export function decapsulate(
  seed: KemSeed,
  ct: Bytes,
): { readonly ek: Bytes; readonly sharedSecret: Uint8Array } {
  if (ct.length !== LIMITS.kemCiphertextBytes) throw new CryptoError('MALFORMED', 'not a KEM ciphertext');
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  try {
    return { ek: publicKey, sharedSecret: ml_kem768.decapsulate(ct, secretKey) };
  } finally {
    secretKey.fill(0);
  }
}
