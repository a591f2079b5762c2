/** Invitations and joins (docs/protocol.md section 5). The relay reads none of what they seal. */
import type { Handler } from './context.js';
import { unwrap, Refusal } from '../port/result.js';
import { assertVersion, bind } from './rooms.js';

export const invite: Handler<'invite'> = {
  authorizedBy: 'dispatch',
  async handle({ context, roomId }, { inviteId, expires }) {
    const maxOpen = context.limits.invitesOpen;
    unwrap(await context.store.registerInvite({ roomId, inviteId, expires, maxOpen }));
    return { reply: {} };
  },
};

export const revoke: Handler<'revoke'> = {
  authorizedBy: 'dispatch',
  async handle({ context, roomId }, { inviteId }) {
    unwrap(await context.store.revokeInvite(roomId, inviteId));
    return { reply: {} };
  },
};

export const claim: Handler<'claim'> = {
  // The store tells a former member from others (WAS_MEMBER), which a role alone would not.
  authorizedBy: 'store',
  async handle(context, peer, { roomId, inviteId }) {
    if (peer.subscription !== null && peer.subscription.roomId !== roomId) throw new Refusal('ALREADY_BOUND');
    const known = await context.store.readRoom(roomId, peer.memberId);
    if (known.ok) assertVersion(known.room);
    const command = { roomId, inviteId, memberId: peer.memberId, key: peer.key };
    unwrap(await context.store.claimInvite(command));
    // Heard before the state is read, so that no change of it falls between.
    await bind(context, peer, roomId, 'joiner');
    const { state } = unwrap(await context.store.claimInvite(command));
    return { reply: state };
  },
};

export const joinRequest: Handler<'joinRequest'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, roomId }, { inviteId, request }) {
    const command = { roomId, inviteId, memberId: peer.memberId, request };
    const { state } = unwrap(await context.store.putJoinRequest(command));
    return { reply: state };
  },
};

export const joinReply: Handler<'joinReply'> = {
  authorizedBy: 'dispatch',
  async handle({ context, roomId }, { inviteId, epoch, payload }) {
    unwrap(await context.store.putJoinReply({ roomId, inviteId, epoch, payload }));
    return { reply: {} };
  },
};

export const joinConfirm: Handler<'joinConfirm'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, roomId }, { inviteId, epoch, payload }) {
    const command = { roomId, inviteId, memberId: peer.memberId, epoch, payload };
    const { state } = unwrap(await context.store.putJoinConfirm(command));
    return { reply: state };
  },
};

export const joinDrop: Handler<'joinDrop'> = {
  authorizedBy: 'dispatch',
  async handle({ context, roomId }, { inviteId, release, reason }) {
    unwrap(await context.store.dropJoin({ roomId, inviteId, release, reason }));
    return { reply: {} };
  },
};
