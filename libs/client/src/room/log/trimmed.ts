/**
 * Handles a range that the relay has trimmed (docs/protocol.md section 8). Its messages are missed. The roster chain
 * is never trimmed and each rotation commits to its key, so both can be followed again from the first entry that
 * names their state.
 */
import {
  decodeBody,
  equalBytes,
  ERROR_CODES,
  ROSTER_KINDS,
  type Bytes,
  type MemberId,
  type OpenReply,
} from '@0fc/protocol';
import { applyRoster, bodyHash, containerBody, memberIdOf, type Hash } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import {
  append,
  extendChain,
  holdChain,
  rememberTranscript,
  set,
  replaceItems,
  type RoomDraft,
  type RoomSnapshot,
} from '../state/draft.js';
import { rotationIn } from './room-keys.js';
import { applyRosterEffects } from './roster-effects.js';
import type { LogRecord, StoredItem } from '../../vault/records.js';
import { system } from './items.js';

/**
 * Skips a range that was trimmed before this client read it: it is shown as missed, and the transcript is the claim
 * of the relay.
 */
export function skipTrimmedRange(
  draft: RoomDraft,
  { trimmed, trimmedT }: Pick<OpenReply, 'trimmed' | 'trimmedT'>,
  now: number,
): void {
  const { position, t } = draft.core;
  const numbers = { from: position.s + 1, to: trimmed.s };
  const missed = [system('missed', { numbers })];
  if (!mergeIntoMissed(draft, missed)) draft.apply(append(null, now, missed));
  draft.apply(
    set({ position: trimmed, t: trimmedT ?? t, provisional: trimmedT === undefined ? 2 : 0, skipped: true }),
    rememberTranscript(trimmed, trimmedT ?? t),
  );
}

/** Applies the fetched chain up to the entry before this one. */
export async function followToEntry(hash: Hash, draft: RoomDraft, container: Bytes): Promise<void> {
  const at = await indexAhead(hash, draft, await bodyHash(hash, container));
  if (at === null) return;
  await follow(hash, draft, at);
  draft.apply(holdChain(draft.chainAhead.slice(1)));
}

/**
 * Applies the fetched chain until it lists `member`. A chain that does not verify is dropped: that member stays
 * unknown.
 */
export async function followToMember(hash: Hash, draft: RoomDraft, member: MemberId): Promise<void> {
  if (draft.chainAhead.length === 0 || draft.roster.members.has(member)) return;
  try {
    const at = await admissionAhead(hash, draft, member);
    if (at !== null) await follow(hash, draft, at + 1);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    draft.apply(holdChain([]));
  }
}

async function admissionAhead(hash: Hash, draft: RoomDraft, member: MemberId): Promise<number | null> {
  for (const [at, container] of draft.chainAhead.entries()) {
    const signed = decodeBody(containerBody(container), ...ROSTER_KINDS);
    if (signed.kind === 'admit' && (await memberIdOf(hash, signed.body.key)) === member) return at;
  }
  return null;
}

/** Before the first rotation after a trimmed range: applies the chain up to the head that the rotation names. */
export async function followToHead(hash: Hash, draft: RoomDraft, clear: Bytes): Promise<void> {
  if (draft.core.skipped) await followTo(hash, draft, rotationIn(clear).head);
}

/**
 * At the end of the log: applies the chain up to the roster head there. So a removal in a trimmed range is known
 * before anything is sealed, though no later entry names it (G10). A head that the chain does not have is only a
 * claim of the relay.
 */
export async function followToEnd(hash: Hash, draft: RoomDraft, head: Bytes): Promise<void> {
  try {
    await followTo(hash, draft, head);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    draft.apply(holdChain([]));
  }
}

/**
 * The epoch that the newest entry of the chain names. Rotations up to it have been: also where they were not served, as
 * from a trimmed range.
 */
export function epochOfChain({ chain }: RoomSnapshot): number {
  const newest = chain.get(chain.size - 1);
  return newest === undefined ? 1 : epochOf(newest);
}

/** The epoch that an entry of the chain names; genesis makes the first. */
export function epochOf(container: Bytes): number {
  const signed = decodeBody(containerBody(container), ...ROSTER_KINDS);
  return signed.kind === 'genesis' ? 1 : signed.body.epoch;
}

/** The epoch that a rotation has to follow; after a trimmed range any epoch from the last known one on. */
export function epochBefore(snapshot: RoomSnapshot, clear: Bytes): number {
  const { core } = snapshot;
  if (!core.skipped) return core.epoch;
  return Math.max(core.epoch, epochOfChain(snapshot), rotationIn(clear).newEpoch - 1);
}

/**
 * Skips trimmed epochs, only after the rotation that follows them was verified: else a forged one could put this
 * client out of reach of all later rotations. The keys of skipped epochs are unavailable.
 */
export function skipTrimmedEpochs(draft: RoomDraft, epoch: number): void {
  const { core } = draft;
  if (!core.skipped) return;
  if (epoch > core.epoch) draft.apply(set({ epoch, logEpoch: epoch }));
  draft.apply(set({ skipped: false }));
}

async function followTo(hash: Hash, draft: RoomDraft, head: Bytes): Promise<void> {
  const at = await indexAhead(hash, draft, head);
  if (at !== null) await follow(hash, draft, at + 1);
}

async function indexAhead(hash: Hash, draft: RoomDraft, head: Bytes): Promise<number | null> {
  for (const [at, container] of draft.chainAhead.entries()) {
    if (equalBytes(await bodyHash(hash, container), head)) return at;
  }
  return null;
}

/** Applies the next `count` entries of the fetched chain, each verified. */
async function follow(hash: Hash, draft: RoomDraft, count: number): Promise<void> {
  for (const container of draft.chainAhead.slice(0, count)) {
    const { roster, change } = await applyRoster(hash, draft.roster, container);
    draft.apply(extendChain(container, await bodyHash(hash, container), roster));
    draft.apply(set({ chainShown: draft.chain.size, logLength: draft.chain.size }));
    applyRosterEffects(draft, change);
  }
  draft.apply(holdChain(draft.chainAhead.slice(count)));
}

/** Extends the last missed range, if this one follows it directly; true: extended. */
export function mergeIntoMissed(draft: RoomDraft, items: readonly StoredItem[]): boolean {
  const [item] = items;
  if (items.length !== 1 || item?.type !== 'system' || item.event !== 'missed') return false;
  const last = lastShown(draft);
  const [before] = last?.items ?? [];
  if (last?.items.length !== 1 || before?.type !== 'system' || before.event !== 'missed') return false;
  if (before.numbers.to !== (item.numbers.from ?? 0) - 1) return false;
  const numbers = { ...before.numbers, ...(item.numbers.to === undefined ? {} : { to: item.numbers.to }) };
  draft.apply(replaceItems(last.index, [system('missed', { numbers })]));
  return true;
}

function lastShown({ log, core }: RoomSnapshot): LogRecord | undefined {
  return core.shownIndex === null ? undefined : log.at(core.shownIndex);
}
