/** What this library needs from its platform; the doors `node` and `browser` provide it. */
import type { Bytes } from '@0fc/protocol';

/** The one hash of the protocol (docs/protocol.md section 2). */
export interface Hash {
  /** SHA-256: 32 bytes. */
  sha256(data: Bytes): Promise<Bytes>;
}

/** Where keys, tokens and nonces come from; Themis draws its own. */
export interface Random {
  /** `n` bytes from the platform's cryptographic generator. */
  bytes(n: number): Bytes;
}

/** This device's clock, which may be wrong: what it says orders nothing. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
}

export interface Ports {
  readonly hash: Hash;
  readonly random: Random;
  readonly clock: Clock;
}
