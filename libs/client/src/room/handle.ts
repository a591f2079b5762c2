/** What the parts of a room (outbox, prekeys, owner) need of the room they belong to. */
import type { Bytes } from '@0fc/protocol';
import type { Failure } from '../api.js';
import type { Connection } from '../connection.js';
import type { Platform } from '../ports.js';
import type { Serial } from './serial.js';
import type { RoomState } from './state.js';

export interface RoomHandle {
  readonly state: RoomState;
  readonly serial: Serial;
  readonly platform: Platform;
  readonly connection: Connection;
  readonly relayKey: Bytes;
  /** true once the log has been read to its end and the feed follows */
  readonly live: boolean;
  /** the log lacks roster or rotation entries that are held here, and is being restored (section 6) */
  readonly restoring: boolean;
  /** Tells the views. */
  changed(): void;
  /** Writes what changed and tells the views. */
  commit(): Promise<void>;
  /** Reads the log again from the position taken in. */
  catchUp(): void;
  /** Stops for good, until the user acts. */
  halt(failure: Failure): void;
}
