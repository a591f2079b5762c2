/**
 * The kinds of secrets, and the guards that alone make one of bytes (docs/protocol.md section 2). A guard stands where
 * a secret comes into being or is opened; where one is decoded, its schema checks the same length.
 */
import { LIMITS, type Bytes, type Secret } from '@0fc/protocol';
import { CryptoError } from './errors.js';

/** What an epoch's messages, signals and wraps are sealed under: 32 bytes. */
export type RoomKey = Secret<'roomKey'>;
/** What the owner's reply to one joiner is sealed under: 32 bytes, drawn by the joiner. */
export type JoinKey = Secret<'joinKey'>;
/** What an invite's link holds and its bearer proves: 32 bytes, drawn by the owner. */
export type InviteToken = Secret<'inviteToken'>;
/** Half of what a record of a vault is sealed under ({@link RecordKey}), and what the blocks of an export are: 32 bytes. */
export type VaultKey = Secret<'vaultKey'>;
/** The secret half of a key pair, as Themis' container: 45 bytes. */
export type PrivateKey = Secret<'privateKey'>;

/** The secret half of an ML-KEM-768 key pair, as the seed that it is made of (FIPS 203: d ‖ z): 64 bytes. */
export type KemSeed = Secret<'kemSeed'>;
/** What the inside of one hybrid message is sealed under: 32 bytes, used once and wiped. */
export type HybridKey = Secret<'hybridKey'>;
/** What one slot of a vault's header is sealed under: 32 bytes, held by a passphrase's lock or by an authenticator. */
export type SlotSecret = Secret<'slotSecret'>;

/**
 * One entry of a vault's key table, beside the vault key in what a record is sealed under: 32 bytes. Overwriting it closes the
 * record for good, whoever has the passphrase.
 */
export type ErasableKey = Secret<'erasableKey'>;
/** What one record of a vault is sealed under: vault key ‖ erasable key, 64 bytes. */
export type RecordKey = Secret<'recordKey'>;

/** What one cell of a feed is sealed under: 32 bytes, on the link only, and used once. */
export type FeedKey = Secret<'feedKey'>;

/** What a Secure Cell takes. */
export type SymmetricKey =
  RoomKey | JoinKey | InviteToken | VaultKey | HybridKey | SlotSecret | RecordKey | FeedKey;

/** Of every secret that a cell takes, but a record's key. */
export const SECRET_BYTES = 32;

const guard =
  <Kind extends string>(kind: Kind, length: number) =>
  (bytes: Bytes): Secret<Kind> => {
    if (bytes.length !== length) {
      const given = String(bytes.length);
      throw new CryptoError('BAD_KEY', `${kind}: ${String(length)} bytes expected, ${given} given`);
    }
    return bytes as Uint8Array as Secret<Kind>;
  };

/** Each gives the very bytes that it is given, not a copy; throws BAD_KEY, naming the kind, for another length. */
export const asRoomKey = guard('roomKey', SECRET_BYTES);
export const asJoinKey = guard('joinKey', SECRET_BYTES);
export const asInviteToken = guard('inviteToken', SECRET_BYTES);
export const asVaultKey = guard('vaultKey', SECRET_BYTES);
export const asPrivateKey = guard('privateKey', LIMITS.publicKeyBytes);
export const asKemSeed = guard('kemSeed', LIMITS.kemSeedBytes);
export const asHybridKey = guard('hybridKey', SECRET_BYTES);
export const asSlotSecret = guard('slotSecret', SECRET_BYTES);
export const asErasableKey = guard('erasableKey', SECRET_BYTES);
export const asFeedKey = guard('feedKey', SECRET_BYTES);
export const asRecordKey = guard('recordKey', 2 * SECRET_BYTES);

/** Plain bytes that hold secrets while one act lasts: all that was kept is wiped with it, however it ends. */
export class Scratch {
  readonly #kept: Bytes[] = [];

  /** Gives the very bytes that it is given. */
  keep(bytes: Bytes): Bytes {
    this.#kept.push(bytes);
    return bytes;
  }

  wipe(): void {
    for (const bytes of this.#kept) bytes.fill(0);
  }
}

/**
 * A secret's own bytes, for whoever writes it where it is kept. Nothing else turns it into {@link Bytes} but by way of
 * a plain Uint8Array.
 */
export const exposeSecret = (secret: Secret<string>): Bytes => secret as Uint8Array;

/** Compares two secrets of one kind, in a time that tells nothing of where they differ. */
export function equalSecrets<S extends Secret<string>>(a: S, b: NoInfer<S>): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
}
