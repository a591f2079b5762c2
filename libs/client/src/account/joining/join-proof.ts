/** Verifies the join reply of the owner (docs/protocol.md section 5.8). */
import {
  comparePositions, decodeBody, equalBytes, ERROR_CODES, type Bytes, type Entry, type JoinReplyBody, type JoinState,
} from '@0fc/protocol'; // prettier-ignore
import {
  bodyHash, containerBody, memberIdOf, transcriptHash, transcriptStart, verifyContainer, type Hash, type Roster,
} from '@0fc/crypto/verify'; // prettier-ignore
import { keyHash, openJoinReply } from '@0fc/crypto/keys';
import { ClientError } from '../../contract/errors.js';
import type { Platform } from '../../contract/ports.js';
import { GENESIS_POSITION } from '../create-room.js';
import { fetchChain, type Begin } from '../../room/outgoing/log-queries.js';
import type { JoinRecord } from '../../vault/records.js';

export interface Proved {
  readonly reply: JoinReplyBody;
  /** up to the head that the reply names */
  readonly chain: readonly Bytes[];
  readonly roster: Roster;
  /** all that the relay serves of it, and the roster at its end */
  readonly all: readonly Bytes[];
  readonly last: Roster;
}

/**
 * The room id fixes the genesis, the chain the owner, the owner's signature the reply. The chain is read from the relay, and
 * verified as it comes. Rejects with INVITE_REPLY_INVALID, JOIN_REPLY_MISPLACED, and as the seals and
 * {@link fetchChain} do.
 */
export async function proveReply(
  connection: Parameters<typeof fetchChain>[0],
  platform: Pick<Platform, 'crypto' | 'timers'>,
  record: JoinRecord,
  sealed: NonNullable<JoinState['reply']>,
): Promise<Proved> {
  const { hash } = platform.crypto;
  const { joinKey, token, roomId, request, ownerKey, identity } = record;
  const { epoch, payload } = sealed;
  const joiner = await memberIdOf(hash, identity.publicKey);
  const place = { joinKey, token, roomId, joiner, request };
  const reply = await openJoinReply(hash, { ...place, ownerKey, epoch, payload });
  const named: Roster[] = [];
  const read = await fetchChain(connection, platform, { roomId, roster: null }, (next) => {
    if (equalBytes(next.head, reply.head)) named.push(next);
  });
  const [roster] = named;
  // The head that it names is the owner's word, the end of the chain the relay's: either may be what is not so.
  if (roster === undefined) throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
  const chain = read.entries.slice(0, roster.length);
  const owner = await memberIdOf(hash, ownerKey);
  if (roster.owner !== owner) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  const actual = await keyHash(hash, roster.nonce, reply.epoch, reply.key);
  if (!equalBytes(committedHash(reply, roster, ownerKey), actual))
    throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);
  await checkBegin(hash, reply, chain);
  return { reply, chain, roster, all: read.entries, last: read.roster };
}

/**
 * Checks the position where a reply has the joiner begin, as far as that is possible before the log is read; `chain`:
 * up to its head. The first epoch begins with the genesis, so that its position is fixed. A later epoch begins with a
 * rotation, and the chain must reach the head that the rotation names. Throws JOIN_REPLY_MISPLACED.
 */
async function checkBegin(
  hash: Hash,
  { rotation, floor, t }: JoinReplyBody,
  chain: readonly Bytes[],
): Promise<void> {
  const [genesis = new Uint8Array()] = chain;
  if (rotation === null) {
    const begins = comparePositions(floor, GENESIS_POSITION) === 0;
    if (begins && t !== null && equalBytes(t, transcriptHash(await transcriptStart(hash, genesis)))) return;
    throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
  }
  const named = decodeBody(containerBody(rotation), 'rotation').body.head;
  const heads = await Promise.all(chain.map((container) => bodyHash(hash, container)));
  if (!heads.some((head) => equalBytes(head, named))) throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
}

/**
 * An owner admits with the key of the epoch in which it admits: who was given an older one would be shut out of its own
 * room. `admission`: hash of the entry. Throws JOIN_REPLY_MISPLACED.
 */
export async function checkKeyIsOfAdmission(
  hash: Hash,
  { reply, all }: Pick<Proved, 'reply' | 'all'>,
  admission: Bytes,
): Promise<void> {
  for (const container of all) {
    if (!equalBytes(await bodyHash(hash, container), admission)) continue;
    const { epoch } = decodeBody(containerBody(container), 'admit').body;
    if (epoch !== reply.epoch) throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);
  }
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
