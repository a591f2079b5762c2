/**
 * Whether Themis and the platform's ECDSA say the same of the same bytes: every bit of a signed message turned over, and
 * signatures in the forms that DER and the curve leave open. What the two differ in is what a second verifier would have
 * to be trusted for (docs/decisions/0049).
 */
import type { Ports } from '@0fc/crypto/keys';
import { containerBody, CryptoError, verifyContainer } from '@0fc/crypto/verify';
import type { Bytes } from '@0fc/protocol';
import {
  importVerifying,
  partsOf,
  type SignedParts,
} from '../../../libs/crypto/src/verify/platform-ecdsa.spec-support.js';
import { signedMessages } from './verification.js';

const HEADER_BYTES = 12;
/** of P-256 */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Signatures that the forms are made of. */
const OF_EACH = 20;

export interface Agreement {
  readonly tried: number;
  /** accepted by both, refused by both */
  readonly accepted: number;
  readonly refused: number;
  /** names of what one of the two accepts alone */
  readonly themisAlone: readonly string[];
  readonly platformAlone: readonly string[];
}

export async function compareVerifiers(ports: Pick<Ports, 'random'>): Promise<Agreement> {
  const { key, containers } = signedMessages(ports);
  const verify = await importVerifying(key);
  const counts = { tried: 0, accepted: 0, refused: 0 };
  const themisAlone = new Set<string>();
  const platformAlone = new Set<string>();
  for (const [name, container] of variants(containers)) {
    const byThemis = accepts(() => verifyContainer(key, container));
    const byPlatform = await platformAccepts(verify, container);
    counts.tried++;
    if (byThemis && byPlatform) counts.accepted++;
    else if (byThemis) themisAlone.add(name);
    else if (byPlatform) platformAlone.add(name);
    else counts.refused++;
  }
  return { ...counts, themisAlone: [...themisAlone], platformAlone: [...platformAlone] };
}

function* variants(containers: readonly Bytes[]): Generator<readonly [name: string, container: Bytes]> {
  const [first] = containers;
  if (first === undefined) throw new Error('nothing is signed');
  for (let bit = 0; bit < 8 * first.length; bit++) {
    const flipped = Uint8Array.from(first);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield ['a bit turned over', flipped];
  }
  for (let length = 0; length < first.length; length++) yield ['cut short', first.slice(0, length)];
  for (const container of containers.slice(0, OF_EACH)) {
    yield ['as signed', container];
    for (const [name, der] of forms(container)) yield [name, withSignature(container, der)];
  }
}

/** Other signatures over the same body, as bytes of DER or nearly so. */
function forms(container: Bytes): readonly (readonly [string, Bytes])[] {
  const fixed = partsOf(container).signature;
  if (fixed === null) throw new Error('Themis signs in strict DER');
  const [r, s] = [numberOf(fixed.subarray(0, 32)), numberOf(fixed.subarray(32))];
  const [der, padded] = [sequence(integer(r), integer(s)), (value: bigint) => integer(value, 1)];
  return [
    ['the other s', sequence(integer(r), integer(ORDER - s))],
    ['s beyond the order', sequence(integer(r), integer(s + ORDER))],
    ['r beyond the order', sequence(integer(r + ORDER), integer(s))],
    ['r is zero', sequence(integer(0n), integer(s))],
    ['s is zero', sequence(integer(r), integer(0n))],
    ['both are zero', sequence(integer(0n), integer(0n))],
    ['both are the order', sequence(integer(ORDER), integer(ORDER))],
    ['r and s changed places', sequence(integer(s), integer(r))],
    ['r with a zero before it', sequence(padded(r), integer(s))],
    ['s with a zero before it', sequence(integer(r), padded(s))],
    ['s negative', sequence(integer(r), Uint8Array.of(2, 32, ...bytesOf(s | (1n << 255n))))],
    ['a length in the long form', Uint8Array.of(0x30, 0x81, ...der.subarray(1))],
    ['a length without an end', Uint8Array.of(0x30, 0x80, ...der.subarray(2), 0, 0)],
    ['a byte behind it', Uint8Array.of(...der, 0)],
    ['a byte behind s, counted', sequence(integer(r), integer(s), Uint8Array.of(0))],
    ['a third integer', sequence(integer(r), integer(s), integer(1n))],
    ['a set in the place of the sequence', Uint8Array.of(0x31, ...der.subarray(1))],
    ['r ‖ s as they are', fixed],
  ];
}

function withSignature(container: Bytes, der: Bytes): Bytes {
  const view = new DataView(container.buffer, container.byteOffset, container.byteLength);
  const end = HEADER_BYTES + view.getUint32(4, true);
  const made = Uint8Array.of(...container.subarray(0, end), ...der);
  new DataView(made.buffer).setUint32(8, der.length, true);
  return made;
}

const sequence = (...parts: readonly Bytes[]): Bytes => {
  const inside = parts.flatMap((part) => [...part]);
  return Uint8Array.of(0x30, inside.length, ...inside);
};

function integer(value: bigint, zeros = 0): Bytes {
  const bytes = bytesOf(value);
  const sign = (bytes[0] ?? 0) >= 0x80 ? [0] : [];
  const all = [...Array<number>(zeros).fill(0), ...sign, ...bytes];
  return Uint8Array.of(2, all.length, ...all);
}

function bytesOf(value: bigint): Bytes {
  const hex = value.toString(16);
  const even = hex.padStart(hex.length + (hex.length % 2), '0');
  return Uint8Array.from(even.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

const numberOf = (bytes: Bytes): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

function accepts(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof CryptoError && error.code !== 'INTERNAL') return false;
    throw error;
  }
}

/** Structure as for Themis: what `containerBody` refuses reaches no verifier. */
async function platformAccepts(
  verify: (parts: SignedParts) => Promise<boolean>,
  container: Bytes,
): Promise<boolean> {
  if (!accepts(() => containerBody(container))) return false;
  return verify(partsOf(container));
}
