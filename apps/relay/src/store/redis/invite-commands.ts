/** Commands on invitations and joins (docs/protocol.md section 5). */
import type { Invites } from '../../rooms/port/store-invites.js';
import { joinOf, plain, stateOf, withRest } from './facts.js';
import type { Reply } from './scripts/reply.js';
import type { RunScript } from './connection/runner.js';
import { scripts } from './scripts/scripts.js';

export function inviteCommands(run: RunScript): Invites {
  const state = (reply: Reply) => ({ state: stateOf(reply.list()) });
  return {
    registerInvite: async ({ roomId, inviteId, expires, maxOpen }) =>
      plain(await run(scripts.registerInvite, roomId, [inviteId, expires, maxOpen])),

    revokeInvite: async (roomId, inviteId) => plain(await run(scripts.revokeInvite, roomId, [inviteId])),

    claimInvite: async ({ roomId, inviteId, memberId, key }) =>
      withRest(await run(scripts.claimInvite, roomId, [inviteId, memberId, key]), state),

    putJoinRequest: async ({ roomId, inviteId, memberId, request }) =>
      withRest(await run(scripts.putJoinRequest, roomId, [inviteId, memberId, request]), state),

    putJoinReply: async ({ roomId, inviteId, epoch, payload }) =>
      plain(await run(scripts.putJoinReply, roomId, [inviteId, epoch, payload])),

    putJoinConfirm: async ({ roomId, inviteId, memberId, epoch, payload }) =>
      withRest(await run(scripts.putJoinConfirm, roomId, [inviteId, memberId, epoch, payload]), state),

    dropJoin: async ({ roomId, inviteId, release, reason }) =>
      plain(await run(scripts.dropJoin, roomId, [inviteId, release ? 1 : 0, reason])),

    readJoin: async (roomId, inviteId) =>
      withRest(await run(scripts.readJoin, roomId, [inviteId]), (reply) => {
        const join = reply.listOrNull();
        return { join: join === null ? null : joinOf(join) };
      }),

    pendingJoins: async (roomId) =>
      withRest(await run(scripts.pendingJoins, roomId, []), (reply) => ({
        joins: reply.list().map((joins) => joinOf(joins.list())),
      })),
  };
}
