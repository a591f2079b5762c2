/** The owner's reply to a joiner and the joiner's confirmation (docs/protocol.md section 5, steps 6 to 9; G2). */
import {
  ctx, decodeAs, decodeBody, encodeAs, equalBytes, joinReplyBody, LIMITS, pad, ProtocolError, signedJoinReply, unpad,
  type Bytes, type JoinReplyBody, type MemberId, type RoomId,
} from '@0fc/protocol'; // prettier-ignore
import { CryptoError, rethrowAs } from '../errors.js';
import type { KeyPair } from '../key-pair.js';
import type { Hash } from '../ports.js';
import { Scratch, type InviteToken, type JoinKey, type RoomKey } from '../secrets.js';
import { verifyContainer } from '../verify/container.js';
import { memberIdOf } from '../verify/identity.js';
import { openCell, sealCell } from '../cell.js';
import { signBody } from '../sign.js';

/** What a reply is bound to: the token, and the very request that it answers. */
interface ReplyPlace {
  readonly joinKey: JoinKey;
  readonly token: InviteToken;
  readonly roomId: RoomId;
  readonly joiner: MemberId;
  /** the joinRequest's bytes as they travelled */
  readonly request: Bytes;
}

const replyContext = async (hash: Hash, place: ReplyPlace, epoch: number): Promise<Bytes> =>
  ctx('join-reply', place.roomId, epoch, place.token, await hash.sha256(place.request));

/**
 * The owner's reply to a join request: room key, head and floor, signed by the owner and sealed under the join key
 * (section 5, step 6). Throws MALFORMED for a body that its schema refuses, TOO_LARGE beyond `LIMITS.joinReplyBytes`,
 * BAD_KEY for an unusable identity.
 */
export async function makeJoinReply(
  hash: Hash,
  options: ReplyPlace & { readonly owner: KeyPair; readonly reply: JoinReplyBody },
): Promise<Bytes> {
  const { owner, roomId, joiner, reply } = options;
  const scratch = new Scratch();
  try {
    const encoded = scratch.keep(encodeAs(joinReplyBody, reply));
    if (encoded.length > LIMITS.joinReplyBytes) throw new ProtocolError('TOO_LARGE', 'join reply');
    const [request, said] = await Promise.all([hash.sha256(options.request), hash.sha256(encoded)]);
    const signed = signBody(owner, 'joinReply', { roomId, epoch: reply.epoch, joiner, request, reply: said });
    const plain = scratch.keep(pad(scratch.keep(encodeAs(signedJoinReply, [signed, encoded]))));
    const payload = sealCell(options.joinKey, plain, await replyContext(hash, options, reply.epoch));
    if (payload.length > LIMITS.joinReplyBytes) throw new ProtocolError('TOO_LARGE', 'join reply');
    return payload;
  } finally {
    scratch.wipe();
  }
}

/**
 * What a reply for `epoch` says: the owner's word to this joiner, in answer to this request. Who else holds the join
 * key, as whoever gave the joiner another link may, makes none.
 *
 * @param options.ownerKey of the link
 *
 * Throws INVITE_REPLY_INVALID, whatever is wrong with it.
 */
export function openJoinReply(
  hash: Hash,
  options: ReplyPlace & { readonly ownerKey: Bytes; readonly epoch: number; readonly payload: Bytes },
): Promise<JoinReplyBody> {
  return rethrowAs('INVITE_REPLY_INVALID', 'join reply', async () => {
    const context = await replyContext(hash, options, options.epoch);
    const scratch = new Scratch();
    try {
      const plain = openCell(options.joinKey, options.payload, context, { code: 'INVITE_REPLY_INVALID' });
      const [signed, encoded] = decodeAs(signedJoinReply, scratch.keep(unpad(scratch.keep(plain))));
      scratch.keep(encoded);
      const { body } = decodeBody(verifyContainer(options.ownerKey, signed), 'joinReply');
      const [request, said] = await Promise.all([hash.sha256(options.request), hash.sha256(encoded)]);
      const toThis =
        body.roomId === options.roomId &&
        body.epoch === options.epoch &&
        body.joiner === options.joiner &&
        equalBytes(body.request, request) &&
        equalBytes(body.reply, said);
      if (!toThis) throw new CryptoError('INVITE_REPLY_INVALID', 'signed for another join');
      const reply = decodeAs(joinReplyBody, encoded);
      if (reply.epoch !== options.epoch) throw new CryptoError('MALFORMED', 'reply for another epoch');
      return reply;
    } finally {
      scratch.wipe();
    }
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
