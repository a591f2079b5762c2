/** Signed containers are made here and nowhere else. */
import { PrivateKey, SecureMessageSign } from 'wasm-themis';
import { encodeBody, type Body, type BodyKind, type Bytes } from '@0fc/protocol';
import { attempt } from './errors.js';
import type { KeyPair } from './key-pair.js';

/**
 * The signed container of a body. The tag in it says what was signed: no raw bytes are
 * ever signed (docs/protocol.md section 2, G4). Throws MALFORMED for a body that its
 * schema refuses, BAD_KEY for an unusable private key.
 */
export function signBody<K extends BodyKind>(identity: KeyPair, kind: K, body: Body<K>): Bytes {
  const bytes = encodeBody(kind, body);
  try {
    return attempt('BAD_KEY', 'cannot sign', () =>
      new SecureMessageSign(new PrivateKey(identity.privateKey)).sign(bytes),
    );
  } finally {
    // A join request names a secret.
    bytes.fill(0);
  }
}
