/** Messages and signals: signed by their sender inside a seal of the room key (docs/protocol.md section 6; G3, G4). */
import {
  ctx, decodeBody, encodeMessageClear, equalBytes, LIMITS, pad, ProtocolError, unpad, type Body, type Bytes, type CborValue, type Content, type MemberId,
  type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, isRefusal } from '../errors.js';
import type { KeyPair } from '../key-pair.js';
import type { RoomKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { openCell, sealCell } from '../cell.js';
import { signBody } from '../sign.js';

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

/** `unknown`: signed fields that this version does not know. */
export interface Opened<K extends Kind> {
  readonly body: Body<K>;
  readonly container: Bytes;
  readonly unknown: Readonly<Record<string, CborValue>>;
}
export type OpenedMessage = Opened<'message'>;
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
export function openMessage(place: SealedPlace): Opened<'message'> {
  return open('message', place);
}

/**
 * A message of an earlier epoch, as the content that sends it again in the next one (G18). `roomKey` and `body`: of the
 * epoch in which it was sealed first. Throws MALFORMED, TOO_LARGE.
 */
export function sealAgain(options: Parameters<typeof sealMessage>[0]): Extract<Content, { type: 'again' }> {
  const payload = fitting(sealMessage(options).payload, LIMITS.againBytes);
  return { type: 'again', epoch: options.body.epoch, payload };
}

/** Contents that never travel inside another message: itself, and what everybody gets in any case. */
const NEVER_AGAIN: ReadonlySet<string> = new Set(['again', 'profile', 'roomName']);

/**
 * The message that a content `again` holds. `place`: as of {@link openMessage}, with epoch and payload of that content;
 * `outer`: the message that brought it. It has to be its sender's own, of the epoch before and under the same counter
 * and nonce. Null: `roomKey` is, since there is none of that epoch. Throws as {@link openMessage}; what is inside proves
 * nothing by its `seen`.
 */
export function openAgain(
  place: Omit<SealedPlace, 'roomKey'> & { readonly roomKey: RoomKey | null },
  outer: Body<'message'>,
): OpenedMessage | null {
  return withAlarm(() => {
    const { roomKey } = place;
    if (place.epoch !== outer.epoch - 1) throw new CryptoError('BAD_ENTRY', 'not of the epoch before');
    if (roomKey === null) return null;
    const opened = open('message', { ...place, roomKey });
    const { instance, n, mid, content } = opened.body;
    const same = n === outer.n && equalBytes(instance, outer.instance) && equalBytes(mid, outer.mid);
    if (!same) throw new CryptoError('BAD_SIGNATURE', 'signed under another counter');
    if (NEVER_AGAIN.has(content.type)) throw new CryptoError('BAD_ENTRY', 'never sent again inside another');
    return opened;
  });
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

function open<K extends Kind>(kind: K, place: SealedPlace): Opened<K> {
  return withAlarm(() => {
    const padded = openCell(place.roomKey, place.payload, context(kind, place), { code: 'MALFORMED' });
    const container = unpad(padded);
    const decoded = decodeBody<K>(verifyContainer(place.senderKey, container), kind);
    const { unknown } = decoded;
    const body: Body<K> = decoded.body;
    const { roomId, epoch, sender }: PlacedBody = body;
    if (roomId !== place.roomId || epoch !== place.epoch || sender !== place.sender) {
      // Somebody who holds the room key moved a member's signed words to another place.
      throw new CryptoError('BAD_SIGNATURE', 'signed for another place');
    }
    return { body, container, unknown };
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
