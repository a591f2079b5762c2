/** The store's port, upkeep: trimming, the end of rooms, what an operator may see (docs/protocol.md section 8). */
import type { Bytes, GenerationStart, Position, RoomId } from '@0fc/protocol';
import type { LogEntry } from './room-feed.js';
import type { Result } from './result.js';

/** The next piece of a log that may go: all of it, and nothing else, lies behind `from`. */
export interface Trimmable {
  /** the edge as it is */
  readonly from: Position;
  /** transcript there; null: nothing is trimmed yet, and the first entry is genesis */
  readonly t: Bytes | null;
  /** starts of generations behind the edge, up to that of the last entry */
  readonly generations: readonly GenerationStart[];
  /** contiguous, oldest first, at least one; the last is the new edge */
  readonly entries: readonly LogEntry[];
}

export interface RoomStats {
  readonly state: 'open' | 'closed' | 'erased';
  readonly members: number;
  readonly leaving: number;
  readonly former: number;
  readonly epoch: number;
  /** roster entries */
  readonly chain: number;
  readonly tip: Position;
  readonly trimmed: Position;
  /** entries in the log, and their bytes with the wraps */
  readonly entries: number;
  readonly bytes: number;
  /** the most entries that the room's settings ask for */
  readonly history: number;
  readonly invitesOpen: number;
  readonly joinsPending: number;
  /** Unix ms, to the hour */
  readonly usedAt: number;
}

export interface StoreStats {
  readonly open: number;
  readonly closed: number;
  readonly erased: number;
  readonly entries: number;
  readonly bytes: number;
}

export interface Upkeep {
  /**
   * What may go next, in the order of the log: entries before the rotation that began the
   * epoch which every member has acknowledged (a leaver is not asked), and whatever is beyond
   * the room's own limit of entries or beyond `historyBytes`, the epoch's beginning included.
   * Null: nothing. What may go once may go ever after.
   */
  readTrimmable(command: {
    readonly roomId: RoomId;
    readonly historyBytes: number;
    readonly maxEntries: number;
    /** of clear and payload; one entry is read, however large */
    readonly maxBytes: number;
  }): Promise<Result<{ readonly trimmable: Trimmable | null }>>;

  /**
   * Moves the edge from where it was, with the transcript at the new one, and lets go of what
   * lies at or before it, wraps included. The last 32 messages of each sender among it stay known
   * as sent. Bounded: an edge is never further than one readTrimmable. False: it was elsewhere.
   */
  trim(command: {
    readonly roomId: RoomId;
    readonly from: Position;
    readonly to: Position;
    readonly t: Bytes;
  }): Promise<Result<{ readonly trimmed: boolean }>>;

  /**
   * Rooms, tombstones included, that nobody has used since `before` (Unix ms), at most `limit`
   * in one look. `next` goes into the next look; null: that was all.
   */
  idleRooms(command: {
    readonly before: number;
    readonly limit: number;
    readonly cursor: string | null;
  }): Promise<{ readonly rooms: readonly RoomId[]; readonly next: string | null }>;

  /** Lets go of all there is of a room, if it is still idle: afterwards it is unknown. */
  expireRoom(roomId: RoomId, before: number): Promise<{ readonly expired: boolean }>;

  /** For the operator. Everything goes but the id: afterwards it is closed, to everybody. */
  eraseRoom(roomId: RoomId): Promise<Result<object>>;

  /** Null: unknown. */
  roomStats(roomId: RoomId): Promise<{ readonly stats: RoomStats | null }>;
  storeStats(): Promise<StoreStats>;
}
