/** A joiner whose frames are made by hand, with a key pair of its own choice: the honest course, up to a member. */
import { concat, ctx, pad, type InviteId, type RoomId } from '@0fc/protocol';
import {
  asJoinKey, generateKeyPair, type KeyPair, makeJoinConfirm, makePrekey, openJoinReply, parseInvite, type RoomKey,
  signBody,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { encryptTo } from '../../../libs/crypto/src/keys/envelope.js';
import { sealCell } from '../../../libs/crypto/src/cell.js';
import { Peer } from '../../integration/relay-peer.js';
import { until } from '../../support/wait.js';
import type { LyingRelay } from '../relay/lying-relay.js';

export interface HandMember {
  readonly peer: Peer;
  readonly identity: KeyPair;
  readonly roomId: RoomId;
  readonly inviteId: InviteId;
  readonly epoch: number;
  readonly roomKey: RoomKey;
}

/** Resolves once the relay says that it is admitted. */
export async function memberByLink(
  relay: LyingRelay,
  text: string,
  { identity = generateKeyPair(), name = 'Mallory' }: { identity?: KeyPair; name?: string } = {},
): Promise<HandMember> {
  const link = await parseInvite(nodeHash, text);
  const { roomId, inviteId, ownerKey, inviteKey, token } = link;
  const peer = await Peer.connect(relay, identity);
  const joinKey = asJoinKey(nodeRandom.bytes(32));
  const place = { identity, roomId, memberId: peer.memberId, k: 1 };
  const { prekey, ek } = await makePrekey({ hash: nodeHash, random: nodeRandom }, place);
  const body = {
    roomId,
    inviteId,
    ownerKey,
    inviteKey,
    joinerKey: identity.publicKey,
    joinKey,
    prekey,
    ek,
    name,
  };
  const context = ctx('join-request', roomId, inviteId, identity.publicKey);
  const sealed = sealCell(token, pad(signBody(identity, 'joinRequest', body)), context);
  const throwAway = generateKeyPair();
  const request = concat(throwAway.publicKey, encryptTo(throwAway.privateKey, inviteKey, sealed));
  await peer.request('claim', { roomId, inviteId });
  await peer.request('joinRequest', { inviteId, request });
  const { epoch, payload } = await until('the owner’s answer', () => peer.told('joinState').at(-1)?.reply);
  const answered = { joinKey, token, roomId, joiner: peer.memberId, ownerKey, request, epoch, payload };
  const { key: roomKey } = await openJoinReply(nodeHash, answered);
  const confirm = await makeJoinConfirm(nodeHash, {
    identity,
    roomId,
    epoch,
    roomKey,
    request,
    reply: payload,
  });
  await peer.request('joinConfirm', { inviteId, epoch, payload: confirm });
  await until('the admission', () => peer.told('joinState').at(-1)?.stage === 'admitted');
  return { peer, identity, roomId, inviteId, epoch, roomKey };
}
