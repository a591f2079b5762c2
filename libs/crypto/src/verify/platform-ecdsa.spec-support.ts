/**
 * The platform's ECDSA over what Themis has signed: for measuring and comparing alone, no member is read by it
 * (docs/decisions/0049).
 */
import type { Bytes } from '@0fc/protocol';

const HEADER_BYTES = 12;
const INTEGER_BYTES = 32;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export interface SignedParts {
  readonly body: Uint8Array<ArrayBuffer>;
  /** r ‖ s; null: not the DER of two integers that fit */
  readonly signature: Uint8Array<ArrayBuffer> | null;
}

/** A container whose structure `containerBody` has accepted. */
export function partsOf(container: Bytes): SignedParts {
  const view = new DataView(container.buffer, container.byteOffset, container.byteLength);
  const end = HEADER_BYTES + view.getUint32(4, true);
  return {
    body: Uint8Array.from(container.subarray(HEADER_BYTES, end)),
    signature: fixedOf(container.subarray(end)),
  };
}

/** Strict DER: `SEQUENCE { INTEGER r, INTEGER s }`, each positive and as short as it can be. */
function fixedOf(der: Bytes): Uint8Array<ArrayBuffer> | null {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const fixed = new Uint8Array(2 * INTEGER_BYTES);
  let at = 2;
  for (const slot of [1, 2]) {
    const length = der[at + 1] ?? 0;
    const bytes = der.subarray(at + 2, at + 2 + length);
    const [first = 0x80, second = 0] = bytes;
    if (der[at] !== 2 || bytes.length !== length || first >= 0x80) return null;
    if (first === 0 && length > 1 && second < 0x80) return null;
    const number = first === 0 ? bytes.subarray(1) : bytes;
    if (number.length > INTEGER_BYTES) return null;
    fixed.set(number, slot * INTEGER_BYTES - number.length);
    at += 2 + length;
  }
  return at === der.length ? fixed : null;
}

/** Of a canonical public key of Themis's: its point, compressed, stands behind twelve bytes. */
export async function importVerifying(publicKey: Bytes): Promise<(parts: SignedParts) => Promise<boolean>> {
  const point = Uint8Array.from(publicKey.subarray(HEADER_BYTES));
  const key = await crypto.subtle.importKey('raw', point, CURVE, false, ['verify']);
  return async ({ body, signature }) =>
    signature !== null && crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, body);
}
