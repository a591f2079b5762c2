/** What the handlers work with, and what they know of the connection that asks. */
import type { ReplyBody, RequestBody, RequestKind, Role, RoomId } from '@0fc/protocol';
import type { Clock, Hash } from '@0fc/crypto/verify';
import type { Rate, RoomFacts, RoomStore, SettingsLimits } from '../port/room-store.js';
import type { FanOuts } from '../delivery/fan-out.js';
import type { Peer } from '../delivery/peer.js';
import type { Rosters } from './rosters.js';
import type { Trimmer } from '../upkeep/trimmer.js';

/** What this relay allows; each is published in `hello` or comes with the refusal. */
interface RoomLimits {
  /** of one member in one room */
  readonly append: Rate;
  /** members a room may ask for */
  readonly maxMembers: number;
  readonly invitesOpen: number;
  /** of one room */
  readonly settings: SettingsLimits;
  /** null: anybody may create a room; else who shows this ticket */
  readonly creationToken: string | null;
}

/** Rooms that an address has made lately; false: no more for now. */
type CreationGate = (address: string) => boolean;
/** Entries that an address has brought back lately; milliseconds to wait, 0: go on. */
type RestoreGate = (address: string) => number;
/**
 * Rotations of a room that no message made room for; milliseconds to wait, 0: go on. `lost`: the store has lost
 * something of the room, and is given it back.
 */
type RotationGate = (roomId: RoomId, lost: boolean) => number;

export interface RelayContext {
  readonly store: RoomStore;
  readonly rosters: Rosters;
  readonly trimmer: Pick<Trimmer, 'due'>;
  readonly fanOuts: FanOuts;
  readonly hash: Hash;
  readonly clock: Clock;
  readonly limits: RoomLimits;
  readonly mayCreate: CreationGate;
  readonly mayRestore: RestoreGate;
  readonly mayRotate: RotationGate;
}

export interface Call {
  readonly context: RelayContext;
  readonly peer: Peer;
  readonly roomId: RoomId;
  readonly role: Role;
  /** as it stood when the role was looked up */
  readonly room: RoomFacts;
}

export interface Answer<O> {
  readonly reply: O;
  /** runs once the reply is queued: what it sends comes after it */
  readonly after?: () => void;
}

/** A request whose sender and room have been looked up. */
type RoomHandler<K extends RequestKind> = (call: Call, body: RequestBody<K>) => Promise<Answer<ReplyBody<K>>>;
/** A request that finds out for itself which room, and who asks. */
type StoreAuthorizedHandler<K extends RequestKind> = (
  context: RelayContext,
  peer: Peer,
  body: RequestBody<K>,
) => Promise<Answer<ReplyBody<K>>>;

export type Handler<K extends RequestKind> =
  | { readonly authorizedBy: 'dispatch'; readonly handle: RoomHandler<K> }
  /** the store's one command checks the member's role in the same step */
  | { readonly authorizedBy: 'store'; readonly handle: StoreAuthorizedHandler<K> };
