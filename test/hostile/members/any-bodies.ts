/** One body of each request that fits its schema and says nothing that could be granted. */
import type { Bytes, InviteId, MemberId, RequestBody, RequestKind, RoomId } from '@0fc/protocol';

type Bodies = { readonly [K in RequestKind]: RequestBody<K> };

const bytes = (length: number): Bytes => new Uint8Array(length).fill(7);
const inviteId = 'AAAAAAAAAAAAAAAAAAAAAA' as InviteId;
const somebody = 'BBBBBBBBBBBBBBBBBBBBBA' as MemberId;

export function anyBodies({
  roomId,
  head,
}: {
  readonly roomId: RoomId;
  readonly head: Bytes;
}): readonly (readonly [RequestKind, Record<string, unknown>])[] {
  const position = { g: 1, s: 0 };
  const rotation = { clear: bytes(200), payload: bytes(100), wraps: { [somebody]: bytes(100) } };
  const bodies: Bodies = {
    create: { genesis: bytes(300) },
    open: { roomId, after: position, head, epoch: 1 },
    chain: { from: 0 },
    roster: { entry: bytes(300) },
    restore: {
      roomId,
      entries: [
        { position, kind: 'roster', sender: somebody, time: 0, clear: bytes(0), payload: bytes(300) },
      ],
    },
    leaveRequest: { request: bytes(300) },
    transferOffer: { to: somebody, offer: bytes(300) },
    transferAcceptance: { acceptance: bytes(300) },
    invite: { inviteId, expires: 0 },
    revoke: { inviteId },
    claim: { roomId, inviteId },
    joinRequest: { inviteId, request: bytes(300) },
    joinReply: { inviteId, epoch: 1, payload: bytes(300) },
    joinConfirm: { inviteId, epoch: 1, payload: bytes(300) },
    joinDrop: { inviteId, release: false, reason: 'other' },
    append: { messages: [{ clear: bytes(8), payload: bytes(64) }] },
    ack: { position },
    rotate: rotation,
    prekey: { prekey: bytes(300), ek: bytes(1_184) },
    prekeys: {},
    needKey: { request: bytes(300) },
    keyGrant: { to: somebody, grant: bytes(300), news: bytes(64) },
    signal: { epoch: 1, payload: bytes(64) },
  };
  return Object.entries(bodies) as [RequestKind, Record<string, unknown>][];
}
