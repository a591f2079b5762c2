/** Signatures, prekeys and the commitment to a room key. */
import { PrivateKey, SecureMessageSign } from 'wasm-themis';
import {
  ctx,
  encodeBody,
  type Body,
  type BodyKind,
  type Bytes,
  type MemberId,
  type RoomId,
} from '@0fc/protocol';
import { attempt } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Hash } from '../ports.js';
import type { RoomKey } from '../secrets.js';

/**
 * The signed container of a body. The tag in it says what was signed: no raw bytes are
 * ever signed (docs/protocol.md section 2, G4). Throws MALFORMED for a body that its
 * schema refuses, BAD_KEY for an unusable private key.
 */
export function signBody<K extends BodyKind>(identity: KeyPair, kind: K, body: Body<K>): Bytes {
  const bytes = encodeBody(kind, body);
  return attempt('BAD_KEY', 'cannot sign', () =>
    new SecureMessageSign(new PrivateKey(identity.privateKey)).sign(bytes),
  );
}

/** `SHA-256(ctx(key, genesis nonce, epoch, room key))`: commits to a room key (docs/protocol.md section 4). */
export const keyHash = (hash: Hash, nonce: Bytes, epoch: number, key: RoomKey): Promise<Bytes> =>
  hash.sha256(ctx('key', nonce, epoch, key));

/** A fresh prekey, signed for its room: number `k` of this member, from 1 and rising (section 7). */
export function makePrekey(
  identity: KeyPair,
  roomId: RoomId,
  memberId: MemberId,
  k: number,
): { readonly container: Bytes; readonly keyPair: KeyPair } {
  const keyPair = generateKeyPair();
  return {
    container: signBody(identity, 'prekey', { roomId, memberId, k, key: keyPair.publicKey }),
    keyPair,
  };
}
