/** What this library needs from its platform; the doors `node` and `browser` provide it. */
import type { Bytes } from '@0fc/protocol';
import type { PrivateKey } from './secrets.js';

export interface Hash {
  /** SHA-256: 32 bytes. */
  sha256(data: Bytes): Promise<Bytes>;
}

export interface Random {
  /** `n` bytes from the platform's cryptographic generator. */
  bytes(n: number): Bytes;
}

export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
}

export interface Ports {
  readonly hash: Hash;
  readonly random: Random;
  readonly clock: Clock;
}

/** An elliptic-curve key pair as Themis containers. */
export interface KeyPair {
  /** 45 bytes, canonical (docs/protocol.md section 2) */
  readonly publicKey: Bytes;
  /** 45 bytes */
  readonly privateKey: PrivateKey;
}
