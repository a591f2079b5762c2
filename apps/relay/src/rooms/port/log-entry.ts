/** An entry of a room's log as every store holds it (docs/protocol.md section 6). */
import type { Bytes, EntryKind, MemberId, Position } from '@0fc/protocol';

export interface LogEntry {
  readonly position: Position;
  readonly kind: EntryKind;
  readonly sender: MemberId;
  /** the store's clock, Unix ms */
  readonly time: number;
  readonly clear: Bytes;
  readonly payload: Bytes;
}
