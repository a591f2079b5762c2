/**
 * Frames on the link (docs/protocol.md section 3).
 *
 * On the wire: `version ‖ type ‖ bytes`, as one opaque binary message. A session frame is one connection's: its bytes are
 * a Secure Session's, and in it is, padded, `CBOR[n, [message, …]]`. A feed frame is sealed once for all that are live in a
 * room: `n ‖ c ‖ tag ‖ cell`, and in the cell is, padded, `CBOR[message, …]`. `n` rises by one with each frame of either
 * sort, in each direction, from 1.
 */
import * as v from 'valibot';
import { concat, type Bytes } from './bytes.js';
import { ERROR_CODES, ProtocolError, type ErrorCode } from './errors.js';
import { LIMITS } from './limits.js';
import { countItems, encodeCbor, type CborValue } from './codec.js';
import { padFrame, unpadFrame } from './padding.js';
import { decodeAs, encodeAs, integer, parse, text, type InferOutput } from './schema.js';

/** Of frames and of what the session carries: a number of its own beside the version of rooms. */
export const LINK_VERSION = 2;

/** The Socket.IO event that carries every frame, both ways. */
export const FRAME_EVENT = 'frame';
export const FRAME_TYPES = { handshake: 0, session: 1, feed: 2 } as const;
export type FrameType = (typeof FRAME_TYPES)[keyof typeof FRAME_TYPES];

/** One frame of the wire: two bytes more than `body`. */
export const encodeFrame = (type: FrameType, body: Bytes): Bytes =>
  concat(Uint8Array.of(LINK_VERSION, type), body);

/** Throws MALFORMED, TOO_LARGE or UNSUPPORTED_VERSION. */
export function decodeFrame(data: unknown): { readonly type: FrameType; readonly body: Bytes } {
  if (!(data instanceof Uint8Array) || data.length < 3)
    throw new ProtocolError(ERROR_CODES.MALFORMED, 'not a frame');
  if (data.length > LIMITS.frameBytes) throw new ProtocolError(ERROR_CODES.TOO_LARGE, 'frame too large');
  if (data[0] !== LINK_VERSION) throw new ProtocolError(ERROR_CODES.UNSUPPORTED_VERSION, 'frame version');
  const type = data[1];
  if (type !== FRAME_TYPES.handshake && type !== FRAME_TYPES.session && type !== FRAME_TYPES.feed) {
    throw new ProtocolError(ERROR_CODES.MALFORMED, 'unknown frame type');
  }
  if (type === FRAME_TYPES.handshake && data.length > LIMITS.handshakeBytes) {
    throw new ProtocolError(ERROR_CODES.TOO_LARGE, 'handshake frame too large');
  }
  return { type, body: Uint8Array.from(data.subarray(2)) };
}

const anyBody = v.record(v.string(), v.unknown());
const kind = text(1, 32);
const errorBody = v.strictObject({
  code: text(1, 64),
  params: v.exactOptional(v.record(v.string(), v.union([v.string(), v.number()]))),
});

/** A request, the reply or the error that ends it, or an event of the relay. */
export const sessionMessage = v.union([
  v.strictObject({ q: integer(1), kind, body: anyBody }),
  v.strictObject({ r: integer(1), body: anyBody }),
  v.strictObject({ r: integer(1), error: errorBody }),
  v.strictObject({ e: kind, body: anyBody }),
]);
export type SessionMessage = InferOutput<typeof sessionMessage>;
export type WireError = {
  readonly code: ErrorCode;
  readonly params?: Readonly<Record<string, string | number>>;
};

const encoded = new WeakMap<SessionMessage, Bytes>();

/**
 * A message as it stands in a frame. Checked and encoded once, however often it is measured and to however
 * many it goes: nobody changes it afterwards. Throws MALFORMED.
 */
export function encodeMessage(message: SessionMessage): Bytes {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  // In a frame, so that how deeply it may be nested is judged as the other end does; the frame's head goes again.
  const bytes = encodeCbor([0, [parse(sessionMessage, message) as unknown as CborValue]]).subarray(3);
  encoded.set(message, bytes);
  return bytes;
}

export const messageList = v.pipe(v.array(sessionMessage), v.minLength(1), v.maxLength(LIMITS.frameMessages));
const sessionFrame = v.strictTuple([integer(1), messageList]);

/** As many as there are messages. */
export const placeholders = v.pipe(v.array(v.literal(0)), v.minLength(1), v.maxLength(LIMITS.frameMessages));
const frameHead = v.strictTuple([integer(1), placeholders]);

/**
 * The heads of the arrays around messages, as the codec has them where each message would be a zero, then the messages;
 * padded. Throws MALFORMED, TOO_LARGE.
 */
export function encodePaddedList(withPlaceholders: Bytes, messages: readonly SessionMessage[]): Bytes {
  const data = concat(withPlaceholders.slice(0, -messages.length), ...messages.map(encodeMessage));
  countItems(data, LIMITS.frameItems);
  return padFrame(data);
}

/** Padded. Throws MALFORMED, or TOO_LARGE when the result exceeds the limit of a frame. */
export const encodeSessionFrame = (n: number, messages: readonly SessionMessage[]): Bytes =>
  encodePaddedList(encodeAs(frameHead, [n, messages.map(() => 0)]), messages);

/** The messages, and how many values they and the frame hold: what taking it has cost beside its bytes. */
export interface FrameContent {
  readonly messages: readonly SessionMessage[];
  readonly items: number;
}

/** Throws MALFORMED, TOO_LARGE, or OUT_OF_SEQUENCE unless the counter is exactly `last + 1`. */
export function decodeSessionFrame(padded: Bytes, last: number): FrameContent {
  const data = unpadFrame(padded);
  const items = countItems(data, LIMITS.frameItems);
  const [n, messages] = decodeAs(sessionFrame, data);
  if (n !== last + 1) throw new ProtocolError(ERROR_CODES.OUT_OF_SEQUENCE, 'frame counter');
  return { messages, items };
}
