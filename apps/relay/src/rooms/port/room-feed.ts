/**
 * The port by which a store receives what is published on a room's channel, from whichever replica
 * it came (docs/protocol.md G16). One total order per room: nothing is delivered any other way.
 */
import type { Position, RoomId, Bytes, EntryKind, MemberId } from '@0fc/protocol';

/** The result of a comparison with the store, delivered after everything published before it. */
export interface FeedCheck {
  /** the room's tip in the store; null: there is no such room, or it has ended */
  readonly tip: Position | null;
  /** the subscription was broken before: events without a position may be lost as well */
  readonly resumed: boolean;
}

export interface RoomFeed {
  /**
   * Resolves once the server has confirmed: whatever is missed from then on, a later check reports. Rejects with StoreError TRY_AGAIN where that takes too long. The calls come
   * in the order of the channel and must not throw.
   */
  subscribe(
    roomId: RoomId,
    onMessage: (message: Buffer) => void,
    onCheck: (check: FeedCheck) => void,
  ): Promise<{ unsubscribe(): void }>;
}

/** An entry of a room's log as every store holds it (docs/protocol.md section 6). */
export interface LogEntry {
  readonly position: Position;
  readonly kind: EntryKind;
  readonly sender: MemberId;
  /** the store's clock, Unix ms */
  readonly time: number;
  readonly clear: Bytes;
  readonly payload: Bytes;
}
