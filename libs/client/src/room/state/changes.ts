/**
 * Changes of a room's record, as values (docs/decisions/0014). Readers make such values; `apply` of a draft alone
 * carries them out, and they are visible outside the draft only once the vault has stored them. Terms such as
 * counter, floor or transcript: docs/glossary.md.
 */
import type { Bytes, InviteId, MemberId, Position } from '@0fc/protocol';
import type { Roster } from '@0fc/crypto/verify';
import type {
  LogRecord, OutboxItem, OwnerInvite, RoomCore, RotationRecord, SenderRecord, StoredItem,
} from '../../vault/records.js'; // prettier-ignore

export type RoomChange =
  | { readonly kind: 'set'; readonly fields: Partial<RoomCore> }
  | {
      readonly kind: 'append';
      readonly at: LogRecord['at'];
      readonly time: number;
      readonly items: readonly StoredItem[];
    }
  | { readonly kind: 'replace'; readonly index: number; readonly items: readonly StoredItem[] }
  | { readonly kind: 'transcript'; readonly position: Position; readonly t: Bytes }
  | { readonly kind: 'chain'; readonly container: Bytes; readonly head: Bytes; readonly roster: Roster }
  | { readonly kind: 'chainAhead'; readonly entries: readonly Bytes[] }
  | { readonly kind: 'rotation'; readonly epoch: number; readonly record: RotationRecord }
  | { readonly kind: 'sender'; readonly memberId: MemberId; readonly fields: Partial<SenderRecord> }
  | { readonly kind: 'outbox'; readonly n: number; readonly item: OutboxItem | null }
  | { readonly kind: 'invite'; readonly inviteId: InviteId; readonly invite: OwnerInvite | null }
  | { readonly kind: 'record'; readonly store: string; readonly key: string; readonly value: Bytes | null };

/** Sets fields of the room's core record. */
export const set = (fields: Partial<RoomCore>): RoomChange => ({ kind: 'set', fields });

/**
 * Appends to the local log, at index `core.nextIndex`; repeated alarms are counted in the last of them instead
 * (alarm-flood.ts). `at`: the entry or generation of the record; `time`: Unix ms.
 */
export const append = (at: LogRecord['at'], time: number, items: readonly StoredItem[]): RoomChange => ({
  kind: 'append',
  at,
  time,
  items,
});

/**
 * Replaces the items of a record of the local log: a message whose key has arrived, a loss of which more is restored.
 */
export const replaceItems = (index: number, items: readonly StoredItem[]): RoomChange => ({
  kind: 'replace',
  index,
  items,
});

/** Remembers a transcript value that no record of the log holds. */
export const rememberTranscript = (position: Position, t: Bytes): RoomChange => ({
  kind: 'transcript',
  position,
  t,
});

/** Adds a verified entry to the roster chain; `roster` is the roster after it. */
export const extendChain = (container: Bytes, head: Bytes, roster: Roster): RoomChange => ({
  kind: 'chain',
  container,
  head,
  roster,
});

/** Entries of the chain after a trimmed range, fetched and not verified yet. Not stored. */
export const holdChain = (entries: readonly Bytes[]): RoomChange => ({ kind: 'chainAhead', entries });

export const keepRotation = (epoch: number, record: RotationRecord): RoomChange => ({
  kind: 'rotation',
  epoch,
  record,
});

export const setSender = (memberId: MemberId, fields: Partial<SenderRecord>): RoomChange => ({
  kind: 'sender',
  memberId,
  fields,
});

export const putOutbox = (item: OutboxItem): RoomChange => ({ kind: 'outbox', n: item.n, item });
export const dropOutbox = (n: number): RoomChange => ({ kind: 'outbox', n, item: null });

export const putInvite = (invite: OwnerInvite): RoomChange => ({
  kind: 'invite',
  inviteId: invite.inviteId,
  invite,
});
export const dropInvite = (inviteId: InviteId): RoomChange => ({ kind: 'invite', inviteId, invite: null });

/** A record of another store, in the same atomic write; null deletes. */
export const writeRecord = (store: string, key: string, value: Bytes | null): RoomChange => ({
  kind: 'record',
  store,
  key,
  value,
});
