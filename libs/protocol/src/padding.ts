/** Padded plaintext = u32be length ‖ bytes ‖ zeros up to the Padmé size (docs/protocol.md section 2). */
import { ERROR_CODES, ProtocolError } from './errors.js';
import type { Bytes } from './bytes.js';

/** Padmé: at most 12 % overhead, and only O(log log n) bits about the length are seen. */
export function padmeSize(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const significant = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(0, exponent - significant);
  return Math.ceil(length / step) * step;
}

/**
 * The least padded size: short messages ("yes", "no", a reaction) all look alike. What is
 * padded is a signed container, which takes some 300 bytes before it says anything.
 */
export const LEAST_PADDED = 512;

const sizeFor = (length: number): number => Math.max(LEAST_PADDED, padmeSize(length + 4));

/** `plain` with its length before it and zeros behind it, {@link LEAST_PADDED} bytes or more. */
export function pad(plain: Bytes): Bytes {
  const padded = new Uint8Array(sizeFor(plain.length));
  new DataView(padded.buffer).setUint32(0, plain.length);
  padded.set(plain, 4);
  return padded;
}

/** Throws MALFORMED when the length, the size or a padding byte is not what {@link pad} makes. */
export function unpad(padded: Bytes): Bytes {
  const wrong = (): ProtocolError => new ProtocolError(ERROR_CODES.MALFORMED, 'bad padding');
  if (padded.length < 4) throw wrong();
  const length = new DataView(padded.buffer, padded.byteOffset, padded.byteLength).getUint32(0);
  if (sizeFor(length) !== padded.length) throw wrong();
  if (padded.subarray(4 + length).some((byte) => byte !== 0)) throw wrong();
  return padded.slice(4, 4 + length);
}
