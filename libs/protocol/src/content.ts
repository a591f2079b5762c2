/** What a message says (docs/protocol.md section 6.6): sealed, so the relay never sees this. */
import * as v from 'valibot';
import { LIMITS } from './limits.js';
import {
  bytes,
  epoch,
  hash32,
  integer,
  memberId,
  name,
  position,
  random16,
  text,
  type InferOutput,
} from './schema.js';

/** What a sender had read when it sealed (docs/protocol.md section 6.5). */
export const seen = v.strictObject({
  position,
  /** T there; null: the sender cannot know it before the next rotation, after a loss */
  t: v.nullable(hash32),
  /** its own T where the epoch before began, where the owner's checkpoint was another */
  differed: v.exactOptional(hash32),
});

/** A message is named by its sender, the sender's instance and its counter. */
export const target = v.strictObject({ sender: memberId, instance: random16, n: integer(1) });
export type Target = InferOutput<typeof target>;

const body = text(1, LIMITS.textBytes);
/** the words are those of its last edit: what it said first is gone at its sender (section 6.9) */
const edited = v.exactOptional(v.literal(true));

export const content = v.variant('type', [
  v.strictObject({ type: v.literal('text'), text: body, edited }),
  v.strictObject({ type: v.literal('reply'), to: target, text: body, edited }),
  v.strictObject({
    type: v.literal('reaction'),
    to: target,
    emoji: text(1, LIMITS.emojiBytes),
    on: v.boolean(),
  }),
  v.strictObject({ type: v.literal('edit'), to: target, text: body }),
  v.strictObject({ type: v.literal('delete'), to: target }),
  v.strictObject({ type: v.literal('profile'), name }),
  v.strictObject({ type: v.literal('roomName'), name }),
  v.strictObject({ type: v.literal('readMarker'), position }),
  v.strictObject({ type: v.literal('void') }),
  /** a message of the epoch before, sealed under the key of that epoch: for those who were there (section 6.9, G18) */
  v.strictObject({ type: v.literal('again'), epoch, payload: bytes(1, LIMITS.againBytes) }),
]);
export type Content = InferOutput<typeof content>;
export type ContentType = Content['type'];

/**
 * Whether a value nests at most `levels` maps and lists. What is stored lies a few levels deeper than what
 * travels, and both must be within the depth of the codec.
 */
function nests(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  return levels > 0 && Object.values(value).every((item) => nests(item, levels - 1));
}

/** What a signed message may carry: a content of version 2, or one that a later version knows. */
export const anyContent = v.pipe(
  v.looseObject({ type: text(1, 32) }),
  v.check((value) => nests(value, LIMITS.contentDepth), 'nested too deeply'),
);
export type AnyContent = InferOutput<typeof anyContent>;

/** Sealed, signed, 30 s of life, never stored. `seen` rides on presence only. */
export const signalContent = v.variant('type', [
  v.strictObject({ type: v.literal('typing') }),
  v.strictObject({
    type: v.literal('presence'),
    seen,
    /** roster head and epoch that this client has taken in: shows who has taken in a removal (G10) */
    head: hash32,
  }),
]);
export type SignalContent = InferOutput<typeof signalContent>;
