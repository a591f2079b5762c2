/** Public keys of ML-KEM-768 (FIPS 203), which need no secret to be checked. */
import { LIMITS, type Bytes } from '@0fc/protocol';

/** Behind the vector of polynomials stand 32 bytes from which the matrix is drawn. */
const VECTOR_BYTES = LIMITS.kemKeyBytes - 32;
const MODULUS = 3_329;

/**
 * Whether bytes are an encapsulation key: the length and the modulus check that FIPS 203 asks for, and a vector that is
 * not all zero. Under that one, which FIPS 203 lets pass, whoever sees a ciphertext reads the shared secret off it.
 */
export function isEncapsulationKey(ek: Bytes): boolean {
  if (ek.length !== LIMITS.kemKeyBytes) return false;
  let any = 0;
  for (let at = 0; at < VECTOR_BYTES; at += 3) {
    const [a = 0, b = 0, c = 0] = ek.subarray(at, at + 3);
    const [low, high] = [a | ((b & 15) << 8), (b >> 4) | (c << 4)];
    if (low >= MODULUS || high >= MODULUS) return false;
    any |= low | high;
  }
  return any !== 0;
}
