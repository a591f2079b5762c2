/**
 * What lies in a range that the relay has trimmed (docs/protocol.md section 8): its messages
 * are missed, but the roster chain is never trimmed and each rotation commits to its key,
 * so both can be followed again from the first entry that shows where they are.
 */
import {
  decodeBody,
  equalBytes,
  ERROR_CODES,
  ROSTER_KINDS,
  type Body,
  type Bytes,
  type MemberId,
} from '@0fc/protocol';
import { applyRoster, bodyHash, containerBody, memberIdOf, type Hash } from '@0fc/crypto/verify';
import { ClientError } from '../errors.js';
import { followChange } from './changes.js';
import type { RoomState } from './state.js';

/** What a rotation says of itself; it has not been verified. */
export const rotationIn = (clear: Bytes): Body<'rotation'> =>
  decodeBody(containerBody(clear), 'rotation').body;

/** Follows the chain that was fetched up to the entry before this one. */
export async function followToEntry(hash: Hash, state: RoomState, container: Bytes): Promise<void> {
  const at = await indexAhead(hash, state, await bodyHash(hash, container));
  if (at === null) return;
  await follow(hash, state, at);
  state.chainAhead = state.chainAhead.slice(1);
}

/**
 * Follows it until somebody is on the roster who writes. What the relay served as the chain and
 * does not prove itself is let go: whoever it would admit stays unknown.
 */
export async function followToMember(hash: Hash, state: RoomState, member: MemberId): Promise<void> {
  if (state.chainAhead.length === 0 || state.roster.members.has(member)) return;
  try {
    const at = await admissionAhead(hash, state, member);
    if (at !== null) await follow(hash, state, at + 1);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    state.chainAhead = [];
  }
}

async function admissionAhead(hash: Hash, state: RoomState, member: MemberId): Promise<number | null> {
  for (const [at, container] of state.chainAhead.entries()) {
    const signed = decodeBody(containerBody(container), ...ROSTER_KINDS);
    if (signed.kind === 'admit' && (await memberIdOf(hash, signed.body.key)) === member) return at;
  }
  return null;
}

/** The first rotation after a trimmed range: the roster is followed to the head that it names. */
export async function followToHead(hash: Hash, state: RoomState, clear: Bytes): Promise<void> {
  if (state.core.skipped) await followTo(hash, state, rotationIn(clear).head);
}

/**
 * At the end of the log, to the roster head there: a removal in a trimmed range is known before anything is
 * sealed, though no entry after the range names it (G10). A head that the chain does not have is only the relay's word.
 */
export async function followToEnd(hash: Hash, state: RoomState, head: Bytes): Promise<void> {
  try {
    await followTo(hash, state, head);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    state.chainAhead = [];
  }
}

/** The epoch that a rotation is checked to follow: after a trimmed range any one from this one on. */
export function epochBefore({ core }: RoomState, clear: Bytes): number {
  if (!core.skipped) return core.epoch;
  return Math.max(core.epoch, rotationIn(clear).newEpoch - 1);
}

/**
 * Epochs that were trimmed are passed over, once the rotation after them has proved itself: whoever
 * could say how far would put this client out of reach of every later one. Their keys cannot be had.
 */
export function passOver({ core }: RoomState, epoch: number): void {
  if (!core.skipped) return;
  if (epoch > core.epoch) {
    core.epoch = epoch;
    core.logEpoch = epoch;
  }
  core.skipped = false;
}

async function followTo(hash: Hash, state: RoomState, head: Bytes): Promise<void> {
  const at = await indexAhead(hash, state, head);
  if (at !== null) await follow(hash, state, at + 1);
}

async function indexAhead(hash: Hash, state: RoomState, head: Bytes): Promise<number | null> {
  for (const [at, container] of state.chainAhead.entries()) {
    if (equalBytes(await bodyHash(hash, container), head)) return at;
  }
  return null;
}

/** Takes the next `count` entries in, each verified as any other. */
async function follow(hash: Hash, state: RoomState, count: number): Promise<void> {
  for (const container of state.chainAhead.slice(0, count)) {
    const { roster, change } = await applyRoster(hash, state.roster, container);
    state.extendChain(container, await bodyHash(hash, container), roster);
    state.core.chainShown = state.chain.length;
    state.core.logLength = state.chain.length;
    followChange(state, change);
  }
  state.chainAhead = state.chainAhead.slice(count);
}
