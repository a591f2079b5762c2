/** Leaving and handing over (docs/protocol.md section 4). */
import { verifyLeaveRequest, verifyTransferAcceptance, verifyTransferOffer } from '@0fc/crypto/verify';
import type { Handler } from './context.js';
import { otherEpoch, unwrap, Refusal } from '../port/result.js';

export const leaveRequest: Handler<'leaveRequest'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, { request }) {
    verifyLeaveRequest(await context.rosters.at(room), peer.memberId, request);
    const { placed } = unwrap(await context.store.leave({ roomId, memberId: peer.memberId, request }));
    return { reply: { placed } };
  },
};

export const transferOffer: Handler<'transferOffer'> = {
  authorizedBy: 'dispatch',
  async handle({ context, room, roomId }, { to, offer }) {
    const body = verifyTransferOffer(await context.rosters.at(room), offer);
    if (body.new !== to) throw new Refusal('BAD_ENTRY');
    unwrap(await context.store.putOffer(roomId, to, offer));
    return { reply: {} };
  },
};

export const transferAcceptance: Handler<'transferAcceptance'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, { acceptance }) {
    const body = verifyTransferAcceptance(await context.rosters.at(room), acceptance);
    if (body.new !== peer.memberId) throw new Refusal('BAD_ENTRY');
    if (body.epoch !== room.epoch) throw new Refusal(otherEpoch(body.epoch, room.epoch));
    unwrap(await context.store.putAcceptance(roomId, peer.memberId, acceptance));
    return { reply: {} };
  },
};
