/** A connection as the rooms see it. */
import type { Bytes, EventBody, EventKind, MemberId, Position, RoomId } from '@0fc/protocol';
import type { LogPage } from '../port/room-store.js';
import type { Delivery } from './fan-out.js';

/** The connection's subscription to the room that it is bound to. */
export interface BoundSubscription {
  readonly roomId: RoomId;
  /** One page of the log; `follow` is to run once the page is queued. */
  page(after: Position | null): Promise<{ readonly page: LogPage; readonly follow: () => void }>;
  end(): void;
}

/** Why a connection ends; null: the last entry that it was sent is the reason. */
export type ClosingCode = EventBody<'closing'>['code'];

export interface Peer {
  readonly connectionId: string;
  /** what the Secure Session proved, and nothing else (G12) */
  readonly key: Bytes;
  readonly memberId: MemberId;
  readonly address: string;
  /** the connection is over: nothing that is begun for it is ever ended by it */
  readonly gone: boolean;
  /** the room that this connection is bound to */
  subscription: BoundSubscription | null;
  /** Queues an event; goes out with all else that is due in this turn. */
  send<K extends EventKind>(kind: K, body: EventBody<K>): void;
  /** Queues what all of the room get alike; goes out with the rest of its batch. */
  deliver(delivery: Delivery): void;
  /** Resolves once nothing waits to be sent, or the connection is over: for what is much at a time. */
  sent(): Promise<void>;
  /** Sends what is queued, says why, and ends the connection. */
  close(code: ClosingCode | null): void;
  /** The room's feed has confirmed, in its order, that this is the member's only connection. */
  onAnnounced(roomId: RoomId): void;
  /** Something broke on our side; for the log. */
  failed(error: unknown): void;
}
