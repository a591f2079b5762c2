/** A signature over any bytes at all: what somebody with a member's key can make, and no client does. */
import { PrivateKey, SecureMessageSign } from 'wasm-themis';
import type { Bytes } from '@0fc/protocol';
import type { KeyPair } from '../key-pair.js';

export const signAnything = (identity: KeyPair, bytes: Bytes): Bytes =>
  new SecureMessageSign(new PrivateKey(identity.privateKey)).sign(bytes);
