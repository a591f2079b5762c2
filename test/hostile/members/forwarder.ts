/**
 * Somebody who passes an invite link on, and changes it on the way: with the relay's help, and all of it made by the true
 * functions of libs/crypto.
 */
import {
  concat, ctx, decodeBody, encodeAs, inviteLink, LIMITS, pad, toBase64Url, unpad, type Bytes, type InviteId,
  type InviteLink, type JoinReplyBody,
} from '@0fc/protocol'; // prettier-ignore
import {
  generateKeyPair, type JoinKey, type KeyPair, makeJoinReply, makeJoinRequest, parseInvite,
} from '@0fc/crypto/keys'; // prettier-ignore
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { containerBody, memberIdOf } from '@0fc/crypto/verify';
import { decryptFrom, encryptTo } from '../../../libs/crypto/src/keys/envelope.js';
import { openCell, sealCell } from '../../../libs/crypto/src/cell.js';
import { Peer } from '../../integration/relay-peer.js';
import { until } from '../../support/wait.js';
import type { LyingRelay } from '../relay/lying-relay.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };

type Link = InviteLink & { readonly inviteId: InviteId };

/** The same link with some of its fields changed, and right check bytes. */
export async function altered(text: string, change: Partial<InviteLink>): Promise<string> {
  const { inviteId: _id, ...fields } = await parseInvite(nodeHash, text);
  const body = encodeAs(inviteLink, { ...fields, ...change });
  const check = (await nodeHash.sha256(body)).subarray(0, 4);
  return `${text.slice(0, text.indexOf('#') + 1)}${toBase64Url(concat(body, check))}`;
}

/** What a joinRequest holds, for who has the link's token and the private key that it was encrypted to. */
export interface Intercepted {
  readonly joinKey: JoinKey;
  readonly joinerKey: Bytes;
  readonly container: Bytes;
}

const place = ({ roomId, inviteId }: Link, joinerKey: Bytes): Bytes =>
  ctx('join-request', roomId, inviteId, joinerKey);

export class Forwarder {
  /** what its altered links have for the invite's key pair */
  readonly pair = generateKeyPair();
  readonly #link: Link;

  private constructor(link: Link) {
    this.#link = link;
  }

  static async of(text: string): Promise<Forwarder> {
    return new Forwarder(await parseInvite(nodeHash, text));
  }

  /** Opens a request that was made with its link. */
  open(joinerKey: Bytes, request: Bytes): Intercepted {
    const throwAway = request.slice(0, LIMITS.publicKeyBytes);
    const sealed = decryptFrom(this.pair.privateKey, throwAway, request.slice(LIMITS.publicKeyBytes));
    const padded = openCell(this.#link.token, sealed, place(this.#link, joinerKey), { code: 'MALFORMED' });
    const container = unpad(padded);
    const { joinKey } = decodeBody(containerBody(container), 'joinRequest').body;
    return { joinKey, joinerKey, container };
  }

  /** Seals what it has opened for the true key of the invite, as if it had never been opened. */
  forward({ container, joinerKey }: Intercepted): Bytes {
    const { token, inviteKey } = this.#link;
    const sealed = sealCell(token, pad(container), place(this.#link, joinerKey));
    const throwAway = generateKeyPair();
    return concat(throwAway.publicKey, encryptTo(throwAway.privateKey, inviteKey, sealed));
  }

  /** Answers the joiner itself, in nobody's name but that of `owner`. */
  async answer(
    { joinKey, joinerKey }: Intercepted,
    request: Bytes,
    { owner, reply }: { readonly owner: KeyPair; readonly reply: JoinReplyBody },
  ): Promise<Bytes> {
    const { token, roomId } = this.#link;
    const joiner = await memberIdOf(nodeHash, joinerKey);
    return makeJoinReply(nodeHash, { owner, joinKey, token, roomId, joiner, request, reply });
  }

  /** Answers the joiner with what the owner has signed for somebody else, and sealed for that join. */
  async passOn({ joinKey }: Intercepted, request: Bytes, answered: Answered): Promise<Bytes> {
    const { token, roomId } = this.#link;
    const { epoch, plain } = answered;
    return sealCell(joinKey, plain, ctx('join-reply', roomId, epoch, token, await nodeHash.sha256(request)));
  }
}

/** The owner's answer to a join, opened: its signature is to that joiner. */
export interface Answered {
  readonly epoch: number;
  readonly plain: Bytes;
}

/** Joins by an invite of its own as far as the owner's answer. */
export async function answeredTo(relay: LyingRelay, text: string): Promise<Answered> {
  const link = await parseInvite(nodeHash, text);
  const { roomId, inviteId, token } = link;
  const { identity, payload: request, joinKey } = await makeJoinRequest(crypto, { link, name: 'Mallory' });
  const peer = await Peer.connect(relay, identity);
  await peer.request('claim', { roomId, inviteId });
  await peer.request('joinRequest', { inviteId, request });
  const { epoch, payload } = await until('the owner’s answer', () => peer.told('joinState').at(-1)?.reply);
  peer.leave();
  const context = ctx('join-reply', roomId, epoch, token, await nodeHash.sha256(request));
  return { epoch, plain: openCell(joinKey, payload, context, { code: 'MALFORMED' }) };
}
