/** Prekeys and the commitment to a room key. */
import { ctx, type Bytes, type MemberId, type PublishedPrekey, type RoomId } from '@0fc/protocol';
import type { KeyPair } from '../key-pair.js';
import type { Hash, Ports } from '../ports.js';
import type { RoomKey } from '../secrets.js';
import { signBody } from '../sign.js';
import { generateHybridKeyPair, hybridPublicKey, type HybridKeyPair } from './hybrid.js';

interface PrekeyPlace {
  readonly identity: KeyPair;
  readonly roomId: RoomId;
  readonly memberId: MemberId;
  readonly k: number;
}

/** `SHA-256(ctx(key, genesis nonce, epoch, room key))`: commits to a room key (docs/protocol.md section 4). */
export const keyHash = (hash: Hash, nonce: Bytes, epoch: number, key: RoomKey): Promise<Bytes> =>
  hash.sha256(ctx('key', nonce, epoch, key));

/** A fresh prekey, signed for its room: number `k` of this member, from 1 and rising (section 7). */
export async function makePrekey(
  ports: Pick<Ports, 'hash' | 'random'>,
  place: PrekeyPlace,
): Promise<PublishedPrekey & { readonly keyPair: HybridKeyPair }> {
  const keyPair = generateHybridKeyPair(ports.random);
  return { ...(await signPrekey(ports.hash, place, keyPair)), keyPair };
}

/** One that was made before, to be published again. */
export async function signPrekey(
  hash: Hash,
  { identity, roomId, memberId, k }: PrekeyPlace,
  keyPair: HybridKeyPair,
): Promise<PublishedPrekey> {
  const { key, ek } = hybridPublicKey(keyPair);
  const prekey = signBody(identity, 'prekey', { roomId, memberId, k, key, ekHash: await hash.sha256(ek) });
  return { prekey, ek };
}
