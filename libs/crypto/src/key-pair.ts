/** Where key pairs come from: every one of members and relays (docs/protocol.md section 2). */
import { KeyPair as ThemisKeyPair } from 'wasm-themis';
import { attempt } from './errors.js';
import type { KeyPair } from './ports.js';
import { asPrivateKey } from './secrets.js';

/** A fresh key pair on P-256, drawn by Themis, which must be loaded. */
export function generateKeyPair(): KeyPair {
  const pair = attempt('INTERNAL', 'no key pair', () => new ThemisKeyPair());
  const plain = {
    publicKey: Uint8Array.from(pair.publicKey),
    privateKey: asPrivateKey(Uint8Array.from(pair.privateKey)),
  };
  pair.privateKey.fill(0);
  return plain;
}
