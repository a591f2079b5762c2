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
