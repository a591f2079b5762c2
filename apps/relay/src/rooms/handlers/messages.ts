/** append, ack, signal. */
import { decodeMessageClear, LIMITS, ProtocolError, type ReplyBody, type RoomId } from '@0fc/protocol';
import type { Handler } from '../context.js';
import type { Peer } from '../peer.js';
import { granted, Refusal } from '../refusal.js';
import type { AppendMessage } from '../room-store.js';

function boundRoom(peer: Peer): RoomId {
  if (peer.reader === null) throw new Refusal('NOT_BOUND');
  return peer.reader.roomId;
}

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
  guard: 'self',
  async handle({ store, hash, limits }, peer, body) {
    const roomId = boundRoom(peer);
    const messages: AppendMessage[] = [];
    let malformed = false;
    for (const { clear, payload } of body.messages.slice(0, LIMITS.appendMessages)) {
      const epoch = epochOf(clear);
      malformed = epoch === null;
      if (epoch === null) break;
      messages.push({ epoch, clear, payload, id: await hash.sha256(payload) });
    }
    const { placed, refused, retryMs } = granted(
      await store.append({ roomId, sender: peer.memberId, messages, rate: limits.append }),
    );
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
  guard: 'self',
  async handle({ store }, peer, { position }) {
    granted(await store.acknowledge(boundRoom(peer), peer.memberId, position));
    return { reply: {} };
  },
};

export const signal: Handler<'signal'> = {
  guard: 'self',
  async handle({ store }, peer, { epoch, payload }) {
    granted(await store.signal(boundRoom(peer), peer.memberId, epoch, payload));
    return { reply: {} };
  },
};
