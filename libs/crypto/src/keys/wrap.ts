/**
 * A room key for one member, as a rotation carries it: `Seal(K_old, {k, ct, sealed}, ctx(wrap, …))` around a hybrid
 * message of kind `wrap`. Three secrets are needed: the old key and both halves of prekey `k`. Of a cold rotation it is
 * `{k, ct, sealed}` alone, of kind `cold-wrap`: both halves open it.
 */
import {
  ctx,
  decodeAs,
  encodeAs,
  tagOf,
  wrapBody,
  wrappedKey,
  type Bytes,
  type MemberId,
  type RoomId,
} from '@0fc/protocol';
import { CryptoError, rethrowAs } from '../errors.js';
import type { KeyPair } from '../key-pair.js';
import type { Hash, Ports } from '../ports.js';
import type { RoomKey } from '../secrets.js';
import type { HybridPrekey } from '../verify/prekey.js';
import { openCell, sealCell } from '../cell.js';
import {
  decryptHybrid, encryptHybrid, type HybridKeyPair, type HybridMessage, type HybridPlace,
} from './hybrid.js'; // prettier-ignore

export interface WrapPlace {
  readonly roomId: RoomId;
  readonly newEpoch: number;
  readonly memberId: MemberId;
}

const hybridPlace = ({ roomId, newEpoch, memberId }: WrapPlace, cold: boolean): HybridPlace => ({
  kind: cold ? 'cold-wrap' : 'wrap',
  roomId,
  epoch: newEpoch,
  memberId,
});
const wrapContext = ({ roomId, newEpoch, memberId }: WrapPlace): Bytes =>
  ctx('wrap', roomId, newEpoch, memberId);

/** Throws BAD_KEY when either half of the prekey is unusable. */
export async function sealWrap(
  ports: Pick<Ports, 'hash' | 'random'>,
  options: WrapPlace & {
    /** of this one rotation; its public half stands in the signed clear part */
    readonly ephemeral: KeyPair;
    readonly prekey: HybridPrekey;
    /** null: of a cold rotation */
    readonly oldKey: RoomKey | null;
    readonly newKey: RoomKey;
  },
): Promise<Bytes> {
  const { roomId, newEpoch, memberId, ephemeral, prekey, oldKey, newKey } = options;
  const plain = encodeAs(wrappedKey, [tagOf('wrapped-key'), roomId, newEpoch, memberId, newKey]);
  try {
    const { ct, sealed } = await encryptHybrid(ports, {
      ephemeral,
      to: prekey,
      place: hybridPlace(options, oldKey === null),
      plain,
    });
    const body = encodeAs(wrapBody, { k: prekey.k, ct, sealed });
    return oldKey === null ? body : sealCell(oldKey, body, wrapContext(options));
  } finally {
    plain.fill(0);
  }
}

/**
 * Which prekey a wrap is for, and the hybrid message in it, as {@link unwrap} takes it. `oldKey` null: of a cold rotation. Throws NO_ROOM_KEY under
 * another key, MALFORMED.
 */
export function openWrap(options: WrapPlace & { readonly wrap: Bytes; readonly oldKey: RoomKey | null }): {
  readonly k: number;
  readonly cold: boolean;
  readonly message: HybridMessage;
} {
  const { wrap, oldKey } = options;
  const body = oldKey === null ? wrap : openCell(oldKey, wrap, wrapContext(options), { code: 'NO_ROOM_KEY' });
  const { k, ct, sealed } = decodeAs(wrapBody, body);
  return { k, cold: oldKey === null, message: { ct, sealed } };
}

/**
 * The key of the new epoch, which is still to be compared with its commitment. Throws MALFORMED for a message to another
 * prekey, BAD_KEY for an ephemeral key or a content that is none for this place.
 */
export async function unwrap(
  hash: Hash,
  options: WrapPlace & {
    readonly cold: boolean;
    readonly pair: HybridKeyPair;
    readonly ephemeral: Bytes;
    readonly message: HybridMessage;
  },
): Promise<RoomKey> {
  const { pair, ephemeral, message } = options;
  const place = hybridPlace(options, options.cold);
  const plain = await decryptHybrid(hash, { pair, ephemeral, place, message });
  try {
    const [, roomId, epoch, memberId, key] = await rethrowAs('BAD_KEY', 'wrapped key', async () =>
      decodeAs(wrappedKey, plain),
    );
    if (roomId !== options.roomId || epoch !== options.newEpoch || memberId !== options.memberId)
      throw new CryptoError('BAD_KEY', 'key for something else');
    return key;
  } finally {
    plain.fill(0);
  }
}
