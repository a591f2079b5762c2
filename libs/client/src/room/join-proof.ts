/** What a joiner takes for an answer of its room's owner (docs/protocol.md section 5.8). */
import {
  comparePositions, decodeBody, equalBytes, ERROR_CODES, type Bytes, type Entry, type JoinReplyBody, type JoinState,
} from '@0fc/protocol'; // prettier-ignore
import {
  bodyHash, containerBody, memberIdOf, readChain, transcriptStart, verifyContainer, type Hash, type Roster,
} from '@0fc/crypto/verify'; // prettier-ignore
import { keyHash, openJoinReply } from '@0fc/crypto/keys';
import { ClientError } from '../errors.js';
import { GENESIS_POSITION } from './begin.js';
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
 * relay serves it. Throws INVITE_REPLY_INVALID, JOIN_REPLY_MISPLACED and what the chain and the seals refuse with.
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
  // The head that it names is the owner's word, the end of the chain the relay's: either may be what is not so.
  if (length === 0) throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
  const chain = all.slice(0, length);
  const roster = await readChain(hash, roomId, chain);
  const owner = await memberIdOf(hash, ownerKey);
  if (roster.owner !== owner) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  const actual = await keyHash(hash, roster.nonce, reply.epoch, reply.key);
  if (!equalBytes(committedHash(reply, roster, ownerKey), actual))
    throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  await checkBegin(hash, reply, all);
  return { reply, chain, roster, all };
}

/**
 * What can be told of where a reply has the joiner begin before the log is read. The first epoch begins with the
 * genesis, so that nothing of it is the owner's to say; a later one with a rotation, and the chain is not known for less
 * than the head that it names. Throws JOIN_REPLY_MISPLACED.
 */
async function checkBegin(
  hash: Hash,
  { rotation, head, floor, t }: JoinReplyBody,
  all: readonly Bytes[],
): Promise<void> {
  const [genesis = new Uint8Array()] = all;
  if (rotation === null) {
    const begins = comparePositions(floor, GENESIS_POSITION) === 0;
    if (begins && equalBytes(t, await transcriptStart(hash, genesis))) return;
    throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
  }
  const named = await indexOf(hash, all, decodeBody(containerBody(rotation), 'rotation').body.head);
  if (named < 0 || named > (await indexOf(hash, all, head)))
    throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
}

/** Index of the entry with a body hash; -1: there is none. */
async function indexOf(hash: Hash, chain: readonly Bytes[], head: Bytes): Promise<number> {
  for (const [at, container] of chain.entries()) {
    if (equalBytes(await bodyHash(hash, container), head)) return at;
  }
  return -1;
}

/** What the log has at the place that a reply names, and behind it. */
export interface Begin {
  /** the first entry that this member is served: that of its floor, while the log has it; null: there is none */
  readonly first: Entry | null;
  /** whether its own admission is behind that, or may be in a range that was trimmed meanwhile */
  readonly admitted: boolean;
}

/**
 * Whether the log bears out where a reply has this member begin: with the very rotation of the reply, or, where the
 * relay has the member begin later, before that; and its own admission behind it. Throws JOIN_REPLY_MISPLACED where
 * reply and log do not fit together, which either of the two may be to blame for; RELAY_LIED where the log lacks what the
 * relay's own chain has.
 */
export async function checkPlaced(
  hash: Hash,
  reply: JoinReplyBody,
  { first, admitted }: Begin,
): Promise<void> {
  const order = first === null ? -1 : comparePositions(reply.floor, first.position);
  const same = order !== 0 || first === null || (await beginsEpoch(hash, reply, first));
  if (order > 0 || !same) throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
  if (!admitted) throw new ClientError(ERROR_CODES.RELAY_LIED);
}

async function beginsEpoch(hash: Hash, { rotation }: JoinReplyBody, first: Entry): Promise<boolean> {
  if (rotation === null) return first.kind === 'roster';
  if (first.kind !== 'rotation') return false;
  return equalBytes(await bodyHash(hash, first.clear), await bodyHash(hash, rotation));
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
