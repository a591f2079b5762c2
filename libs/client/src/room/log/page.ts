/**
 * Applies what the relay serves of the log to a room (docs/protocol.md sections 6 and 8): pages, what the feed brings,
 * and what a fetched chain explains.
 */
import {
  comparePositions,
  decodeMessageClear,
  ERROR_CODES,
  type Bytes,
  type Entry,
  type OpenReply,
  type GenerationStart,
  type Position,
} from '@0fc/protocol';
import type { Hash } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import { holdChain, set, type RoomDraft } from '../state/draft.js';
import { acceptGap, applyEntry, type Applied } from './entry.js';
import { applyGeneration, goBackTo } from './generations.js';
import { applyTrimmedRotation } from './rotation.js';
import { followToEnd, skipTrimmedRange } from './trimmed.js';

export interface Page {
  readonly reply: OpenReply;
  /**
   * entries of the roster chain after those that this client holds, where a trimmed range may contain some; else null
   */
  readonly chain: readonly Bytes[] | null;
  /** this device's clock, Unix ms */
  readonly now: number;
}

/**
 * `results`: of an earlier attempt at the same page, from the same state.
 *
 * 'live': the page ends at the end of the log. 'more': it does not. 'unexplained': a message is of an epoch that no
 * rotation read so far begins; that message and what follows were left for another reading (log-queries.ts).
 */
export async function applyPage(
  hash: Hash,
  draft: RoomDraft,
  { reply, chain, now }: Page,
  results = new EntryResults(),
): Promise<'live' | 'more' | 'unexplained'> {
  results.begin();
  if (chain !== null) draft.apply(holdChain(chain));
  for (const start of reply.generations) await applyGeneration(hash, draft, start, now);
  // The entries after the new position were not requested: another page brings them.
  if (reply.generations.length === 0 && goBackTo(draft, reply.tip, now)) return 'more';
  if (comparePositions(reply.trimmed, draft.core.position) > 0) {
    skipTrimmedRange(draft, reply, now);
    if (reply.rotation !== undefined) await applyTrimmedRotation(hash, draft, reply.rotation);
  }
  for (const entry of reply.entries) {
    if (isAhead(draft, entry, reply.epoch)) return 'unexplained';
    if (await follows(hash, draft, entry, results)) continue;
    await cross(hash, draft, entry, now);
    await follows(hash, draft, entry, results);
  }
  if (!reply.live) return 'more';
  await followToEnd(hash, draft, reply.head);
  return 'live';
}

async function follows(hash: Hash, draft: RoomDraft, entry: Entry, results: EntryResults): Promise<boolean> {
  const { outcome, changes } = await results.next(() => applyEntry(hash, draft, entry));
  draft.apply(...changes);
  return outcome !== 'gap';
}

/**
 * Applies entries of the feed. 'gap': one does not follow, or is of an ended generation, and the log has to be read
 * again. 'unproven': so too, since an entry does not verify.
 */
export async function applyFeed(
  hash: Hash,
  draft: RoomDraft,
  entries: readonly Entry[],
  results: EntryResults,
): Promise<'whole' | 'gap' | 'unproven'> {
  let proven = true;
  results.begin();
  for (const entry of entries) {
    const applied = await results.next(() => applyEntry(hash, draft, entry));
    draft.apply(...applied.changes);
    // An entry of an ended generation: the relay has lied to this client or to others, and the log decides.
    const ended = applied.outcome === 'known' && entry.position.g < draft.core.position.g;
    if (applied.outcome === 'gap' || ended) return 'gap';
    proven &&= applied.unproven === undefined;
  }
  return proven ? 'whole' : 'unproven';
}

/**
 * Follows a fetched chain to the head at the end of the log, as over a trimmed range, with rotations that the relay
 * now serves whole.
 */
export async function applyExplanation(
  hash: Hash,
  draft: RoomDraft,
  { chain, rotations }: { readonly chain: readonly Bytes[]; readonly rotations: readonly Entry[] },
  head: Bytes,
): Promise<void> {
  draft.apply(holdChain(chain), set({ skipped: true }));
  for (const rotation of rotations) await applyTrimmedRotation(hash, draft, rotation);
  await followToEnd(hash, draft, head);
  draft.apply(set({ skipped: false }));
}

/** An entry of a later generation announces that generation; any other distance between positions is a gap. */
async function cross(hash: Hash, draft: RoomDraft, entry: Entry, now: number): Promise<void> {
  const { position, logEpoch } = draft.core;
  const { g, s } = entry.position;
  if (g > position.g) {
    const from = { g: position.g, s: Math.min(position.s, s - 1) };
    await applyGeneration(hash, draft, { generation: g, from }, now);
    // A member that a restore has readmitted is served from its floor on, without the rotation that begins it.
    draft.apply(set({ logEpoch }));
  }
  if (s > draft.core.position.s + 1) draft.apply(...acceptGap(draft, entry));
}

/**
 * Whether a message is of an epoch that the relay names at the end of its log, and that no rotation read here has
 * begun.
 */
function isAhead({ core }: RoomDraft, entry: Entry, end: number): boolean {
  if (entry.kind !== 'message' || core.skipped || end <= core.epoch) return false;
  try {
    return decodeMessageClear(entry.clear) > core.epoch;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return false;
  }
}

/** A generation is numbered by the relay's clock, in Unix ms; two clocks may be this far apart. */
const AHEAD_MS = 86_400_000;

/**
 * Positions only ascend, so a forged position far ahead would block this member for good. Claims that no honest relay
 * can make are refused before any state changes (section 6).
 */
interface RelayClaim {
  readonly generations?: readonly GenerationStart[];
  readonly trimmed?: Position;
  readonly entries?: readonly Entry[];
}

/** Throws RELAY_LIED where a relay names a generation more than a day after `now` (Unix ms). */
export function checkRelayClaim({ generations = [], trimmed, entries = [] }: RelayClaim, now: number): void {
  const numbers = [
    ...generations.map(({ generation }) => generation),
    ...(trimmed === undefined ? [] : [trimmed.g]),
    ...entries.map(({ position }) => position.g),
  ];
  if (numbers.some((g) => g > now + AHEAD_MS)) throw new ClientError(ERROR_CODES.RELAY_LIED);
}

/** Results of entries, kept while the same work is run again (docs/decisions/0021). */
export class EntryResults {
  readonly #known: Applied[] = [];
  #next = 0;

  /** Starts over: the work runs for the first time, or again. */
  begin(): void {
    this.#next = 0;
  }

  /** Returns the next result; calls `make` the first time only. Rejects as `make` does. */
  async next(make: () => Promise<Applied>): Promise<Applied> {
    const at = this.#next++;
    const known = this.#known[at] ?? (await make());
    this.#known[at] = known;
    return known;
  }
}
