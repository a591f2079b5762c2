/** A joiner whom the owner has answered, and who never confirms: it holds a room key and is on no roster (G2). */
import { makeJoinRequest, openJoinReply, parseInvite } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { Peer } from '../../integration/relay-peer.js';
import type { Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import type { LyingRelay } from '../relay/lying-relay.js';
import type { EpochSecret } from './record-reader.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

/** The key that it was answered with. */
export async function answeredJoiner(relay: LyingRelay, owner: Member, roomId: string): Promise<EpochSecret> {
  const link = await parseInvite(nodeHash, (await owner.invite(roomId)).link);
  const { identity, payload: request, joinKey } = await makeJoinRequest(crypto, { link, name: 'Mallory' });
  const peer = await Peer.connect(relay, identity);
  await peer.request('claim', { roomId: link.roomId, inviteId: link.inviteId });
  await peer.request('joinRequest', { inviteId: link.inviteId, request });
  const { epoch, payload } = await until('the owner’s answer', () => peer.told('joinState').at(-1)?.reply);
  const { roomId: room, ownerKey, token } = link;
  const place = { joinKey, token, roomId: room, joiner: peer.memberId, ownerKey, request };
  const reply = await openJoinReply(nodeHash, { ...place, epoch, payload });
  peer.leave();
  return { epoch, key: reply.key };
}
