/** Commands on prekeys, key requests and grants, and the transfer of ownership (docs/protocol.md sections 4 and 7). */
import type { KeyGrant, Keys } from '../../rooms/port/store-keys.js';
import { plain, withRest } from './facts.js';
import type { Reply } from './scripts/reply.js';
import type { RunScript } from './connection/runner.js';
import { scripts } from './scripts/scripts.js';

export function keyCommands(run: RunScript): Keys {
  return {
    putPrekey: async ({ roomId, memberId, k, prekey }) =>
      plain(await run(scripts.putPrekey, roomId, [memberId, k, prekey])),

    readPrekeys: async (roomId) =>
      withRest(await run(scripts.readPrekeys, roomId, []), (reply) => ({
        prekeys: reply.list().map((list) => ({ memberId: list.id(), prekey: list.bytesOrNull() })),
      })),

    putNeedKey: async (roomId, memberId, request) =>
      plain(await run(scripts.putNeedKey, roomId, [memberId, request])),

    putKeyGrant: async ({ roomId, from, to, request, grant, news }) =>
      plain(await run(scripts.putKeyGrant, roomId, [from, to, request, grant, news])),

    pendingNeedKeys: async (roomId, memberId) =>
      withRest(await run(scripts.pendingNeedKeys, roomId, [memberId]), (reply) => ({
        requests: reply.list().map((list) => ({ from: list.id(), request: list.bytes() })),
      })),

    readNeedKey: async (roomId, memberId) =>
      withRest(await run(scripts.readNeedKey, roomId, [memberId]), (reply) => ({
        request: reply.bytesOrNull(),
      })),

    keyGrants: async (roomId, memberId) =>
      withRest(await run(scripts.keyGrants, roomId, [memberId]), (reply) => ({
        grants: reply.list().map(grantOf),
      })),

    putOffer: async (roomId, to, offer) => plain(await run(scripts.putOffer, roomId, [to, offer])),

    putAcceptance: async (roomId, from, acceptance) =>
      plain(await run(scripts.putAcceptance, roomId, [from, acceptance])),

    readOffer: async (roomId) =>
      withRest(await run(scripts.readOffer, roomId, []), (reply) => {
        const offer = reply.listOrNull();
        return {
          offer:
            offer === null
              ? null
              : {
                  from: offer.id(),
                  to: offer.id(),
                  offer: offer.bytes(),
                  acceptance: offer.bytesOrNull(),
                },
        };
      }),
  };
}

/** The length of the grant, the grant, the news. */
function grantOf(list: Reply): KeyGrant {
  const from = list.id();
  const both = Buffer.from(list.bytes());
  const end = 4 + both.readUInt32BE(0);
  return { from, grant: new Uint8Array(both.subarray(4, end)), news: new Uint8Array(both.subarray(end)) };
}
