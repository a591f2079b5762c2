/**
 * What a part of a room (outbox, prekeys, owner) is: what it has of its room, and what it yields to be sent
 * (docs/glossary.md: part, lane, due).
 */
import type { Bytes, ErrorCode, ReplyBody, RequestBody, RequestKind } from '@0fc/protocol';
import type { Failure } from '../../contract/api.js';
import type { Platform } from '../../contract/ports.js';
import type { Connection } from '../../link/connection.js';
import type { RoomDraft } from '../state/draft.js';
import type { RoomState } from '../state/state.js';

/**
 * What a refusal that no retry mends comes to: there is nothing left to do about it; the part has to be asked
 * again after a delay; the same, and it is shown until then; nobody expected it.
 */
export type Outcome = 'settled' | 'again' | 'waits' | 'unexpected';

export interface DueOf<K extends RequestKind> {
  readonly kind: K;
  readonly body: RequestBody<K>;
  /** It was carried out. Rejects with a refusal that the reply has in it. */
  done?(reply: ReplyBody<K>): Promise<void> | void;
  /** Where it is left out nothing is expected. */
  refused?(code: ErrorCode): Promise<Outcome> | Outcome;
}

/** A request that is due, as a value: what is sent, and what follows from the answer. */
export type Due = { [K in RequestKind]: DueOf<K> }[RequestKind];

/** What can be sent by. */
export interface Link {
  request<K extends RequestKind>(kind: K, body: RequestBody<K>): Promise<ReplyBody<K>>;
}

/** Nothing is due before so many milliseconds have passed. */
export interface Later {
  readonly afterMs: number;
}

export interface Part {
  /** The next thing that is due, in the vault first where it must not be lost; null: nothing before the next signal. */
  next(): Promise<Due | Later | null>;
}

/** What a part has of the room that it belongs to. */
export interface RoomHandle {
  readonly state: RoomState;
  readonly platform: Platform;
  readonly connection: Connection;
  readonly relayKey: Bytes;
  /** true once the log has been read to its end and the feed follows */
  readonly live: boolean;
  /** the log lacks roster or rotation entries that are held here, and is being restored (section 6) */
  readonly restoring: boolean;
  /** Tells the views. */
  changed(): void;
  /**
   * Runs `work` on a draft of the room, in its turn, stores what it applied in one atomic write, and tells the
   * views. Rejects as `work` does, with nothing changed; a vault that cannot be written halts the room.
   */
  write<T>(work: (draft: RoomDraft) => Promise<T> | T): Promise<T>;
  /** Something may be due to be sent. */
  signal(): void;
  /** Resolves once what is due of a part has been sent, or waits for the relay. */
  attempt(part: Part): Promise<void>;
  /** Reads the log again from the position that was read. */
  catchUp(): void;
  /** Stops the link and shows why; it goes on by itself after a while, where only the user's act does not (room.ts). */
  halt(failure: Failure): void;
}
