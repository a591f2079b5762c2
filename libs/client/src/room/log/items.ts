/** Constructors of the items that the local log shows beside messages. */
import type { AlarmCode, Entry, MemberId } from '@0fc/protocol';
import type { Relayed, StoredItem } from '../../vault/records.js';

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

/** The end of a membership. Who leaves does so alone: nobody else is named for it, whoever signed the entry. */
export const departure = (how: 'left' | 'removed', actor: MemberId, member: MemberId): StoredItem =>
  how === 'left' ? system('left', { member }) : system('removed', { actor, member });

const SAMPLE_BYTES = 48;

/** What the relay stores of an entry, for the panel that shows it. */
export const relayedOf = (entry: Pick<Entry, 'kind' | 'sender' | 'clear' | 'payload'>): Relayed => ({
  kind: entry.kind,
  sender: entry.sender,
  clearBytes: entry.clear.length,
  payloadBytes: entry.payload.length,
  sample: entry.payload.slice(0, SAMPLE_BYTES),
});
