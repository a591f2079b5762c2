/** What the parts of a room (outbox, prekeys, owner) need of the room they belong to. */
import type { Bytes } from '@0fc/protocol';
import type { Failure } from '../../contract/api.js';
import type { Connection } from '../../link/connection.js';
import type { Platform } from '../../contract/ports.js';
import type { Part } from './lane.js';
import type { RoomDraft } from '../state/draft.js';
import type { RoomState } from '../state/state.js';

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
