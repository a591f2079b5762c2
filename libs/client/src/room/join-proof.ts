/** What a joiner takes for an answer of its room's owner (docs/protocol.md section 5.8). */
import {
  decodeBody, equalBytes, ERROR_CODES, type Bytes, type JoinReplyBody, type JoinState,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, memberIdOf, readChain, verifyContainer, type Hash, type Roster } from '@0fc/crypto/verify';
import { keyHash, openJoinReply } from '@0fc/crypto/keys';
import { ClientError } from '../errors.js';
import type { JoinRecord } from './state/records.js';

export interface Proved {
  readonly reply: JoinReplyBody;
  /** up to the head that the reply names */
  readonly chain: readonly Bytes[];
  readonly roster: Roster;
  /** all that the relay serves of it; not verified */
  readonly all: readonly Bytes[];
}

/**
 * The room id fixes the genesis, the chain the owner, the owner's word the key. `all`: the roster chain as the
 * relay serves it. Throws INVITE_REPLY_INVALID and what the chain and the seals refuse with.
 */
export async function proveReply(
  hash: Hash,
  record: JoinRecord,
  sealed: NonNullable<JoinState['reply']>,
  all: readonly Bytes[],
): Promise<Proved> {
  const { joinKey, token, roomId, request, ownerKey } = record;
  const { epoch, payload } = sealed;
  const reply = await openJoinReply(hash, { joinKey, token, roomId, epoch, request, payload });
  const heads = await Promise.all(all.map((container) => bodyHash(hash, container)));
  const length = heads.findIndex((head) => equalBytes(head, reply.head)) + 1;
  if (length === 0) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  const chain = all.slice(0, length);
  const roster = await readChain(hash, roomId, chain);
  const owner = await memberIdOf(hash, ownerKey);
  if (roster.owner !== owner) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  const actual = await keyHash(hash, roster.nonce, reply.epoch, reply.key);
  if (!equalBytes(committedHash(reply, roster, ownerKey), actual))
    throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  return { reply, chain, roster, all };
}

function committedHash(reply: JoinReplyBody, roster: Roster, ownerKey: Bytes): Bytes {
  if (reply.rotation === null) {
    if (reply.epoch !== 1) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
    return roster.genesisKeyHash;
  }
  const { body } = decodeBody(verifyContainer(ownerKey, reply.rotation), 'rotation');
  if (body.roomId !== roster.roomId || body.newEpoch !== reply.epoch) {
    throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  }
  return body.keyHash;
}
