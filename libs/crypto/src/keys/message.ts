/** Messages and signals: signed by their sender inside a seal of the room key (docs/protocol.md section 6; G3, G4). */
import {
  ctx, decodeBody, encodeMessageClear, LIMITS, pad, ProtocolError, unpad, type Body, type Bytes, type MemberId,
  type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, isRefusal } from '../errors.js';
import type { KeyPair } from '../key-pair.js';
import type { RoomKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { openCell, sealCell } from './cell.js';
import { signBody } from './pairs.js';

/** The parts of an entry that its sender makes. */
export interface Sealed {
  readonly clear: Bytes;
  readonly payload: Bytes;
}

/** Where something sealed stands, as the log or the relay's event says; the content must agree. */
export interface SealedPlace {
  readonly roomKey: RoomKey;
  readonly roomId: RoomId;
  readonly epoch: number;
  readonly sender: MemberId;
  /** the sender's canonical public key, from the roster */
  readonly senderKey: Bytes;
  readonly payload: Bytes;
}

type Kind = 'message' | 'signal';
type PlacedBody = Body<Kind>;

const context = (kind: Kind, place: Pick<PlacedBody, 'roomId' | 'epoch' | 'sender'>): Bytes =>
  ctx(kind, place.roomId, place.epoch, place.sender);

function fitting(payload: Bytes, limit: number): Bytes {
  if (payload.length > limit) throw new ProtocolError('TOO_LARGE', 'sealed content', { limit });
  return payload;
}

/**
 * Signs and seals a message. `container` is what the profiles and room names of join
 * replies and grants are. Throws MALFORMED, TOO_LARGE.
 */
export function sealMessage(options: {
  readonly identity: KeyPair;
  readonly roomKey: RoomKey;
  readonly body: Body<'message'>;
}): Sealed & { readonly container: Bytes } {
  const { identity, roomKey, body } = options;
  const container = signBody(identity, 'message', body);
  const payload = sealCell(roomKey, pad(container), context('message', body));
  return { clear: encodeMessageClear(body.epoch), payload: fitting(payload, LIMITS.payloadBytes), container };
}

/**
 * The message at a place of the log. Throws a CryptoError whose `alarm` says what to
 * show: ALARM_UNREADABLE, ALARM_BAD_SIGNATURE, or none for UNSUPPORTED_VERSION.
 */
export function openMessage(place: SealedPlace): {
  readonly body: Body<'message'>;
  readonly container: Bytes;
} {
  return open('message', place);
}

/** Signs and seals a signal. Throws MALFORMED, TOO_LARGE. */
export function sealSignal(options: {
  readonly identity: KeyPair;
  readonly roomKey: RoomKey;
  readonly body: Body<'signal'>;
}): Bytes {
  const { identity, roomKey, body } = options;
  const payload = sealCell(roomKey, pad(signBody(identity, 'signal', body)), context('signal', body));
  return fitting(payload, LIMITS.signalBytes);
}

/** A signal as its sender meant it. Throws as {@link openMessage}. */
export function openSignal(place: SealedPlace): Body<'signal'> {
  return open('signal', place).body;
}

/**
 * A profile or room name on its own, as join replies and grants carry them.
 *
 * The caller has looked `senderKey` up by the very `sender` that the container names:
 * `decodeBody(containerBody(container), 'message').body.sender`.
 * Throws BAD_SIGNATURE, BAD_ENTRY (another room, another type of content), MALFORMED.
 */
export function openProfile(senderKey: Bytes, roomId: RoomId, container: Bytes): Body<'message'> {
  const { body } = decodeBody(verifyContainer(senderKey, container), 'message');
  if (body.roomId !== roomId) throw new CryptoError('BAD_ENTRY', 'profile of another room');
  if (body.content.type !== 'profile' && body.content.type !== 'roomName') {
    throw new CryptoError('BAD_ENTRY', 'neither profile nor room name');
  }
  return body;
}

function open<K extends Kind>(
  kind: K,
  place: SealedPlace,
): { readonly body: Body<K>; readonly container: Bytes } {
  return withAlarm(() => {
    const padded = openCell(place.roomKey, place.payload, context(kind, place), { code: 'MALFORMED' });
    const container = unpad(padded);
    const body: Body<K> = decodeBody<K>(verifyContainer(place.senderKey, container), kind).body;
    const { roomId, epoch, sender }: PlacedBody = body;
    if (roomId !== place.roomId || epoch !== place.epoch || sender !== place.sender) {
      // Somebody who holds the room key moved a member's signed words to another place.
      throw new CryptoError('BAD_SIGNATURE', 'signed for another place');
    }
    return { body, container };
  });
}

/** Adds the alarm that a refusal stands for: a member's own fault, or a place that cannot be read. */
function withAlarm<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const { code } = error;
    const forged = code === 'BAD_SIGNATURE' || code === 'BAD_KEY' || code === 'UNKNOWN_KIND';
    const alarm = forged ? 'ALARM_BAD_SIGNATURE' : code === 'UNSUPPORTED_VERSION' ? null : 'ALARM_UNREADABLE';
    throw new CryptoError(code, 'sealed content', { alarm, cause: error });
  }
}
