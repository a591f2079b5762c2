/** Where key pairs come from: every one of members and relays (docs/protocol.md section 2). */
import { KeyPair as ThemisKeyPair } from 'wasm-themis';
import type { Bytes } from '@0fc/protocol';
import { attempt } from './errors.js';
import { asPrivateKey, type PrivateKey } from './secrets.js';

/** An elliptic-curve key pair as Themis containers. */
export interface KeyPair {
  /** 45 bytes, canonical (docs/protocol.md section 2) */
  readonly publicKey: Bytes;
  /** 45 bytes */
  readonly privateKey: PrivateKey;
}

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
