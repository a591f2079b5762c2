/** append, ack, signal. */
import { decodeMessageClear, LIMITS, ProtocolError, type ReplyBody } from '@0fc/protocol';
import type { Handler } from './context.js';
import { unwrap } from '../port/result.js';
import type { AppendMessage } from '../port/room-store.js';
import { boundRoom } from './rooms.js';

/** The epoch that a message says it is sealed for; null where its clear part says nothing. */
function epochOf(clear: Uint8Array): number | null {
  try {
    return decodeMessageClear(clear);
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

export const append: Handler<'append'> = {
  authorizedBy: 'store',
  async handle({ store, hash, limits, trimmer }, peer, body) {
    const roomId = boundRoom(peer);
    const messages: AppendMessage[] = [];
    let malformed = false;
    for (const { clear, payload } of body.messages.slice(0, LIMITS.appendMessages)) {
      const epoch = epochOf(clear);
      malformed = epoch === null;
      if (epoch === null) break;
      messages.push({ epoch, clear, payload, id: await hash.sha256(payload) });
    }
    const { placed, refused, retryMs } = unwrap(
      await store.append({ roomId, sender: peer.memberId, messages, rate: limits.append }),
    );
    trimmer.due(roomId);
    const why = refused ?? (malformed ? 'MALFORMED' : undefined);
    const reply: ReplyBody<'append'> = {
      placed: [...placed],
      ...(why === undefined ? {} : { refused: why }),
      ...(retryMs === undefined ? {} : { retryMs }),
    };
    return { reply };
  },
};

export const ack: Handler<'ack'> = {
  authorizedBy: 'store',
  async handle({ store, trimmer }, peer, { position }) {
    const roomId = boundRoom(peer);
    unwrap(await store.acknowledge(roomId, peer.memberId, position));
    trimmer.due(roomId);
    return { reply: {} };
  },
};

export const signal: Handler<'signal'> = {
  authorizedBy: 'store',
  async handle({ store }, peer, { epoch, payload }) {
    unwrap(await store.signal(boundRoom(peer), peer.memberId, epoch, payload));
    return { reply: {} };
  },
};
