/** Rotations (docs/protocol.md section 7; G8, G9): the new key, under the old key and each member's prekey. */
import {
  ctx, decodeAs, decodeBody, encodeAs, equalBytes, wrapBody, wrappedKey, type Body, type Bytes, type MemberId,
  type RoomId, type RotationCommand,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, isRefusal } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Hash, Ports } from '../ports.js';
import { asRoomKey, SECRET_BYTES, type RoomKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { memberIdOf } from '../verify/identity.js';
import type { Roster } from '../verify/roster.js';
import { openCell, sealCell } from './cell.js';
import { decryptFrom, encryptTo } from './envelope.js';
import { keyHash, signBody } from './pairs.js';

/** A prekey of somebody else: its number and the bare public key. */
export interface PublicPrekey {
  readonly k: number;
  readonly key: Bytes;
}

export interface NewRotation {
  /** stored before it is sent, and repeated exactly until the log holds it (section 4) */
  readonly command: RotationCommand;
  readonly newEpoch: number;
  /** a candidate until the rotation is read back from the log */
  readonly newKey: RoomKey;
  readonly keyHash: Bytes;
  /** members whose prekey is unusable; to be shown */
  readonly unwrapped: readonly MemberId[];
}

const payloadContext = (rotation: Pick<Body<'rotation'>, 'roomId' | 'newEpoch' | 'owner'>): Bytes =>
  ctx('rotation', rotation.roomId, rotation.newEpoch, rotation.owner);
const wrapContext = (roomId: RoomId, newEpoch: number, memberId: MemberId): Bytes =>
  ctx('wrap', roomId, newEpoch, memberId);

/**
 * A rotation out of `epoch`, on the roster's head.
 *
 * @param options.roster the roster after the removal or leave, where they go together
 * @param options.roomKey key of `epoch`
 * @param options.prekeys the newest verified prekey of each member; the first one of genesis or admit otherwise
 *
 * Throws NOT_OWNER, BAD_KEY when the owner's own prekey is unusable.
 */
export async function makeRotation(
  ports: Ports,
  options: {
    readonly identity: KeyPair;
    readonly roster: Roster;
    readonly epoch: number;
    readonly roomKey: RoomKey;
    readonly prekeys: ReadonlyMap<MemberId, PublicPrekey>;
  },
): Promise<NewRotation> {
  const { identity, roster, roomKey, prekeys } = options;
  const { roomId, owner, head } = roster;
  if ((await memberIdOf(ports.hash, identity.publicKey)) !== owner) {
    throw new CryptoError('NOT_OWNER', 'only the owner rotates');
  }
  const newEpoch = options.epoch + 1;
  const newKey = asRoomKey(ports.random.bytes(SECRET_BYTES));
  const commitment = await keyHash(ports.hash, roster.nonce, newEpoch, newKey);
  const ephemeral = generateKeyPair();

  const wraps: Record<MemberId, Bytes> = {};
  const unwrapped: MemberId[] = [];
  for (const member of roster.members.values()) {
    const place = { roomId, newEpoch, memberId: member.memberId };
    const wrap = tryWrap(ephemeral, prekeys.get(member.memberId) ?? member.prekey, place, roomKey, newKey);
    if (wrap !== null) wraps[member.memberId] = wrap;
    else if (member.memberId === owner)
      throw new CryptoError('BAD_KEY', 'the owner’s own prekey is unusable');
    else unwrapped.push(member.memberId);
  }
  ephemeral.privateKey.fill(0);

  const inner = signBody(identity, 'rotationInner', { roomId, newEpoch, owner, head, keyHash: commitment });
  const payload = sealCell(roomKey, inner, payloadContext({ roomId, newEpoch, owner }));
  const clear = signBody(identity, 'rotation', {
    roomId,
    newEpoch,
    owner,
    head,
    keyHash: commitment,
    ephemeral: ephemeral.publicKey,
    unwrapped,
    payload: await ports.hash.sha256(payload),
  });
  return { command: { clear, payload, wraps }, newEpoch, newKey, keyHash: commitment, unwrapped };
}

interface WrapPlace {
  readonly roomId: RoomId;
  readonly newEpoch: number;
  readonly memberId: MemberId;
}

/** Null when the prekey does not parse or is no point of the curve: one bad member never blocks the others. */
function tryWrap(
  ephemeral: KeyPair,
  prekey: PublicPrekey,
  place: WrapPlace,
  roomKey: RoomKey,
  newKey: RoomKey,
): Bytes | null {
  const { roomId, newEpoch, memberId } = place;
  const plain = encodeAs(wrappedKey, ['0fc/1/wrapped-key', roomId, newEpoch, memberId, newKey]);
  try {
    const sealed = encryptTo(ephemeral.privateKey, prekey.key, plain);
    return sealCell(
      roomKey,
      encodeAs(wrapBody, { k: prekey.k, sealed }),
      wrapContext(roomId, newEpoch, memberId),
    );
  } catch (error) {
    if (isRefusal(error) && error.code === 'BAD_KEY') return null;
    throw error;
  } finally {
    plain.fill(0);
  }
}

/**
 * Which of the reader's prekeys a wrap uses: a client compares it with those used before
 * (ALARM_PREKEY_ROLLED_BACK). Throws NO_ROOM_KEY with ALARM_NO_KEY.
 */
export function wrapPrekey(options: WrapPlace & { readonly wrap: Bytes; readonly oldKey: RoomKey }): number {
  return openWrap(options, options.wrap, options.oldKey).k;
}

const noKey = (detail: string, cause?: unknown): CryptoError =>
  new CryptoError('NO_ROOM_KEY', detail, { alarm: 'ALARM_NO_KEY', cause });
const wrongKey = (detail: string): CryptoError =>
  new CryptoError('BAD_KEY', detail, { alarm: 'ALARM_WRONG_KEY' });
const foreign = (detail: string, cause?: unknown): CryptoError =>
  new CryptoError('BAD_ENTRY', detail, { alarm: 'ALARM_FOREIGN_ROTATION', cause });

/** Runs `run`; a refusal becomes what `as` makes of it. */
function refusing<T>(as: (cause: unknown) => CryptoError, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw isRefusal(error) ? as(error) : error;
  }
}

function openWrap(
  place: WrapPlace,
  wrap: Bytes,
  oldKey: RoomKey,
): { readonly k: number; readonly sealed: Bytes } {
  const context = wrapContext(place.roomId, place.newEpoch, place.memberId);
  return refusing(
    (cause) => noKey('wrap does not open', cause),
    () => decodeAs(wrapBody, openCell(oldKey, wrap, context, { code: 'NO_ROOM_KEY' })),
  );
}

/**
 * The key of the new epoch.
 *
 * @param options.rotation the clear part, as verifyRotation returned it
 * @param options.payload the bytes that verifyRotation compared with it
 * @param options.oldKey key of the epoch before
 * @param options.prekeys this member's own prekeys by number
 *
 * Throws a CryptoError with an `alarm`: ALARM_FOREIGN_ROTATION (not sealed under the old
 * key, or saying something else inside), ALARM_NO_KEY (no wrap, or none that opens),
 * ALARM_WRONG_KEY (the owner's key misses its own commitment).
 */
export async function openRotation(
  hash: Hash,
  options: {
    readonly roster: Roster;
    readonly rotation: Body<'rotation'>;
    readonly payload: Bytes;
    readonly wrap: Bytes | undefined;
    readonly oldKey: RoomKey;
    readonly memberId: MemberId;
    readonly prekeys: ReadonlyMap<number, KeyPair>;
  },
): Promise<{ readonly key: RoomKey; readonly k: number }> {
  const { roster, rotation, oldKey, memberId } = options;
  const { roomId, newEpoch } = rotation;
  checkInner(roster, rotation, options.payload, oldKey);
  if (options.wrap === undefined) throw noKey('no wrap arrived');
  const { k, sealed } = openWrap({ roomId, newEpoch, memberId }, options.wrap, oldKey);
  const prekey = options.prekeys.get(k);
  if (prekey === undefined) throw noKey('prekey no longer held');
  const plain = refusing(
    (cause) => noKey('wrap is for another prekey', cause),
    () => decryptFrom(prekey.privateKey, rotation.ephemeral, sealed),
  );
  // From here on only the owner can have made it.
  const [, room, epoch, member, key] = refusing(
    () => wrongKey('wrapped key malformed'),
    () => decodeAs(wrappedKey, plain),
  );
  plain.fill(0);
  if (room !== roomId || epoch !== newEpoch || member !== memberId) throw wrongKey('key for something else');
  if (!equalBytes(await keyHash(hash, roster.nonce, newEpoch, key), rotation.keyHash)) {
    throw wrongKey('key misses its commitment');
  }
  return { key, k };
}

/** The sealed part proves that the rotation comes from a holder of the old key, and must say what the clear part says. */
function checkInner(roster: Roster, rotation: Body<'rotation'>, payload: Bytes, oldKey: RoomKey): void {
  const ownerKey = roster.members.get(rotation.owner)?.key;
  if (rotation.owner !== roster.owner || ownerKey === undefined) throw foreign('not by the owner');
  refusing(
    (cause) => foreign('sealed part', cause),
    () => {
      const container = openCell(oldKey, payload, payloadContext(rotation), { code: 'BAD_ENTRY' });
      const { body } = decodeBody(verifyContainer(ownerKey, container), 'rotationInner');
      const same =
        body.roomId === rotation.roomId &&
        body.newEpoch === rotation.newEpoch &&
        body.owner === rotation.owner &&
        equalBytes(body.head, rotation.head) &&
        equalBytes(body.keyHash, rotation.keyHash);
      if (!same) throw foreign('sealed and clear part differ');
    },
  );
}
