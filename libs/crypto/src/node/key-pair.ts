/**
 * The key pair that a private key is half of. Themis makes pairs, and has nothing that leads from the private half to
 * the public one, so the point is Node's to compute, and the container is made here.
 */
import { createECDH } from 'node:crypto';
import { LIMITS, type Bytes } from '@0fc/protocol';
import { CryptoError } from '../errors.js';
import type { KeyPair } from '../key-pair.js';
import { asPrivateKey } from '../secrets.js';

/** P-256 */
const CURVE = 'prime256v1';
/** Of a container: a tag of four letters, its whole length (big endian), its CRC-32C (little endian, over itself as 0). */
const HEADER = { length: 4, checksum: 8, bytes: 12 } as const;
/** Before the 32 bytes of the number stands a zero byte. */
const NUMBER_AT = HEADER.bytes + 1;

/**
 * The pair of a private key of 45 bytes, as `generateKeyPair` made it. Throws BAD_KEY for what is no container of a
 * private key on P-256. Themis need not be loaded.
 */
export function keyPairOf(privateKey: Bytes): KeyPair {
  if (privateKey.length !== LIMITS.publicKeyBytes) throw notAKey();
  const number = privateKey.slice(NUMBER_AT);
  const container = keyContainer('REC2', Uint8Array.of(0, ...number));
  if (container.some((byte, at) => byte !== privateKey[at])) throw notAKey();
  return { publicKey: keyContainer('UEC2', pointOf(number)), privateKey: asPrivateKey(container) };
}

const notAKey = (): CryptoError => new CryptoError('BAD_KEY', 'not a private key');

/** Compressed, 33 bytes. Throws BAD_KEY for zero and for what is not below the order of the curve. */
function pointOf(number: Bytes): Bytes {
  const curve = createECDH(CURVE);
  try {
    curve.setPrivateKey(number);
  } catch {
    // Node's text would name what it was given.
    throw notAKey();
  }
  return curve.getPublicKey(null, 'compressed');
}

function keyContainer(tag: 'REC2' | 'UEC2', data: Bytes): Bytes {
  const bytes = new Uint8Array(HEADER.bytes + data.length);
  bytes.set(Buffer.from(tag));
  bytes.set(data, HEADER.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(HEADER.length, bytes.length);
  view.setUint32(HEADER.checksum, crc32c(bytes), true);
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** Castagnoli's, which node:zlib does not have. */
export function crc32c(bytes: Bytes): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
