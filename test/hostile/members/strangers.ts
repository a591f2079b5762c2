/** Members of an owner's own making, who are never heard of again. */
import { makePrekey } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { applyRoster } from '@0fc/crypto/verify';
import { Peer } from '../../integration/relay-peer.js';
import { anyBytes, newInviteId } from '../../integration/relay-room.js';
import type { LyingRelay } from '../relay/lying-relay.js';
import type { Stolen } from './stolen.js';

/** Admits so many by the owner's keys; the roster with them. */
export async function admitStrangers(
  relay: LyingRelay,
  { peer: owner, stolen }: { readonly peer: Peer; readonly stolen: Stolen },
  count: number,
): Promise<Stolen['roster']> {
  const { roomId, epoch } = stolen.core;
  let { roster } = stolen;
  for (let at = 0; at < count; at++) {
    const guest = await Peer.connect(relay);
    const inviteId = newInviteId();
    await owner.request('invite', { inviteId, expires: Date.now() + 60_000 });
    await guest.request('claim', { roomId, inviteId });
    await guest.request('joinRequest', { inviteId, request: anyBytes(200) });
    await owner.request('joinReply', { inviteId, epoch, payload: anyBytes(200) });
    await guest.request('joinConfirm', { inviteId, epoch, payload: anyBytes(100) });
    const place = { identity: guest.identity, roomId, memberId: guest.memberId, k: 1 };
    const { prekey } = await makePrekey({ hash: nodeHash, random: nodeRandom }, place);
    const key = guest.identity.publicKey;
    const entry = stolen.entry('admit', { key, prekey, inviteId, head: roster.head });
    await owner.request('roster', { entry });
    ({ roster } = await applyRoster(nodeHash, roster, entry));
    guest.leave();
  }
  return roster;
}
