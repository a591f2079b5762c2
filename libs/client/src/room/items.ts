/** Makers of what the local log shows beside messages. */
import { toBase64Url, type AlarmCode, type Bytes, type MemberId } from '@0fc/protocol';
import type { StoredItem } from './records.js';

export const alarm = (
  code: AlarmCode,
  member: MemberId | null = null,
  numbers: Readonly<Record<string, number>> = {},
): StoredItem => ({ type: 'alarm', code, member, numbers: { ...numbers } });

export const system = (
  event: string,
  fields: { actor?: MemberId; member?: MemberId; numbers?: Record<string, number>; text?: string } = {},
): StoredItem => ({
  type: 'system',
  event,
  actor: fields.actor ?? null,
  member: fields.member ?? null,
  numbers: fields.numbers ?? {},
  text: fields.text ?? '',
});

/** A stable name for a message, from the outbox on. */
export const messageIdOf = (sender: string, mid: Bytes): string => `${sender}.${toBase64Url(mid)}`;
