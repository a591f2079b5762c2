/** What this library needs from its platform; the doors `node` and `browser` provide it. */
import type { Bytes } from '@0fc/protocol';
import type { ErasableKey, SlotSecret, VaultKey } from './secrets.js';

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

/** What one derivation of a key from a passphrase costs. */
export interface KdfCost {
  /** memory in KiB */
  readonly m: number;
  /** passes over it */
  readonly t: number;
  /** lanes, which are computed one after the other */
  readonly p: number;
}

/** A cell under a passphrase, with what its first derivation took. All of it is public. */
export interface PassphraseSeal {
  /** 16 bytes, new for each seal */
  readonly salt: Bytes;
  readonly cost: KdfCost;
  readonly sealed: Bytes;
}

/**
 * Seals under a passphrase (docs/protocol.md section 9; G14). What a guess costs is decided here alone. What is sealed with a
 * `beside` opens with the same one only: once that is destroyed, not even a guess can be tried.
 */
export interface Passphrases {
  /** Rejects with PASSPHRASE_WEAK for an empty passphrase, INTERNAL where there is no memory or no WebAssembly. */
  seal(
    passphrase: string,
    data: Bytes | VaultKey | SlotSecret,
    context: Bytes,
    beside?: ErasableKey,
  ): Promise<PassphraseSeal>;
  /**
   * Rejects, before any work, with VAULT_DAMAGED for what `seal` cannot have made; with WRONG_PASSPHRASE for what does
   * not open, of which nobody can say whether a byte of it was changed; INTERNAL as `seal`.
   */
  open(passphrase: string, seal: PassphraseSeal, context: Bytes, beside?: ErasableKey): Promise<Bytes>;
}

export interface Ports {
  readonly hash: Hash;
  readonly random: Random;
  readonly clock: Clock;
}
