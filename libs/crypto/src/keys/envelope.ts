/** Secure Message in encrypt mode, of exact length: from one key pair to one public key. */
import { KeyPair, PrivateKey as ThemisPrivateKey, SecureMessage, type PublicKey } from 'wasm-themis';
import type { Bytes } from '@0fc/protocol';
import { attempt, CryptoError } from '../errors.js';
import type { PrivateKey } from '../secrets.js';
import { themisPublicKey } from '../verify/identity.js';
import { isCell } from '../cell.js';

const HEADER_BYTES = 8;
/** an EC-encrypted message */
const ENCRYPTED_TYPE = 0x26042720;

/** Encrypts to a public key. Throws BAD_KEY when that is not canonical or not a point of the curve. */
export function encryptTo(privateKey: PrivateKey, publicKey: Bytes, plain: Bytes): Bytes {
  const peer = themisPublicKey(publicKey);
  return attempt('BAD_KEY', 'key unusable', () => between(privateKey, peer).encrypt(plain));
}

/** Throws BAD_KEY for the sender's key, MALFORMED for what is not one message from it to this private key. */
export function decryptFrom(privateKey: PrivateKey, publicKey: Bytes, sealed: Bytes): Bytes {
  const peer = themisPublicKey(publicKey);
  const header = sealed.length > HEADER_BYTES && new DataView(sealed.buffer, sealed.byteOffset, HEADER_BYTES);
  const exact =
    header !== false &&
    header.getUint32(0, true) === ENCRYPTED_TYPE &&
    header.getUint32(4, true) === sealed.length &&
    isCell(sealed.subarray(HEADER_BYTES));
  if (!exact) throw new CryptoError('MALFORMED', 'not an encrypted message');
  return attempt('MALFORMED', 'does not open', () => between(privateKey, peer).decrypt(sealed));
}

/** Themis takes the two ends of a conversation as if they were one pair. */
const between = (privateKey: PrivateKey, peer: PublicKey): SecureMessage =>
  new SecureMessage(new KeyPair(new ThemisPrivateKey(privateKey), peer));
