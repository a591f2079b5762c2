/**
 * Generations: a relay that has lost, or may have lost, the tail of the log
 * (docs/protocol.md section 6). Only the position goes back; head, epoch, keys and counters
 * never do, and what was lost is always shown.
 */
import {
  ALARM_CODES,
  comparePositions,
  type Bytes,
  type GenerationStart,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { transcriptGeneration, transcriptStart, type Hash } from '@0fc/crypto/verify';
import { generationSlot } from '../state/alarm-flood.js';
import { append, replaceItems, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { EpochKey, LogRecord, StoredItem } from '../../vault/records.js';
import { alarm } from './items.js';
import { requeueLost } from './lost.js';

/** Number of losses that are kept: an entry of an earlier loss counts as lost again. */
const LOSSES_KEPT = 64;
/** Number of starts that are kept: what an earlier start ended is not known to have ended. */
const STARTS_KEPT = 256;
/** Number of times that reading went back which are kept: records before an earlier one are not searched any more. */
const TURNS_KEPT = 64;

export async function applyGeneration(
  hash: Hash,
  draft: RoomDraft,
  start: GenerationStart,
  now: number,
): Promise<void> {
  if (start.generation <= draft.core.position.g) return;
  if (contradicts(draft, start)) forgetGenerations(draft, start.from);
  const { core } = draft;
  const position = { g: start.generation, s: start.from.s };
  const goesBack = comparePositions(core.position, start.from) > 0 && core.position.s > start.from.s;
  const lost = goesBack ? lostRecords(draft, start.from) : [];
  // This client does not know the entries of a trimmed range, or those before its own floor.
  const whole = lost.length >= core.position.s - start.from.s;
  // Generations that follow each other without entries: the last one may go back further than the others.
  const from = await transcriptOf(hash, draft, start.from);
  const t = await transcriptGeneration(hash, from ?? core.t, start.generation);
  const provisional = from === null ? 2 : core.provisional;
  const slot = generationSlot(draft.log);
  const index = slot ?? core.nextIndex;
  // A generation that is counted with others has the index of the last of them.
  const starts = slot === null ? core.starts : core.starts.slice(0, -1);
  draft.apply(
    set({ position, t, provisional, starts: [...starts, { position, time: now }].slice(-STARTS_KEPT) }),
    append({ position, t, relayed: null }, now, []),
  );
  // Compared by position, not by record: counted or trimmed entries have no record.
  if (!goesBack) return;
  // A generation that is counted with others is shown with them.
  const before = slot === null || core.lost?.index !== slot ? [] : [core.lost.from, core.lost.to];
  const positions = lost.flatMap((record) => (record.at === null ? [] : [record.at.position.s]));
  const begin = positions.length > 0 ? positions : [start.from.s + 1];
  const numbers = [...before, ...begin, core.position.s];
  const logEpoch = epochAt(draft, start.from, core.logEpoch);
  draft.apply(
    set({
      losses: [...core.losses, { ...start }].slice(-LOSSES_KEPT),
      logEpoch,
      // The first loss counts: more of them, which a relay can make up without end, do not put the rotation off.
      ...(logEpoch < core.epoch ? { tookRotation: core.tookRotation ?? now } : {}),
      logLength: whole ? core.logLength - rosterEntries(lost) : 1,
      lost: { index, from: least(numbers), to: greatest(numbers), restored: 0 },
    }),
  );
  requeueLost(draft, lost);
  showLoss(draft);
}

/**
 * The relay's log ends before a position that it had served or announced: that generation or those positions do not
 * exist, so that what they took away was not lost. Reading continues from the last position that the log holds. Other
 * members have another history, which is shown. An honest relay never does this. False: not the case.
 */
export function goBackTo(draft: RoomDraft, tip: Position, now: number): boolean {
  if (comparePositions(tip, draft.core.position) >= 0 || !forgetGenerations(draft, tip)) return false;
  const { s } = draft.core.position;
  draft.apply(append(null, now, [alarm(ALARM_CODES.ALARM_FORK, null, { position: s })]));
  return true;
}

/**
 * Undoes the losses of generations after that of `end`, so that reading continues from the last position up to `end`.
 * Roster head, epoch, keys and counters stay. False: this client knows no such position.
 */
function forgetGenerations(draft: RoomDraft, end: Position): boolean {
  const place = lastPlaceUpTo(draft, end);
  if (place === null) return false;
  const { position, t, index } = place;
  const later = [...draft.log.oldestFirst(index + 1)];
  const logEpoch = epochAt(draft, position, draft.core.epoch);
  draft.apply(
    set({
      position,
      t: t ?? draft.core.t,
      provisional: t === null ? 2 : draft.core.provisional,
      losses: draft.core.losses.filter(({ generation }) => generation <= end.g),
      starts: draft.core.starts.filter((start) => start.position.g <= end.g),
      turns: [...draft.core.turns, draft.core.nextIndex].slice(-TURNS_KEPT),
      logEpoch,
      ...(logEpoch === draft.core.epoch ? { tookRotation: null } : {}),
      logLength: draft.chain.size - rosterEntries(later),
    }),
  );
  return true;
}

function lastPlaceUpTo({ log, current }: RoomSnapshot, end: Position) {
  for (const { at, index } of log.newestFirst()) {
    if (at !== null && comparePositions(at.position, end) <= 0) return { ...at, index };
  }
  // A new member begins at its floor, which has no record in its local log.
  const { floor: position, t } = current;
  return comparePositions(position, end) <= 0 ? { position, t, index: log.first - 1 } : null;
}

/**
 * A generation starts from a position that an earlier generation has taken away, as the relay claimed: that claim was
 * false.
 */
const contradicts = ({ core }: RoomSnapshot, { from }: GenerationStart): boolean =>
  core.losses.some((loss) => loss.generation > from.g && comparePositions(from, loss.from) > 0);

/** A new member is never served entries before its floor, but it knows the transcript of the genesis. */
async function transcriptOf(hash: Hash, snapshot: RoomSnapshot, position: Position): Promise<Bytes | null> {
  const genesis = snapshot.chain.get(0);
  const atGenesis = position.g === 1 && position.s === 0;
  if (atGenesis && genesis !== undefined) return transcriptStart(hash, genesis);
  return snapshot.transcriptAt(position);
}

/** Counts a lost entry that is in the log again. */
export function noteRestored(draft: RoomDraft): void {
  const { lost } = draft.core;
  if (lost === null || lost.restored > lost.to - lost.from) return;
  draft.apply(set({ lost: { ...lost, restored: lost.restored + 1 } }));
  showLoss(draft);
}

function showLoss(draft: RoomDraft): void {
  const { lost } = draft.core;
  if (lost === null) return;
  const { index, ...numbers } = lost;
  const item: StoredItem = alarm(ALARM_CODES.ALARM_RELAY_LOST, null, numbers);
  draft.apply(replaceItems(index, [item]));
}

/** Records read after `from` that were not lost before, newest first. Throws NotLoaded. */
function lostRecords(snapshot: RoomSnapshot, from: Position): readonly LogRecord[] {
  const lost: LogRecord[] = [];
  for (const record of snapshot.log.newestFirst()) {
    const place = record.at;
    if (place === null || !inLineage(snapshot, place.position)) continue;
    if (comparePositions(place.position, from) <= 0) break;
    if (place.relayed !== null) lost.push(record);
  }
  return lost;
}

/** Number of verified roster entries among the records. */
const rosterEntries = (records: readonly LogRecord[]): number =>
  records.filter(
    ({ at, items }) => at?.relayed?.kind === 'roster' && !items.some((item) => item.type === 'alarm'),
  ).length;

/** Whether the current log still holds the entry at a position, as far as the relay has reported. */
export function inLineage({ core }: RoomSnapshot, position: Position): boolean {
  return core.losses.every(
    (loss) => loss.generation <= position.g || comparePositions(position, loss.from) <= 0,
  );
}

/** The epoch at a position of the log, given the one at a later position. Throws NotLoaded. */
function epochAt(snapshot: RoomSnapshot, position: Position, later: number): number {
  let epoch = later;
  for (let begunEpoch = later; begunEpoch > 1; begunEpoch--) {
    const at = beginOf(snapshot, begunEpoch);
    // A rotation in a trimmed range has no known position; those before it decide.
    if (at === null) continue;
    if (comparePositions(at, position) <= 0 && stoodAt(snapshot, at, position)) break;
    epoch = begunEpoch - 1;
  }
  return epoch;
}

/** Whether the log still had an entry when it held a later position: no loss up to then had taken it away. */
const stoodAt = ({ core }: RoomSnapshot, entry: Position, later: Position): boolean =>
  core.losses.every(
    ({ generation, from }) =>
      generation <= entry.g || generation > later.g || comparePositions(entry, from) <= 0,
  );

/** Position of the rotation that began an epoch; null: this client has not read it. */
const beginOf = (snapshot: RoomSnapshot, epoch: number): Position | null =>
  snapshot.rotation(epoch)?.entry.position ?? snapshot.key(epoch)?.floor ?? null;

const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), Infinity);
const greatest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), -Infinity);

type Counter = EpochKey['counters'][number];

/**
 * Each sender's last counter in the relay's log up to here. Messages that a loss took away are resent after it, and
 * must not look like repetitions to a new member. Throws NotLoaded.
 */
export function countersHere(snapshot: RoomSnapshot): readonly Counter[] {
  const counters = snapshot.counters();
  const affected = counters.filter(({ sender }) => {
    const { at } = snapshot.sender(sender);
    return at !== null && !inLineage(snapshot, at);
  });
  if (affected.length === 0) return counters;
  const before = lastBeforeLoss(snapshot, new Set(affected.map(({ sender }) => sender)));
  const all = counters.map((counter) => before.get(counter.sender) ?? counter);
  // A sender whose messages are all lost resends the first one: no counter precedes it.
  return all.filter(({ n }) => n > 0);
}

/** For senders whose last message the current log lacks: the last message that it holds. */
function lastBeforeLoss(
  snapshot: RoomSnapshot,
  senders: ReadonlySet<MemberId>,
): ReadonlyMap<MemberId, Counter> {
  const { losses } = snapshot.core;
  const found = new Map<MemberId, Counter>();
  const open = new Set(senders);
  for (const { at, items } of snapshot.log.newestFirst()) {
    if (open.size === 0) break;
    if (at === null) continue;
    const stands = inLineage(snapshot, at.position);
    // No record before this one was ever lost.
    if (losses.every(({ from }) => comparePositions(at.position, from) <= 0)) break;
    for (const item of items) {
      if ((item.type !== 'message' && item.type !== 'repeat') || !open.has(item.sender)) continue;
      const { sender, instance, n } = item;
      found.set(sender, { sender, instance, n: stands ? n : n - 1 });
      if (stands) open.delete(sender);
    }
  }
  return found;
}
