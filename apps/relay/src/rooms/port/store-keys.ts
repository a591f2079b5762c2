/** The store's port, prekeys, key requests and the transfer of ownership (docs/protocol.md sections 4 and 7). */
import type { Bytes, MemberId, RoomId } from '@0fc/protocol';
import type { Result } from './result.js';

interface KeyRequest {
  readonly from: MemberId;
  readonly request: Bytes;
}
export interface KeyGrant {
  readonly from: MemberId;
  readonly grant: Bytes;
  readonly news: Bytes;
}

export interface Keys {
  /** BAD_ENTRY: a lower k, or the stored k with other bytes. */
  putPrekey(command: {
    readonly roomId: RoomId;
    readonly memberId: MemberId;
    readonly k: number;
    /** as it was published: the signed container and its encapsulation key, encoded */
    readonly prekey: Bytes;
  }): Promise<Result<object, 'BAD_ENTRY' | 'FORBIDDEN'>>;

  /** Of every member, in the order of admission; null: none is here. */
  readPrekeys(
    roomId: RoomId,
  ): Promise<
    Result<{ readonly prekeys: readonly { readonly memberId: MemberId; readonly prekey: Bytes | null }[] }>
  >;

  /** A new request replaces the old one and its grant; the same again changes nothing. */
  putNeedKey(roomId: RoomId, memberId: MemberId, request: Bytes): Promise<Result<object, 'FORBIDDEN'>>;

  /** The first answer stands, and may come again. BAD_ENTRY: nobody asked, or with another request, or another answer stands. */
  putKeyGrant(command: {
    readonly roomId: RoomId;
    readonly from: MemberId;
    readonly to: MemberId;
    /** the request that the grant answers */
    readonly request: Bytes;
    readonly grant: Bytes;
    readonly news: Bytes;
  }): Promise<Result<object, 'BAD_ENTRY' | 'FORBIDDEN'>>;

  /** Requests that this member may answer and nobody has. */
  pendingNeedKeys(
    roomId: RoomId,
    memberId: MemberId,
  ): Promise<Result<{ readonly requests: readonly KeyRequest[] }>>;
  /** The request of a member, if one stands. */
  readNeedKey(roomId: RoomId, memberId: MemberId): Promise<Result<{ readonly request: Bytes | null }>>;
  /** The grant to this member, if one stands: it goes with the next rotation. */
  keyGrants(roomId: RoomId, memberId: MemberId): Promise<Result<{ readonly grants: readonly KeyGrant[] }>>;

  /** Replaces every earlier offer and its acceptance. */
  putOffer(roomId: RoomId, to: MemberId, offer: Bytes): Promise<Result<object, 'BAD_ENTRY'>>;
  /** BAD_ENTRY: no offer to this member stands. */
  putAcceptance(roomId: RoomId, from: MemberId, acceptance: Bytes): Promise<Result<object, 'BAD_ENTRY'>>;
  readOffer(roomId: RoomId): Promise<
    Result<{
      readonly offer: {
        readonly from: MemberId;
        readonly to: MemberId;
        readonly offer: Bytes;
        readonly acceptance: Bytes | null;
      } | null;
    }>
  >;
}
