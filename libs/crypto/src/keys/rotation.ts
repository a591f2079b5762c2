/** Rotations (docs/protocol.md section 7; G8, G9): the new key, under the old key and each member's prekey. */
import {
  ctx,
  decodeBody,
  equalBytes,
  type Body,
  type Bytes,
  type MemberId,
  type RotationCommand,
} from '@0fc/protocol';
import { CryptoError, isRefusal } from '../errors.js';
import { generateKeyPair, type KeyPair } from '../key-pair.js';
import type { Hash, Ports } from '../ports.js';
import { asRoomKey, SECRET_BYTES, type RoomKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { memberIdOf } from '../verify/identity.js';
import type { HybridPrekey } from '../verify/prekey.js';
import type { Roster } from '../verify/roster.js';
import { openCell, sealCell } from '../cell.js';
import type { HybridKeyPair } from './hybrid.js';
import { openWrap, sealWrap, unwrap, type WrapPlace } from './wrap.js';
import { keyHash } from './pairs.js';
import { signBody } from '../sign.js';
import { Turns } from '../turns.js';

export interface NewRotation {
  /** stored before it is sent, and repeated exactly until the log holds it (section 4) */
  readonly command: RotationCommand;
  readonly newEpoch: number;
  /** a candidate until the rotation is read back from the log */
  readonly newKey: RoomKey;
  readonly keyHash: Bytes;
  /** members without a usable prekey; to be shown */
  readonly unwrapped: readonly MemberId[];
}

const payloadContext = (rotation: Pick<Body<'rotation'>, 'roomId' | 'newEpoch' | 'owner'>): Bytes =>
  ctx('rotation', rotation.roomId, rotation.newEpoch, rotation.owner);

/**
 * A rotation out of `epoch`, on the roster's head. Whatever else the thread has to do is let in between its wraps.
 *
 * @param options.roster the roster after the removal or leave, where they go together
 * @param options.roomKey key of `epoch`; null: the owner does not have it, and makes a cold rotation
 * @param options.base T where `epoch` began; null: the owner does not know it
 * @param options.prekeys the newest verified prekey of each member that has one
 * @param options.least by member, the number that the last rotation wrapped to: nobody wraps to an earlier one, since
 *   whoever offers that may have its private half
 *
 * Throws NOT_OWNER, BAD_KEY when the owner's own prekey is unusable.
 */
export async function makeRotation(
  ports: Ports,
  options: {
    readonly identity: KeyPair;
    readonly roster: Roster;
    readonly epoch: number;
    readonly roomKey: RoomKey | null;
    readonly base: Bytes | null;
    readonly prekeys: ReadonlyMap<MemberId, HybridPrekey>;
    readonly least: ReadonlyMap<MemberId, number>;
  },
): Promise<NewRotation> {
  const { identity, roster, roomKey, prekeys, least } = options;
  const { roomId, owner, head } = roster;
  if ((await memberIdOf(ports.hash, identity.publicKey)) !== owner) {
    throw new CryptoError('NOT_OWNER', 'only the owner rotates');
  }
  const newEpoch = options.epoch + 1;
  const newKey = asRoomKey(ports.random.bytes(SECRET_BYTES));
  const ephemeral = generateKeyPair();

  const wraps: Record<MemberId, Bytes> = {};
  const unwrapped: MemberId[] = [];
  const used: number[] = [];
  try {
    const commitment = await keyHash(ports.hash, roster.nonce, newEpoch, newKey);
    const turns = new Turns();
    for (const member of roster.members.values()) {
      const place = { roomId, newEpoch, memberId: member.memberId };
      const prekey = prekeys.get(member.memberId) ?? null;
      // Its own private half the owner has: no number of another's keeps it from a key.
      const usable =
        prekey !== null && (member.memberId === owner || prekey.k >= (least.get(member.memberId) ?? 0));
      const wrap = usable
        ? await tryWrap(ports, { ...place, ephemeral, prekey, oldKey: roomKey, newKey })
        : null;
      await turns.step();
      used.push(usable && wrap !== null ? prekey.k : 0);
      if (wrap !== null) wraps[member.memberId] = wrap;
      else if (member.memberId === owner)
        throw new CryptoError('BAD_KEY', 'the owner’s own prekey is unusable');
      else unwrapped.push(member.memberId);
    }

    const inner = signBody(identity, 'rotationInner', {
      roomId,
      newEpoch,
      owner,
      head,
      keyHash: commitment,
      prekeys: used,
    });
    const payload =
      roomKey === null ? inner : sealCell(roomKey, inner, payloadContext({ roomId, newEpoch, owner }));
    const clear = signBody(identity, 'rotation', {
      roomId,
      newEpoch,
      owner,
      head,
      keyHash: commitment,
      ephemeral: ephemeral.publicKey,
      unwrapped,
      payload: await ports.hash.sha256(payload),
      base: options.base,
      signedAt: ports.clock.now(),
      cold: roomKey === null,
    });
    return { command: { clear, payload, wraps }, newEpoch, newKey, keyHash: commitment, unwrapped };
  } catch (error) {
    newKey.fill(0);
    throw error;
  } finally {
    ephemeral.privateKey.fill(0);
  }
}

/** Null when a half of the prekey is unusable: one bad member never blocks the others. */
async function tryWrap(ports: Ports, wrap: Parameters<typeof sealWrap>[1]): Promise<Bytes | null> {
  try {
    return await sealWrap(ports, wrap);
  } catch (error) {
    if (isRefusal(error) && error.code === 'BAD_KEY') return null;
    throw error;
  }
}

/**
 * Which of the reader's prekeys a wrap uses: a client compares it with those used before
 * (ALARM_PREKEY_ROLLED_BACK). `oldKey` null: of a cold rotation. Throws NO_ROOM_KEY with ALARM_NO_KEY.
 */
export function wrapPrekey(options: Parameters<typeof openWrap>[0]): number {
  return openOrNoKey(options).k;
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

const openOrNoKey = (options: Parameters<typeof openWrap>[0]): ReturnType<typeof openWrap> =>
  refusing(
    (cause) => noKey('wrap does not open', cause),
    () => openWrap(options),
  );

/**
 * The key of the new epoch.
 *
 * @param options.rotation the clear part, as verifyRotation returned it
 * @param options.payload the bytes that verifyRotation compared with it
 * @param options.oldKey key of the epoch before; nothing of a cold rotation is under it
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
    readonly oldKey: RoomKey | null;
    readonly memberId: MemberId;
    readonly prekeys: ReadonlyMap<number, HybridKeyPair>;
  },
): Promise<{ readonly key: RoomKey; readonly k: number }> {
  const { roster, rotation, memberId } = options;
  const { roomId, newEpoch } = rotation;
  const used = rotationPrekeys(options).get(memberId);
  const place: WrapPlace = { roomId, newEpoch, memberId };
  if (options.wrap === undefined) throw noKey('no wrap arrived');
  const oldKey = rotation.cold ? null : options.oldKey;
  const { k, cold, message } = openOrNoKey({ ...place, wrap: options.wrap, oldKey });
  // A number that is not the wrap's would keep this member from the next owner's wraps.
  if (used !== k) throw foreign('another prekey is listed');
  const pair = options.prekeys.get(k);
  if (pair === undefined) throw noKey('prekey no longer held');
  const { ephemeral } = rotation;
  const key = await unwrap(hash, { ...place, cold, pair, ephemeral, message }).catch((error: unknown) => {
    if (!isRefusal(error)) throw error;
    // What opens only the owner can have made.
    throw error.code === 'BAD_KEY'
      ? wrongKey('key for something else')
      : noKey('wrap is for another prekey', error);
  });
  if (!equalBytes(await keyHash(hash, roster.nonce, newEpoch, key), rotation.keyHash)) {
    throw wrongKey('key misses its commitment');
  }
  return { key, k };
}

/**
 * The number of the prekey that each member's wrap uses, of those that have one, from the rotation's payload. Sealed, it
 * proves that the rotation comes from a holder of the old key; it must say what the clear part says.
 *
 * Throws a CryptoError with ALARM_FOREIGN_ROTATION.
 */
export function rotationPrekeys(options: {
  readonly roster: Roster;
  readonly rotation: Body<'rotation'>;
  readonly payload: Bytes;
  readonly oldKey: RoomKey | null;
}): ReadonlyMap<MemberId, number> {
  const { roster, rotation, payload, oldKey } = options;
  const ownerKey = roster.members.get(rotation.owner)?.key;
  if (rotation.owner !== roster.owner || ownerKey === undefined) throw foreign('not by the owner');
  return refusing(
    (cause) => foreign('sealed part', cause),
    () => {
      const container = innerOf(rotation, payload, oldKey);
      const { body } = decodeBody(verifyContainer(ownerKey, container), 'rotationInner');
      const same =
        body.roomId === rotation.roomId &&
        body.newEpoch === rotation.newEpoch &&
        body.owner === rotation.owner &&
        equalBytes(body.head, rotation.head) &&
        equalBytes(body.keyHash, rotation.keyHash) &&
        body.prekeys.length === roster.members.size;
      if (!same) throw foreign('sealed and clear part differ');
      const ids = [...roster.members.keys()];
      return new Map(ids.map((id, at) => [id, body.prekeys[at] ?? 0] as const).filter(([, k]) => k > 0));
    },
  );
}

function innerOf(rotation: Body<'rotation'>, payload: Bytes, oldKey: RoomKey | null): Bytes {
  if (rotation.cold) return payload;
  if (oldKey === null) throw foreign('sealed under a key that is not here');
  return openCell(oldKey, payload, payloadContext(rotation), { code: 'BAD_ENTRY' });
}
