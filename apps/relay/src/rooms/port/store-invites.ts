/** The store's port, invitations and joins (docs/protocol.md section 5). */
import type { Bytes, InviteId, JoinState, MemberId, RoomId } from '@0fc/protocol';
import type { Result } from './result.js';

export type DropReason = NonNullable<JoinState['reason']>;

/** A join as the store holds it. */
export interface StoredJoin {
  readonly inviteId: InviteId;
  readonly joiner: MemberId;
  readonly joinerKey: Bytes;
  readonly state: JoinState;
  readonly request: Bytes | null;
  readonly confirm: { readonly epoch: number; readonly payload: Bytes; readonly time: number } | null;
}

export type ClaimRefusal =
  | 'INVITE_UNKNOWN' | 'INVITE_TAKEN' | 'INVITE_USED' | 'INVITE_EXPIRED' | 'INVITE_REVOKED' | 'ALREADY_MEMBER' | 'WAS_MEMBER'; // prettier-ignore

type JoinResult<C extends 'INVITE_UNKNOWN' | 'INVITE_EXPIRED' | 'BAD_ENTRY'> = Promise<
  Result<{ readonly state: JoinState }, C>
>;

export interface Invites {
  /** BAD_ENTRY: it has expired already, or stands with another expiry or as a tombstone. */
  registerInvite(command: {
    readonly roomId: RoomId;
    readonly inviteId: InviteId;
    /** Unix ms */
    readonly expires: number;
    readonly maxOpen: number;
  }): Promise<Result<object, 'INVITE_LIMIT' | 'BAD_ENTRY'>>;

  /** Its join is dropped with it. An unknown or ended one: success. */
  revokeInvite(roomId: RoomId, inviteId: InviteId): Promise<Result<object>>;

  /**
   * One winner under any race. The claimant repeats it to read its join's state, whatever
   * became of it. An ended invite leaves a tombstone, so that refusals can differ.
   */
  claimInvite(command: {
    readonly roomId: RoomId;
    readonly inviteId: InviteId;
    readonly memberId: MemberId;
    readonly key: Bytes;
  }): Promise<Result<{ readonly state: JoinState }, ClaimRefusal>>;

  /** BAD_ENTRY: another request stands already. */
  putJoinRequest(command: {
    readonly roomId: RoomId;
    readonly inviteId: InviteId;
    readonly memberId: MemberId;
    readonly request: Bytes;
  }): JoinResult<'INVITE_UNKNOWN' | 'INVITE_EXPIRED' | 'BAD_ENTRY'>;

  /** Replaces an earlier reply. INVITE_UNKNOWN: no join has asked for one. */
  putJoinReply(command: {
    readonly roomId: RoomId;
    readonly inviteId: InviteId;
    readonly epoch: number;
    readonly payload: Bytes;
  }): Promise<Result<object, 'INVITE_UNKNOWN' | 'STALE_EPOCH' | 'EPOCH_AHEAD'>>;

  /** Replaces an earlier confirm. BAD_ENTRY: there is no reply of that epoch or a later one. */
  putJoinConfirm(command: {
    readonly roomId: RoomId;
    readonly inviteId: InviteId;
    readonly memberId: MemberId;
    readonly epoch: number;
    readonly payload: Bytes;
  }): JoinResult<'INVITE_UNKNOWN' | 'BAD_ENTRY'>;

  /** FORBIDDEN: a claim that has been answered is never released (section 5.5). */
  dropJoin(command: {
    readonly roomId: RoomId;
    readonly inviteId: InviteId;
    readonly release: boolean;
    readonly reason: DropReason;
  }): Promise<Result<object, 'INVITE_UNKNOWN' | 'FORBIDDEN'>>;

  /** A join that has been claimed, ended or not; null for none. */
  readJoin(roomId: RoomId, inviteId: InviteId): Promise<Result<{ readonly join: StoredJoin | null }>>;

  /** Joins that wait for their owner, oldest claim first. */
  pendingJoins(roomId: RoomId): Promise<Result<{ readonly joins: readonly StoredJoin[] }>>;
}
