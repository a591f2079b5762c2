/** A new room (docs/protocol.md section 4). */
import { PROTOCOL_VERSION, toBase64Url, type Bytes, type RoomId, type RoomSettings } from '@0fc/protocol';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Ports } from '../ports.js';
import { asRoomKey, SECRET_BYTES, type RoomKey } from '../secrets.js';
import { bodyHash } from '../verify/container.js';
import { generateHybridKeyPair, type HybridKeyPair } from './hybrid.js';
import { keyHash } from './pairs.js';
import { signBody } from '../sign.js';

export interface NewRoom {
  /** the signed genesis: entry 0 */
  readonly container: Bytes;
  readonly roomId: RoomId;
  readonly identity: KeyPair;
  /** of epoch 1 */
  readonly roomKey: RoomKey;
  /** number 1, to be published as every other */
  readonly prekey: HybridKeyPair;
  readonly nonce: Bytes;
}

/**
 * Everything an owner needs for a room of its own. `identity`: its key pair there, made here where none is given.
 * Throws MALFORMED for settings out of range.
 */
export async function createGenesis(
  ports: Ports,
  options: { readonly settings: RoomSettings; readonly identity?: KeyPair },
): Promise<NewRoom> {
  const { identity = generateKeyPair() } = options;
  const prekey = generateHybridKeyPair(ports.random);
  const roomKey = asRoomKey(ports.random.bytes(SECRET_BYTES));
  const nonce = ports.random.bytes(32);
  const container = signBody(identity, 'genesis', {
    version: PROTOCOL_VERSION,
    ownerKey: identity.publicKey,
    nonce,
    keyHash: await keyHash(ports.hash, nonce, 1, roomKey),
    settings: options.settings,
  });
  const roomId = toBase64Url((await bodyHash(ports.hash, container)).subarray(0, 16)) as RoomId;
  return { container, roomId, identity, roomKey, prekey, nonce };
}
