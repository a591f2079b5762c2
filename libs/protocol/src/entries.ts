/** Entries of a room's one log (docs/protocol.md section 6.1; words: docs/glossary.md). */
import * as v from 'valibot';
import { decodeAs, encodeAs, bytes, epoch, memberId, position, time, type InferOutput } from './schema.js';
import { LIMITS } from './limits.js';
import type { Bytes } from './bytes.js';

export const ENTRY_KINDS = ['message', 'rotation', 'roster', 'leaveRequest'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** `clear` of a message. A rotation's clear is its signed container; the others have none. */
export const messageClear = v.strictObject({ epoch });
/** Throws MALFORMED for an epoch below 1. */
export const encodeMessageClear = (value: number): Bytes => encodeAs(messageClear, { epoch: value });
/** The epoch that a message's clear part names. Throws MALFORMED. */
export const decodeMessageClear = (clear: Bytes): number => decodeAs(messageClear, clear).epoch;

export const entry = v.strictObject({
  position,
  kind: v.picklist(ENTRY_KINDS),
  sender: memberId,
  /** the relay's clock; informative only */
  time,
  clear: bytes(0, LIMITS.clearBytes),
  payload: bytes(1, LIMITS.payloadBytes),
  /** of a rotation: the reader's own wrap, where there is one */
  wrap: v.exactOptional(bytes(1, LIMITS.wrapBytes)),
});
export type Entry = InferOutput<typeof entry>;

/** The relay lost, or may have lost, what came after `from` (section 6). */
export const generation = v.strictObject({
  generation: v.pipe(v.number(), v.integer(), v.minValue(2)),
  from: position,
});
export type GenerationStart = InferOutput<typeof generation>;
