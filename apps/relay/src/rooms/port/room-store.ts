/**
 * The store's port: what must survive a replica (docs/protocol.md sections 4 to 8).
 *
 * Every command is one atomic step: it compares and sets inside, takes and answers plain
 * data, and calls nothing back. So one implementation can be a transaction and another one
 * script on one hash slot, `{roomId}`. A command that compares and sets answers success when
 * the state already is what it proposes. Signatures are verified before a command is asked;
 * a command compares only what may have moved since: head, epoch, role, claims.
 *
 * What a command brings about is published on the room's feed in the order of the log, in
 * the same step; nothing is delivered any other way (G16).
 *
 * A command that cannot be carried out rejects with StoreError; refusals are answers.
 */
import type { Bytes, GenerationStart, InviteId, MemberId, Position, Role, RoomId } from '@0fc/protocol';
import type { LogEntry } from './room-feed.js';
import type { DropReason, Invites } from './store-invites.js';
import type { Keys } from './store-keys.js';
import type { Upkeep } from './store-upkeep.js';
import type { Result } from './result.js';

export type { LogEntry } from './room-feed.js';

/** An entry as one member reads it. */
export interface ReadEntry extends LogEntry {
  readonly wrap?: Bytes;
}
/** An entry as the feed carries it: with everybody's wraps, so that no delivery asks the store. */
export interface FeedEntry extends LogEntry {
  readonly wraps?: ReadonlyMap<MemberId, Bytes>;
}
export interface LogPlacement {
  readonly position: Position;
  readonly time: number;
}

/** What a room is at one moment. */
export interface RoomFacts {
  readonly roomId: RoomId;
  /** of the protocol, that the room was made for */
  readonly version: number;
  readonly owner: MemberId;
  readonly epoch: number;
  /** position of the rotation, or genesis, that began the epoch: floor of who is admitted in it */
  readonly epochStart: Position;
  /** messages since then */
  readonly epochMessages: number;
  /** body hash of the last roster entry, and how many there are */
  readonly head: Bytes;
  readonly length: number;
  /** current generation and last sequence number */
  readonly tip: Position;
  /** entries at or before this are gone from the log; (1,0) while none is */
  readonly trimmed: Position;
  /** transcript at `trimmed`, null while nothing is trimmed */
  readonly trimmedT: Bytes | null;
  /** by its owner; what is left is the last entry and who may read it */
  readonly closed: boolean;
}

export interface CreateRoom {
  readonly roomId: RoomId;
  /** of the protocol, as genesis names it */
  readonly version: number;
  readonly genesis: Bytes;
  readonly head: Bytes;
  readonly owner: MemberId;
  /** entries that the settings let the room keep */
  readonly history: number;
  /** restored by a member: positions beyond genesis were given before, so a new generation begins (G16) */
  readonly restored: boolean;
}

export interface ReadRotation extends ReadEntry {
  readonly kind: 'rotation';
}
export interface ReadLog {
  readonly roomId: RoomId;
  readonly memberId: MemberId;
  /** null: from the member's floor on, the entry there included */
  readonly after: Position | null;
  readonly maxEntries: number;
  /** at least one entry is read, however large */
  readonly maxBytes: number;
  readonly maxGenerations: number;
}
export type LogPage =
  | {
      readonly role: 'member' | 'owner';
      readonly room: RoomFacts;
      readonly generations: readonly GenerationStart[];
      /**
       * the rotation that began the epoch, for a reader that has not read it and cannot any more: it and its
       * wraps outlive the log's trimming, or who was away across it would have no key, and no commitment to ask for one
       */
      readonly rotation: ReadRotation | null;
      readonly entries: readonly ReadEntry[];
      /** this page ends at the tip of the same moment */
      readonly end: boolean;
      /** the member's newest prekey as it was published, null for none */
      readonly prekey: Bytes | null;
    }
  | {
      readonly role: 'departed';
      /**
       * the signed entry that says so, for as long as the room or its tombstone stands: its own
       * removal, leave entry or request to leave, or the room's close; null: the store lost it
       */
      readonly entry: LogEntry | null;
      /** head and epoch at that moment: nothing later is disclosed */
      readonly head: Bytes;
      readonly epoch: number;
    };

export interface AppendMessage {
  readonly epoch: number;
  readonly clear: Bytes;
  readonly payload: Bytes;
  /** SHA-256 of the payload: with the sender, what makes a repetition (section 6) */
  readonly id: Bytes;
}
export interface Append {
  readonly roomId: RoomId;
  readonly sender: MemberId;
  /** at most LIMITS.appendMessages */
  readonly messages: readonly AppendMessage[];
  readonly rate: Rate;
}
/** Token bucket. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}
export type Appended = Result<
  {
    readonly placed: readonly LogPlacement[];
    readonly refused?: 'STALE_EPOCH' | 'EPOCH_AHEAD' | 'RATE_LIMITED';
    readonly retryMs?: number;
  },
  'FORBIDDEN'
>;

/** A verified rotation. */
export interface StoreRotation {
  readonly newEpoch: number;
  /** body hash of `clear`: what makes a repetition */
  readonly hash: Bytes;
  readonly clear: Bytes;
  readonly payload: Bytes;
  readonly wraps: ReadonlyMap<MemberId, Bytes>;
}
export type StoreChange =
  | {
      readonly kind: 'admit';
      readonly member: MemberId;
      readonly key: Bytes;
      readonly inviteId: InviteId;
      /** its first prekey (k 1) as it is published, kept in the same write: a rotation that follows finds it */
      readonly firstPrekey?: Bytes;
    }
  | { readonly kind: 'remove' | 'leave'; readonly member: MemberId }
  | { readonly kind: 'transfer'; readonly from: MemberId; readonly to: MemberId }
  | { readonly kind: 'settings'; readonly history: number; readonly limits: SettingsLimits }
  | { readonly kind: 'close' | 'upgrade' };
/**
 * Of settings entries alone: the chain is never trimmed, and an owner that was refused anything else for it could
 * not remove anybody.
 */
export interface SettingsLimits {
  /** in the life of the room */
  readonly entries: number;
  readonly rate: Rate;
}
export interface AppendRoster {
  readonly roomId: RoomId;
  /** the owner who signed it */
  readonly signer: MemberId;
  /** the entry's own `head` field: compared */
  readonly before: Bytes;
  /** the entry's own `epoch` field: compared */
  readonly epoch: number;
  /** the entry's body hash: set */
  readonly head: Bytes;
  readonly container: Bytes;
  readonly change: StoreChange;
  /** in the same step, after the entry */
  readonly rotation?: StoreRotation;
  /** with an admit: what the joiner reads beside its admission */
  readonly reply?: { readonly epoch: number; readonly payload: Bytes };
  /** restored (section 6): the invite of an admit is not asked for, nor the rate of settings */
  readonly restored: boolean;
}
export type MovedCode = 'STALE_HEAD' | 'STALE_EPOCH' | 'EPOCH_AHEAD';

export interface Rotate {
  readonly roomId: RoomId;
  readonly signer: MemberId;
  /** the head that the rotation names: compared */
  readonly head: Bytes;
  readonly rotation: StoreRotation;
}

export interface AddWraps {
  readonly roomId: RoomId;
  /** who brings them: the rotation's sender anybody's, others their own */
  readonly by: MemberId;
  readonly newEpoch: number;
  readonly hash: Bytes;
  readonly wraps: ReadonlyMap<MemberId, Bytes>;
}

/** What happens in a room, in the order in which it happened. */
export type RoomEvent =
  | { readonly type: 'entries'; readonly entries: readonly FeedEntry[] }
  | ({ readonly type: 'generation' } & GenerationStart)
  /** after the entry that says so, and before anything that follows it */
  | { readonly type: 'role'; readonly memberId: MemberId; readonly role: Role }
  /** a new connection of the member: any other one is closed */
  | { readonly type: 'live'; readonly memberId: MemberId; readonly connectionId: string }
  /** `released`: the claim is gone and with it what could be read of it */
  | {
      readonly type: 'join';
      readonly inviteId: InviteId;
      readonly joiner: MemberId;
      readonly released?: DropReason;
    }
  | { readonly type: 'needKey'; readonly memberId: MemberId }
  | { readonly type: 'keyGrant'; readonly to: MemberId; readonly from: MemberId }
  | { readonly type: 'offer'; readonly to: MemberId }
  | { readonly type: 'acceptance'; readonly from: MemberId }
  | { readonly type: 'signal'; readonly sender: MemberId; readonly epoch: number; readonly payload: Bytes }
  /** closed by its owner, erased by the operator, or expired */
  | { readonly type: 'closed' }
  /**
   * The end of the log, delivered after everything published before: a subscription behind it has missed
   * something. Null: there is no such room any more. `resumed`: the feed was broken before. A store
   * whose feed cannot break never sends it.
   */
  | { readonly type: 'tip'; readonly tip: Position | null; readonly resumed: boolean };

/** Called in order, after the step that caused the event has become durable; must not throw. */
export type RoomListener = (event: RoomEvent) => void;

export interface RoomStore extends Invites, Keys, Upkeep {
  createRoom(command: CreateRoom): Promise<Result<{ readonly placed: LogPlacement }, 'ROOM_EXISTS'>>;

  /** The room, and who a key is to it. After its end only former members are distinguished: departed. */
  readRoom(
    roomId: RoomId,
    memberId: MemberId,
  ): Promise<Result<{ readonly room: RoomFacts; readonly role: Role }>>;

  /**
   * One page of the log as a member may read it: nothing before its floor, its own wraps. For who
   * stands behind the trimmed edge the page begins there, and lists no generation but the first
   * that took away what the reader had.
   */
  readLog(command: ReadLog): Promise<Result<{ readonly page: LogPage }, 'FORBIDDEN'>>;

  /**
   * Roster containers from an index on, genesis first; never trimmed. `reader`: one that is no member (any more), and
   * reads to `length` and no further. A departed one up to the entry with which it went, or to the head at its own
   * request to leave, of a closed room too; a joiner from the owner's reply on, FORBIDDEN before.
   */
  readChain(
    roomId: RoomId,
    from: number,
    limit: number,
    reader?: MemberId,
  ): Promise<Result<{ readonly entries: readonly Bytes[]; readonly length: number }, 'FORBIDDEN'>>;

  /** Membership, then repetition, rate, epoch; a prefix is placed, the first refusal ends it. */
  append(command: Append): Promise<Appended>;

  /**
   * BAD_ENTRY: a transfer to a member that is leaving; one that is restored makes it stay. EPOCH_AHEAD also: a departure
   * was restored and its rotation is still to come (section 6).
   */
  appendRoster(
    command: AppendRoster,
  ): Promise<
    Result<
      { readonly placed: LogPlacement; readonly rotation?: LogPlacement },
      MovedCode | 'INVITE_UNKNOWN' | 'BAD_ENTRY' | 'SETTINGS_LIMIT' | 'RATE_LIMITED'
    >
  >;
  rotate(command: Rotate): Promise<Result<{ readonly placed: LogPlacement }, MovedCode>>;

  /** Adds what is missing and replaces nothing; null: there is no such rotation. */
  addWraps(command: AddWraps): Promise<Result<{ readonly placed: LogPlacement | null }>>;

  /** Where an entry with this body hash stands, if the chain has it; a closed room knows its last one. */
  findRoster(roomId: RoomId, head: Bytes): Promise<Result<{ readonly placed: LogPlacement | null }>>;
  /** Where the rotation to this epoch stands, if it is this one. */
  findRotation(
    roomId: RoomId,
    newEpoch: number,
    hash: Bytes,
  ): Promise<Result<{ readonly placed: LogPlacement | null }>>;

  leave(command: {
    readonly roomId: RoomId;
    readonly memberId: MemberId;
    readonly request: Bytes;
  }): Promise<Result<{ readonly placed: LogPlacement }, 'FORBIDDEN'>>;

  /** Remembers how far a member has stored the log; never back, never beyond the tip. */
  acknowledge(roomId: RoomId, memberId: MemberId, position: Position): Promise<Result<object, 'FORBIDDEN'>>;

  /** Announces to the room that a member is live on this connection and on no other. */
  announce(roomId: RoomId, memberId: MemberId, connectionId: string): Promise<Result<object, 'FORBIDDEN'>>;

  /** Passes a signal on and forgets it. */
  signal(
    roomId: RoomId,
    sender: MemberId,
    epoch: number,
    payload: Bytes,
  ): Promise<Result<object, 'FORBIDDEN' | 'STALE_EPOCH'>>;

  /** Resolves once nothing that happens from now on is missed. */
  subscribe(roomId: RoomId, listener: RoomListener): Promise<{ unsubscribe(): void }>;

  /** Rejects with StoreError unless the store takes writes. */
  check(): Promise<void>;
  close(): Promise<void>;
}
