/** Prekeys, key requests and grants (docs/protocol.md section 7). */
import {
  encodeAs,
  equalBytes,
  decodeAs,
  publishedPrekey,
  type Bytes,
  type PublishedPrekey,
} from '@0fc/protocol';
import { bodyHash, verifyKeyGrant, verifyKeyRequest, verifyPrekey } from '@0fc/crypto/verify';
import type { Handler } from './context.js';
import { otherEpoch, unwrap, Refusal } from '../port/result.js';

/** The store keeps a prekey as it was published, in one piece. */
export const storedPrekey = (prekey: Bytes | null): PublishedPrekey | null =>
  prekey === null ? null : decodeAs(publishedPrekey, prekey);

export const prekey: Handler<'prekey'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, body) {
    const { memberId } = peer;
    const { k } = await verifyPrekey(context.hash, await context.rosters.at(room), memberId, body);
    const stored = encodeAs(publishedPrekey, body);
    unwrap(await context.store.putPrekey({ roomId, memberId, k, prekey: stored }));
    return { reply: {} };
  },
};

export const prekeys: Handler<'prekeys'> = {
  authorizedBy: 'dispatch',
  async handle({ context, roomId }) {
    const { prekeys: all } = unwrap(await context.store.readPrekeys(roomId));
    return {
      reply: { prekeys: all.map(({ memberId, prekey }) => ({ memberId, prekey: storedPrekey(prekey) })) },
    };
  },
};

export const needKey: Handler<'needKey'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, { request }) {
    const { epoch } = verifyKeyRequest(await context.rosters.at(room), peer.memberId, request);
    if (epoch !== room.epoch) throw new Refusal(otherEpoch(epoch, room.epoch));
    unwrap(await context.store.putNeedKey(roomId, peer.memberId, request));
    return { reply: {} };
  },
};

export const keyGrant: Handler<'keyGrant'> = {
  authorizedBy: 'dispatch',
  async handle({ context, peer, room, roomId }, { to, grant, news }) {
    const roster = await context.rosters.at(room);
    const body = verifyKeyGrant(roster, peer.memberId, grant);
    if (body.memberId !== to || body.epoch !== room.epoch) throw new Refusal('BAD_ENTRY');
    const { request } = unwrap(await context.store.readNeedKey(roomId, to));
    if (request === null || !equalBytes(await bodyHash(context.hash, request), body.request)) {
      throw new Refusal('BAD_ENTRY');
    }
    // One answer stands: whose grant failed before is not to take its place.
    if (verifyKeyRequest(roster, to, request).failed.includes(peer.memberId)) throw new Refusal('BAD_ENTRY');
    unwrap(await context.store.putKeyGrant({ roomId, from: peer.memberId, to, request, grant, news }));
    return { reply: {} };
  },
};
