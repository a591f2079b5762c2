/**
 * Hybrid messages (G17; docs/decisions/0027): a Secure Message to a curve key, sealed again under a key that ML-KEM-768
 * carries. Both private keys are needed to open one.
 *
 *     (ct, ss) = Encaps(ek)
 *     place    = kind, roomId, epoch, memberId, SHA-256(curve key ‖ ek), SHA-256(ephemeral ‖ ct)
 *     kk       = SHA-256(ctx(hybrid, place, ss))
 *     sealed   = Seal(kk, SecureMessage.encrypt(ephemeral → curve key, plain), ctx(hybrid, place))
 */
import { concat, ctx, type Bytes, type CborValue, type MemberId, type RoomId } from '@0fc/protocol';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Hash, Ports, Random } from '../ports.js';
import { asHybridKey, type HybridKey, type KemSeed } from '../secrets.js';
import { parsePublicKey } from '../verify/identity.js';
import type { HybridPublicKey } from '../verify/prekey.js';
import { openCell, sealCell } from '../cell.js';
import { decryptFrom, encryptTo } from './envelope.js';
import { decapsulate, encapsulate, encapsulationKeyOf, newKemSeed } from './kem.js';

/** The curve pair, and the private half of the KEM's: its public half follows from it. */
export interface HybridKeyPair extends KeyPair {
  readonly seed: KemSeed;
}

/** What a message is for: it opens as nothing else, for nobody else. */
export interface HybridPlace {
  /** `wrap`: under the old key too; `cold-wrap`: of a rotation without one; `grant`: the answer to a needKey */
  readonly kind: 'wrap' | 'cold-wrap' | 'grant';
  readonly roomId: RoomId;
  /** of the key that is carried */
  readonly epoch: number;
  /** whose keys it is for */
  readonly memberId: MemberId;
}

export interface HybridMessage {
  /** the KEM's ciphertext, 1,088 bytes */
  readonly ct: Bytes;
  readonly sealed: Bytes;
}

/** Themis must be loaded. */
export const generateHybridKeyPair = (random: Random): HybridKeyPair => ({
  ...generateKeyPair(),
  seed: newKemSeed(random),
});

export const hybridPublicKey = (pair: HybridKeyPair): HybridPublicKey => ({
  key: pair.publicKey,
  ek: encapsulationKeyOf(pair.seed),
});

/**
 * Encrypts to both keys of `to`. `ephemeral`: a pair for this message, or for those of one rotation; its public half
 * travels beside them. Throws BAD_KEY when either key of `to` is unusable.
 */
export async function encryptHybrid(
  ports: Pick<Ports, 'hash' | 'random'>,
  options: {
    readonly ephemeral: KeyPair;
    readonly to: HybridPublicKey;
    readonly place: HybridPlace;
    readonly plain: Bytes;
  },
): Promise<HybridMessage> {
  const { ephemeral, to } = options;
  const inner = encryptTo(ephemeral.privateKey, to.key, options.plain);
  const { ct, sharedSecret } = encapsulate(ports.random, to.ek);
  const place = await boundPlace(ports.hash, options.place, to, ephemeral.publicKey, ct);
  const kk = await hybridKey(ports.hash, place, sharedSecret);
  try {
    return { ct, sealed: sealCell(kk, inner, ctx('hybrid', ...place)) };
  } finally {
    kk.fill(0);
  }
}

/**
 * The plaintext. `ephemeral`: the public half of the sender's pair. Throws BAD_KEY for an `ephemeral` that is no key,
 * MALFORMED for what is not one message from it, at this place, to these two keys.
 */
export async function decryptHybrid(
  hash: Hash,
  options: {
    readonly pair: HybridKeyPair;
    readonly ephemeral: Bytes;
    readonly place: HybridPlace;
    readonly message: HybridMessage;
  },
): Promise<Bytes> {
  const { pair, message } = options;
  const ephemeral = parsePublicKey(options.ephemeral);
  const { ek, sharedSecret } = decapsulate(pair.seed, message.ct);
  const place = await boundPlace(hash, options.place, { key: pair.publicKey, ek }, ephemeral, message.ct);
  const kk = await hybridKey(hash, place, sharedSecret);
  try {
    const inner = openCell(kk, message.sealed, ctx('hybrid', ...place), { code: 'MALFORMED' });
    return decryptFrom(pair.privateKey, ephemeral, inner);
  } finally {
    kk.fill(0);
  }
}

/**
 * All that both ends know of a message, in the order above. The ephemeral key is in it because the curve alone does not
 * bind it: a point and its negative give one secret.
 */
async function boundPlace(
  hash: Hash,
  { kind, roomId, epoch, memberId }: HybridPlace,
  to: HybridPublicKey,
  ephemeral: Bytes,
  ct: Bytes,
): Promise<readonly CborValue[]> {
  // Each is of one length, as both ends have checked: what is joined can be parted in one way.
  const [keys, encapsulation] = await Promise.all([
    hash.sha256(concat(to.key, to.ek)),
    hash.sha256(concat(ephemeral, ct)),
  ]);
  return [kind, roomId, epoch, memberId, keys, encapsulation];
}

/** Wipes the shared secret, and what it was hashed with. */
async function hybridKey(
  hash: Hash,
  place: readonly CborValue[],
  sharedSecret: Uint8Array,
): Promise<HybridKey> {
  const hashed = ctx('hybrid', ...place, sharedSecret);
  try {
    return asHybridKey(await hash.sha256(hashed));
  } finally {
    hashed.fill(0);
    sharedSecret.fill(0);
  }
}
