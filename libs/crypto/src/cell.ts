/** Secure Cell in Seal mode, of exact length, always under a context (docs/protocol.md section 2, G4). */
import { SecureCellSeal } from 'wasm-themis';
import type { AlarmCode, Bytes, ErrorCode } from '@0fc/protocol';
import { attempt, CryptoError } from './errors.js';
import type { SymmetricKey } from './secrets.js';

const HEADER_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** AES-256-GCM with the key as it is, Themis's default */
const SEAL_TYPE = 0x40010100;

/** Bytes that a cell adds to its plaintext. */
export const CELL_OVERHEAD = HEADER_BYTES + IV_BYTES + TAG_BYTES;

/** Seals at least one byte under a 32-byte key. */
export const sealCell = (key: SymmetricKey, plain: Bytes, context: Bytes): Bytes =>
  attempt('BAD_KEY', 'cannot seal', () => SecureCellSeal.withKey(key).encrypt(plain, context));

/** Whether the bytes are one cell and nothing beside it: Themis accepts trailing bytes. */
export function isCell(sealed: Bytes): boolean {
  if (sealed.length <= CELL_OVERHEAD) return false;
  const header = new DataView(sealed.buffer, sealed.byteOffset, HEADER_BYTES);
  return (
    header.getUint32(0, true) === SEAL_TYPE &&
    header.getUint32(4, true) === IV_BYTES &&
    header.getUint32(8, true) === TAG_BYTES &&
    header.getUint32(12, true) === sealed.length - CELL_OVERHEAD
  );
}

/** What to throw for a cell that does not open. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly alarm?: AlarmCode;
}

/** The plaintext. Throws `refusal` for another key, another context or changed bytes. */
export function openCell(key: SymmetricKey, sealed: Bytes, context: Bytes, refusal: Refusal): Bytes {
  const alarm = refusal.alarm ?? null;
  if (!isCell(sealed)) throw new CryptoError(refusal.code, 'not a sealed cell', { alarm });
  const open = (): Bytes => SecureCellSeal.withKey(key).decrypt(sealed, context);
  return attempt(refusal.code, 'does not open', open, alarm);
}
