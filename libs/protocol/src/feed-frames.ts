/** Feed frames: what is sealed once for all that are live in a room (docs/protocol.md section 3.2). */
import * as v from 'valibot';
import type { Bytes } from './bytes.js';
import { countItems, encodeCbor, type CborValue } from './codec.js';
import { ERROR_CODES, ProtocolError } from './errors.js';
import {
  encodePaddedList, FRAME_TYPES, LINK_VERSION, messageList, placeholders, type FrameContent, type SessionMessage,
} from './frames.js'; // prettier-ignore
import { LIMITS } from './limits.js';
import { unpadFrame } from './padding.js';
import { bytes, decodeAs, encodeAs, integer, type InferOutput } from './schema.js';

/** Contexts of a feed's cells and keys: of the link, and of no room. */
export const linkCtx = (kind: 'feed' | 'feed-key', ...fields: readonly CborValue[]): Bytes =>
  encodeCbor([`0fc-link/${String(LINK_VERSION)}/${kind}`, ...fields]);

/** What goes to all at once: nothing that is one member's alone, and nothing that moves a client on the relay's word. */
const FEED_KINDS: readonly string[] = ['entries', 'signalled'];

/** Whether a feed carries it. */
export const isFeedMessage = (message: SessionMessage): boolean =>
  'e' in message && FEED_KINDS.includes(message.e);

/** What a feed frame's cell holds, padded. Throws MALFORMED, TOO_LARGE. */
export const encodeFeedContent = (messages: readonly SessionMessage[]): Bytes =>
  encodePaddedList(
    encodeAs(
      placeholders,
      messages.map(() => 0),
    ),
    messages,
  );

/** Throws MALFORMED, also for what no feed carries, or TOO_LARGE. */
export function decodeFeedContent(padded: Bytes): FrameContent {
  const data = unpadFrame(padded);
  const items = countItems(data, LIMITS.frameItems);
  const messages = decodeAs(messageList, data);
  if (!messages.every(isFeedMessage)) throw new ProtocolError(ERROR_CODES.MALFORMED, 'not for a feed');
  return { messages, items };
}

export const FEED_ID_BYTES = 16;
const MOST_COUNTED = 2 ** 48 - 1;

/** By this a connection takes part in a feed from cell `c` on: an event inside its session. */
export const FEED_EVENT = 'feed';
export const feedGrant = v.strictObject({
  feedId: bytes(FEED_ID_BYTES),
  c: integer(1, MOST_COUNTED),
  key: bytes(LIMITS.hashBytes),
  tagKey: bytes(LIMITS.hashBytes),
});
export type FeedGrant = InferOutput<typeof feedGrant>;

/**
 * How many cells a connection may leave out at a time, which got what was in them inside its session: the key of the one
 * behind them is computed at once.
 */
export const FEED_SKIPPED_CELLS = 256;
export const FEED_TAG_BYTES = 16;
/** `n` and `c`, of six bytes each, and the tag. */
const FEED_HEAD_BYTES = 12 + FEED_TAG_BYTES;

export interface FeedHead {
  /** number of this frame among all of its connection */
  readonly n: number;
  /** number of its cell in its feed */
  readonly c: number;
  readonly tag: Bytes;
}

/** What stands before the cell in a feed frame. */
export function encodeFeedHead({ n, c, tag }: FeedHead): Bytes {
  const head = new Uint8Array(2 + FEED_HEAD_BYTES);
  head[0] = LINK_VERSION;
  head[1] = FRAME_TYPES.feed;
  writeCount(head, 2, n);
  writeCount(head, 8, c);
  head.set(tag, 14);
  return head;
}

/** Of a frame's bytes behind its type. Throws MALFORMED. */
export function decodeFeedFrame(body: Bytes): FeedHead & { readonly cell: Bytes } {
  if (body.length <= FEED_HEAD_BYTES) throw new ProtocolError(ERROR_CODES.MALFORMED, 'not a feed frame');
  return {
    n: readCount(body, 0),
    c: readCount(body, 6),
    tag: body.subarray(12, FEED_HEAD_BYTES),
    cell: body.subarray(FEED_HEAD_BYTES),
  };
}

/** Six bytes, big-endian. */
export function writeCount(into: Bytes, at: number, count: number): void {
  const high = Math.floor(count / 2 ** 32);
  into[at] = high >>> 8;
  into[at + 1] = high;
  into[at + 2] = count >>> 24;
  into[at + 3] = count >>> 16;
  into[at + 4] = count >>> 8;
  into[at + 5] = count;
}

function readCount(from: Bytes, at: number): number {
  const view = new DataView(from.buffer, from.byteOffset);
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}
