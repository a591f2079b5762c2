/** Padded plaintext = u32be length ‖ bytes ‖ zeros up to the Padmé size (docs/protocol.md section 2). */
import { ERROR_CODES, ProtocolError } from './errors.js';
import type { Bytes } from './bytes.js';
import { LIMITS } from './limits.js';

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

/**
 * Every frame's content has a multiple of this: what stands around a message, a signal or an answer differs by less, and
 * so they have one size.
 */
const FRAME_STEP = 256;
/** The most that a frame holds, with its length: behind it come the fields and tags of the frame, within one more step. */
export const MOST_IN_FRAME = LIMITS.frameBytes - FRAME_STEP;

const frameSizeFor = (length: number): number =>
  Math.min(MOST_IN_FRAME, Math.ceil(padmeSize(length + 4) / FRAME_STEP) * FRAME_STEP);

const padTo = (size: number, plain: Bytes): Bytes => {
  const padded = new Uint8Array(size);
  new DataView(padded.buffer).setUint32(0, plain.length);
  padded.set(plain, 4);
  return padded;
};

/** `plain` with its length before it and zeros behind it, {@link LEAST_PADDED} bytes or more. */
export const pad = (plain: Bytes): Bytes => padTo(sizeFor(plain.length), plain);

/** What a frame holds, padded to a multiple of {@link FRAME_STEP}. Throws TOO_LARGE. */
export function padFrame(plain: Bytes): Bytes {
  if (plain.length + 4 > MOST_IN_FRAME) throw new ProtocolError(ERROR_CODES.TOO_LARGE, 'frame too large');
  return padTo(frameSizeFor(plain.length), plain);
}

/** Throws MALFORMED when the length, the size or a padding byte is not what {@link pad} makes. */
export const unpad = (padded: Bytes): Bytes => unpadBy(sizeFor, padded);

/** Throws MALFORMED when the length, the size or a padding byte is not what {@link padFrame} makes. */
export const unpadFrame = (padded: Bytes): Bytes => unpadBy(frameSizeFor, padded);

function unpadBy(size: (length: number) => number, padded: Bytes): Bytes {
  const wrong = (): ProtocolError => new ProtocolError(ERROR_CODES.MALFORMED, 'bad padding');
  if (padded.length < 4) throw wrong();
  const length = new DataView(padded.buffer, padded.byteOffset, padded.byteLength).getUint32(0);
  if (size(length) !== padded.length || length + 4 > padded.length) throw wrong();
  if (padded.subarray(4 + length).some((byte) => byte !== 0)) throw wrong();
  return padded.slice(4, 4 + length);
}
