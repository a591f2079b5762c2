/** The owner's reply to a joiner and the joiner's confirmation (docs/protocol.md section 5, steps 6 to 9; G2). */
import {
  ctx, decodeAs, decodeBody, encodeAs, equalBytes, joinReplyBody, LIMITS, pad, ProtocolError, unpad, type Bytes,
  type JoinReplyBody, type MemberId, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, rethrowAs } from '../errors.js';
import type { KeyPair } from '../key-pair.js';
import type { Hash } from '../ports.js';
import type { InviteToken, JoinKey, RoomKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { memberIdOf } from '../verify/identity.js';
import { openCell, sealCell } from './cell.js';
import { signBody } from './pairs.js';

/** What a reply is bound to: the token, and the very request that it answers. */
interface ReplyPlace {
  readonly joinKey: JoinKey;
  readonly token: InviteToken;
  readonly roomId: RoomId;
  /** the joinRequest's bytes as they travelled */
  readonly request: Bytes;
}

const replyContext = async (hash: Hash, place: ReplyPlace, epoch: number): Promise<Bytes> =>
  ctx('join-reply', place.roomId, epoch, place.token, await hash.sha256(place.request));

/**
 * The owner's reply to a join request: room key, head and floor, sealed under the join key (section 5, step 6). Throws
 * MALFORMED for a body that its schema refuses, TOO_LARGE beyond `LIMITS.joinReplyBytes`.
 */
export async function makeJoinReply(
  hash: Hash,
  options: ReplyPlace & { readonly reply: JoinReplyBody },
): Promise<Bytes> {
  const plain = pad(encodeAs(joinReplyBody, options.reply));
  const payload = sealCell(options.joinKey, plain, await replyContext(hash, options, options.reply.epoch));
  plain.fill(0);
  if (payload.length > LIMITS.joinReplyBytes) throw new ProtocolError('TOO_LARGE', 'join reply');
  return payload;
}

/** What a reply for `epoch` says. Throws INVITE_REPLY_INVALID, whatever is wrong with it. */
export function openJoinReply(
  hash: Hash,
  options: ReplyPlace & { readonly epoch: number; readonly payload: Bytes },
): Promise<JoinReplyBody> {
  return rethrowAs('INVITE_REPLY_INVALID', 'join reply', async () => {
    const context = await replyContext(hash, options, options.epoch);
    const plain = openCell(options.joinKey, options.payload, context, { code: 'INVITE_REPLY_INVALID' });
    const reply = decodeAs(joinReplyBody, unpad(plain));
    plain.fill(0);
    if (reply.epoch !== options.epoch) throw new CryptoError('MALFORMED', 'reply for another epoch');
    return reply;
  });
}

interface ConfirmPlace {
  readonly roomId: RoomId;
  readonly epoch: number;
  /** of that epoch */
  readonly roomKey: RoomKey;
  readonly request: Bytes;
}

const confirmContext = (place: ConfirmPlace, joiner: MemberId): Bytes =>
  ctx('join-confirm', place.roomId, place.epoch, joiner);

/**
 * The joiner's proof that it holds the room key and has read this very reply (section 5, step 8). Throws MALFORMED for an
 * epoch below 1, BAD_KEY for an unusable identity.
 *
 * @param options.reply the joinReply's bytes as they travelled
 */
export async function makeJoinConfirm(
  hash: Hash,
  options: ConfirmPlace & { readonly identity: KeyPair; readonly reply: Bytes },
): Promise<Bytes> {
  const { identity, roomId, epoch, roomKey } = options;
  const joiner = await memberIdOf(hash, identity.publicKey);
  const [request, reply] = await Promise.all([hash.sha256(options.request), hash.sha256(options.reply)]);
  const container = signBody(identity, 'joinConfirm', { roomId, epoch, joiner, request, reply });
  return sealCell(roomKey, container, confirmContext(options, joiner));
}

/**
 * Accepts a confirmation of any of the replies that this join was sent.
 *
 * @param options.replies the joinReplies' bytes as they travelled
 *
 * Throws INVITE_BAD_PROOF, whatever is wrong with it.
 */
export function openJoinConfirm(
  hash: Hash,
  options: ConfirmPlace & {
    readonly joinerKey: Bytes;
    readonly payload: Bytes;
    readonly replies: readonly Bytes[];
  },
): Promise<void> {
  const { joinerKey, roomId, epoch, roomKey, payload } = options;
  return rethrowAs('INVITE_BAD_PROOF', 'join confirmation', async () => {
    const joiner = await memberIdOf(hash, joinerKey);
    const container = openCell(roomKey, payload, confirmContext(options, joiner), {
      code: 'INVITE_BAD_PROOF',
    });
    const { body } = decodeBody(verifyContainer(joinerKey, container), 'joinConfirm');
    const request = await hash.sha256(options.request);
    const replies = await Promise.all(options.replies.map((reply) => hash.sha256(reply)));
    const same =
      body.roomId === roomId &&
      body.epoch === epoch &&
      body.joiner === joiner &&
      equalBytes(body.request, request) &&
      replies.some((reply) => equalBytes(body.reply, reply));
    if (!same) throw new CryptoError('INVITE_BAD_PROOF', 'confirmation of another join');
  });
}
