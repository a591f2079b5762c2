/** Prekeys, key requests and grants (docs/protocol.md section 7). */
import { equalBytes } from '@0fc/protocol';
import { bodyHash, verifyKeyGrant, verifyNeedKey, verifyPrekey } from '@0fc/crypto/verify';
import type { Handler } from './context.js';
import { unwrap, Refusal } from '../port/refusal.js';

export const prekey: Handler<'prekey'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, body) {
    const roster = await context.rosters.at(room);
    const { k } = verifyPrekey(roster, peer.memberId, body.prekey);
    unwrap(await context.store.putPrekey({ roomId, memberId: peer.memberId, k, prekey: body.prekey }));
    return { reply: {} };
  },
};

export const prekeys: Handler<'prekeys'> = {
  authorizedBy: 'dispatch',
  async handle({ context, roomId }) {
    const { prekeys: all } = unwrap(await context.store.readPrekeys(roomId));
    return { reply: { prekeys: [...all] } };
  },
};

export const needKey: Handler<'needKey'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, { request }) {
    verifyNeedKey(await context.rosters.at(room), peer.memberId, request);
    unwrap(await context.store.putNeedKey(roomId, peer.memberId, request));
    return { reply: {} };
  },
};

export const keyGrant: Handler<'keyGrant'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, { to, grant, news }) {
    const body = verifyKeyGrant(await context.rosters.at(room), peer.memberId, grant);
    if (body.memberId !== to || body.epoch !== room.epoch) throw new Refusal('BAD_ENTRY');
    const { request } = unwrap(await context.store.readNeedKey(roomId, to));
    if (request === null || !equalBytes(await bodyHash(context.hash, request), body.request)) {
      throw new Refusal('BAD_ENTRY');
    }
    unwrap(await context.store.putKeyGrant({ roomId, from: peer.memberId, to, request, grant, news }));
    return { reply: {} };
  },
};
