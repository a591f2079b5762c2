/** Shapes that several rows share. */
import * as v from 'valibot';
import { entry, generation } from '../entries.js';
import { LIMITS } from '../limits.js';
import {
  bytes,
  container,
  encapsulationKey,
  epoch,
  hash32,
  inviteId,
  memberId,
  position,
  publicKey,
  time,
} from '../schema.js';
import type { InferOutput } from '../schema.js';

export const empty = v.strictObject({});

/** Where an accepted entry stands. */
export const placed = v.strictObject({ position, time });
export type Placed = InferOutput<typeof placed>;

/** A prekey as it is published and handed out: the signed container, and the key whose hash is in it. */
export const publishedPrekey = v.strictObject({ prekey: container, ek: encapsulationKey });
export type PublishedPrekey = InferOutput<typeof publishedPrekey>;

const wraps = v.record(memberId, bytes(1, LIMITS.wrapBytes));
export const rotationCommand = v.strictObject({
  clear: bytes(1, LIMITS.clearBytes),
  payload: bytes(1, LIMITS.payloadBytes),
  wraps,
});
/** A rotation as the owner sends it: entry parts, and one wrap a member. */
export type RotationCommand = InferOutput<typeof rotationCommand>;

export const joinReplyPart = v.strictObject({ epoch, payload: bytes(1, LIMITS.joinReplyBytes) });
export const joinConfirmPart = v.strictObject({ epoch, payload: bytes(1, LIMITS.joinConfirmBytes) });

/** Why an owner ends a join. */
export const DROP_REASONS = [
  'declined',
  'badProof',
  'expired',
  'badConfirm',
  'other',
  'full',
  'altered',
] as const;

/** The state of a join as the joiner may know it. */
export const joinState = v.strictObject({
  stage: v.picklist(['claimed', 'requested', 'replied', 'confirmed', 'admitted', 'dropped']),
  /** the owner's latest reply, from 'replied' on */
  reply: v.exactOptional(joinReplyPart),
  /** why the owner dropped it */
  reason: v.exactOptional(v.picklist(DROP_REASONS)),
});
export type JoinState = InferOutput<typeof joinState>;

/** The state of a join as the owner may know it: everything the relay holds of it. */
export const ownerJoin = v.strictObject({
  inviteId,
  joinerKey: publicKey,
  request: bytes(1, LIMITS.joinRequestBytes),
  /** epoch of the latest reply the relay holds, 0 for none */
  replied: v.pipe(v.number(), v.integer(), v.minValue(0)),
  confirm: v.exactOptional(joinConfirmPart),
  /** when the relay took the confirm */
  confirmedAt: v.exactOptional(time),
});
export type OwnerJoin = InferOutput<typeof ownerJoin>;

export const openReply = v.strictObject({
  role: v.picklist(['member', 'owner', 'departed']),
  /** generations begun after the position that was sent */
  generations: v.pipe(v.array(generation), v.maxLength(LIMITS.generationsPage)),
  /** the log's last position */
  tip: position,
  /** entries at or before this are gone from the log; the reader missed what it lacks of them */
  trimmed: position,
  /** transcript at `trimmed`, T and segment: the relay's word until a `seen` matches */
  trimmedT: v.exactOptional(bytes(64, 64)),
  /** roster head and epoch at the tip */
  head: hash32,
  epoch,
  /** messages in the log since the rotation that began this epoch */
  epochMessages: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** this member's newest signed prekey at the relay, null for none; its own signature bounds the number in it */
  prekey: v.nullable(container),
  /** the rotation that began the epoch, where it was after the position that was sent and is trimmed */
  rotation: v.exactOptional(v.strictObject({ ...entry.entries, kind: v.literal('rotation') })),
  /** entries after the position that was sent, oldest first: one page */
  entries: v.pipe(v.array(entry), v.maxLength(LIMITS.pageEntries)),
  /** false: there is more, open again from the last entry; true: the feed follows */
  live: v.boolean(),
});
export type OpenReply = InferOutput<typeof openReply>;

export const keyRequest = v.strictObject({ request: container });
export const keyGrantPart = v.strictObject({
  to: memberId,
  grant: container,
  news: bytes(1, LIMITS.keyGrantBytes),
});
