/**
 * Signed containers: the whole output of Themis's SecureMessage.sign, of exact length
 * (docs/protocol.md section 2). Little endian: type, body length, signature length; then
 * the body and the signature.
 */
import { SecureMessageVerify, ThemisErrorCode } from 'wasm-themis';
import type { Bytes } from '@0fc/protocol';
import { CryptoError, themisCode } from '../errors.js';
import type { Hash } from '../ports.js';
import { themisPublicKey } from './identity.js';

const HEADER_BYTES = 12;
/** an EC-signed message */
const SIGNED_TYPE = 0x26042620;
/** DER of an ECDSA signature over P-256: two integers of at most 33 bytes */
const SIGNATURE_BYTES = { least: 8, most: 72 };

/**
 * A copy of the body of a container, by structure only: nothing is verified. Themis
 * accepts trailing bytes, so that two byte strings would carry one signature; here they
 * are refused. Throws MALFORMED.
 */
export function containerBody(container: Bytes): Bytes {
  const wrong = (): CryptoError => new CryptoError('MALFORMED', 'not a signed container');
  if (container.length <= HEADER_BYTES) throw wrong();
  const header = new DataView(container.buffer, container.byteOffset, HEADER_BYTES);
  const bodyBytes = header.getUint32(4, true);
  const signatureBytes = header.getUint32(8, true);
  const exact =
    header.getUint32(0, true) === SIGNED_TYPE &&
    bodyBytes > 0 &&
    signatureBytes >= SIGNATURE_BYTES.least &&
    signatureBytes <= SIGNATURE_BYTES.most &&
    container.length === HEADER_BYTES + bodyBytes + signatureBytes;
  if (!exact) throw wrong();
  return container.slice(HEADER_BYTES, HEADER_BYTES + bodyBytes);
}

/**
 * The body of a container, once the signature has been verified.
 *
 * Throws BAD_KEY (not canonical, or not a point of the curve), BAD_SIGNATURE, MALFORMED.
 */
export function verifyContainer(publicKey: Bytes, container: Bytes): Bytes {
  const body = containerBody(container);
  const key = themisPublicKey(publicKey);
  try {
    new SecureMessageVerify(key).verify(container);
  } catch (error) {
    switch (themisCode(error)) {
      // The structure is sound, so what Themis cannot use at all is the key: its point is
      // not on the curve.
      case ThemisErrorCode.INVALID_PARAMETER:
        throw new CryptoError('BAD_KEY', 'not a point of the curve');
      case null:
      case ThemisErrorCode.NO_MEMORY:
        throw new CryptoError('INTERNAL', 'Themis failed', { cause: error });
      default:
        throw new CryptoError('BAD_SIGNATURE', 'signature does not verify');
    }
  }
  return body;
}

/**
 * SHA-256 of the body: what ids and heads are made of, because ECDSA lets anybody turn a
 * signature into another valid one (docs/protocol.md section 2). Throws MALFORMED.
 */
export const bodyHash = async (hash: Hash, container: Bytes): Promise<Bytes> =>
  hash.sha256(containerBody(container));
