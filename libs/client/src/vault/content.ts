/**
 * What follows from a stored record alone: contents of messages, of which what a later version made stays as it came,
 * and what is counted of the log, so that no summary has to read it (docs/protocol.md section 9).
 */
import {
  anyContent,
  content as contentSchema,
  encodeAs,
  encodeCbor,
  equalBytes,
  ERROR_CODES,
  parse,
  toBase64Url,
  type AnyContent,
  type Bytes,
  type CborValue,
  type Content,
  type Target,
  ALARM_CODES,
  type MemberId,
} from '@0fc/protocol';
import { ClientError } from '../contract/errors.js';
import type { LogRecord, StoredItem, StoredMessage } from './records.js';

/** The content as this version knows it; null: it takes a newer client. */
export function knownContent(content: unknown): Content | null {
  try {
    return parse(contentSchema, content);
  } catch (error) {
    if (ClientError.from(error).code !== ERROR_CODES.MALFORMED) throw error;
    return null;
  }
}

/**
 * A content beside signed fields that this version does not know: it may not be what it looks like (a line with a time
 * to live), so that it is kept whole, and shown as what takes a newer client.
 */
export function contentWith(content: AnyContent, unknown: Readonly<Record<string, CborValue>>): AnyContent {
  if (Object.keys(unknown).length === 0) return content;
  // As bytes: whatever fields the content has, none of them meets another, and it nests no deeper for it.
  return { type: 'newer', content: encodeAs(anyContent, content), fields: encodeCbor(unknown) };
}

/** A name for (sender, instance, n): what contents point at. */
export const targetKey = ({ sender, instance, n }: Target): string =>
  `${sender}/${toBase64Url(instance)}/${String(n)}`;

/**
 * Whether one edit of a line counts instead of another one. Within an instance its sender's own counter decides, and not the place that the
 * relay gave them; `order`: in the log, which decides between two instances.
 */
export function isLaterEdit(one: Edit, other: Edit): boolean {
  return one.n !== other.n && equalBytes(one.instance, other.instance)
    ? one.n > other.n
    : one.order > other.order;
}

interface Edit {
  readonly instance: Bytes;
  readonly n: number;
  readonly order: number;
}

/** Stable id of a message, from the outbox on. */
export const messageIdOf = (sender: string, mid: Bytes): string => `${sender}.${toBase64Url(mid)}`;

export interface Counts {
  /** alarms that are not settled */
  readonly alarms: number;
  /** lines of other members */
  readonly others: number;
  /** messages that wait for their key */
  readonly sealed: number;
  /** entries that were shown as missed */
  readonly missed: number;
}

const NOTHING: Counts = { alarms: 0, others: 0, sealed: 0, missed: 0 };

/** A loss of which everything is back. */
export function isSettled({ code, numbers }: Extract<StoredItem, { type: 'alarm' }>): boolean {
  const { from = 0, to = 0, restored = 0 } = numbers;
  return code === 'ALARM_RELAY_LOST' && restored > to - from;
}

/** A record that cannot be read, of which only its place is known (load.ts). */
export const isDamaged = ({ at, items: [item] }: LogRecord): boolean =>
  at === null && item?.type === 'alarm' && item.code === ALARM_CODES.ALARM_RECORD_DAMAGED;

/** Whether a content is a line of its own, which this client can show or not. */
export function isLine(content: unknown): boolean {
  const type = knownContent(content)?.type;
  return type === undefined || type === 'text' || type === 'reply';
}

/** Whether a stored message is a line: also one that was deleted, which is shown as such. */
export const isLineItem = ({ content, deleted }: Pick<StoredMessage, 'content' | 'deleted'>): boolean =>
  deleted === true || isLine(content);

/** `me`: whose lines are not others'. */
export function countsOf(record: LogRecord | undefined, me: MemberId): Counts {
  if (record === undefined) return NOTHING;
  let { alarms, others, sealed, missed } = NOTHING;
  for (const item of record.items) {
    if (item.type === 'alarm' && !isSettled(item)) alarms += 1;
    if (item.type === 'sealed') sealed += 1;
    if (item.type === 'message' && item.sender !== me && isLineItem(item)) others += 1;
    if (item.type === 'system' && item.event === 'missed') {
      const { from = 0, to = -1 } = item.numbers;
      missed += Math.max(0, to - from + 1);
    }
  }
  return { alarms, others, sealed, missed };
}

/** What `now` counts more than `before`. */
export const moreThan = (now: Counts, before: Counts): Counts => ({
  alarms: now.alarms - before.alarms,
  others: now.others - before.others,
  sealed: now.sealed - before.sealed,
  missed: now.missed - before.missed,
});
