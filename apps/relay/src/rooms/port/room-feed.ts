/**
 * The port by which a store hears what is published on a room's channel, from whichever replica
 * it came (docs/protocol.md G16). One total order per room: nothing is delivered any other way.
 */
import type { Position, RoomId } from '@0fc/protocol';

/** What a comparison with the store has found; told after everything that was published before it. */
export interface FeedCheck {
  /** the room's tip in the store; null: there is no such room, or it has ended */
  readonly tip: Position | null;
  /** the subscription was broken before: notices without a position may be gone, too */
  readonly resumed: boolean;
}

export interface RoomFeed {
  /**
   * Resolves once the server has confirmed: from then on nothing is missed without a later check
   * that tells of it. Rejects with StoreError TRY_AGAIN where that takes too long. The calls come
   * in the order of the channel and must not throw.
   */
  subscribe(
    roomId: RoomId,
    onMessage: (message: Buffer) => void,
    onCheck: (check: FeedCheck) => void,
  ): Promise<{ unsubscribe(): void }>;
}
