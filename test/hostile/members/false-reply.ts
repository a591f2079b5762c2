/** An owner whose keys are used by hand: it answers one join with a reply of any fields, and admits the joiner. */
import type { JoinReplyBody } from '@0fc/protocol';
import { makeJoinReply, openJoinRequest } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { memberIdOf } from '@0fc/crypto/verify';
import type { Peer } from '../../integration/relay-peer.js';
import { until } from '../../support/wait.js';
import type { Stolen } from './stolen.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

/** What an honest owner would answer, for the epoch of what was stolen. */
export const honestReply = ({ core, roster, current, floorT }: Stolen): JoinReplyBody => ({
  epoch: current.epoch,
  key: current.key,
  head: roster.head,
  rotation: current.rotation,
  floor: current.floor,
  t: floorT,
  counters: [...current.counters],
  profiles: core.people.flatMap(({ proof }) => (proof === null ? [] : [proof])),
  roomName: core.roomName?.proof ?? null,
});

/** Answers whoever asks by the newest open invite of what was stolen. Resolves once the joiner has confirmed. */
export async function answerJoin(
  { peer, stolen }: { readonly peer: Peer; readonly stolen: Stolen },
  reply: JoinReplyBody,
): Promise<() => Promise<void>> {
  const invite = stolen.invites.find(({ stage }) => stage === 'open');
  if (invite?.pair === undefined || invite.pair === null || invite.token === null)
    throw new Error('no open invite');
  const { inviteId, token, pair: inviteKeyPair } = invite;
  const heard = () => peer.told('join').filter((join) => join.inviteId === inviteId);
  const { joinerKey, request } = await until('the request', () => heard().at(0));
  const { roomId } = stolen.core;
  const ownerKey = stolen.identity.publicKey;
  const asked = { roomId, inviteId, ownerKey, token, inviteKeyPair, joinerKey, payload: request };
  const { joinKey, prekey, ek } = await openJoinRequest(crypto, asked);
  const joiner = await memberIdOf(nodeHash, joinerKey);
  const place = { owner: stolen.identity, joinKey, token, roomId, joiner, request };
  const payload = await makeJoinReply(nodeHash, { ...place, reply });
  await peer.request('joinReply', { inviteId, epoch: reply.epoch, payload });
  return async () => {
    await until('the confirmation', () => heard().at(-1)?.confirm);
    const entry = stolen.entry('admit', { key: joinerKey, prekey, inviteId });
    await peer.request('roster', { entry, ek });
  };
}
