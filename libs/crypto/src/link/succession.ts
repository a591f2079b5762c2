/** A relay's key gives way to another one: the statement, signed by both (docs/protocol.md section 3.1). */
import { encodeCbor, toBase64Url } from '@0fc/protocol';
import type { KeyPair } from '../key-pair.js';
import { signBody } from '../sign.js';

/**
 * The statement as it is published: base64url of `CBOR[container by the old key, container by the new one]`, both of
 * one body. `origin`: address of the deployment, as its clients have it. Throws MALFORMED for an origin that is too long.
 */
export function signSuccession(old: KeyPair, next: KeyPair, origin: string): string {
  const body = { old: old.publicKey, new: next.publicKey, origin };
  return toBase64Url(encodeCbor([old, next].map((pair) => signBody(pair, 'relay-succession', body))));
}
