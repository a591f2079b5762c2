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
import { append, replaceItems, set } from '../state/changes.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';
import type { EpochKey, LogRecord, StoredItem } from '../../vault/records.js';
import { alarm } from './items.js';
import { requeueLost } from './lost.js';

/** Losses that are remembered: an entry lost longer ago than that counts as lost again. */
const LOSSES_KEPT = 64;
/** Starts that are remembered: what one before them ended is not known to have ended. */
const STARTS_KEPT = 256;
/** Times that reading has gone back that are remembered: what was read before them is looked for no more. */
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
  // Of what lay in a trimmed range, or before this member's time, nobody knows here what it was.
  const whole = lost.length >= core.position.s - start.from.s;
  // Where generations follow each other with nothing between, the last one may go back over the others.
  const from = (await transcriptOf(hash, draft, start.from)) ?? core.t;
  const t = await transcriptGeneration(hash, from, start.generation);
  const slot = generationSlot(draft.log);
  const index = slot ?? core.nextIndex;
  // One of many in a row stands where the last of them did.
  const starts = slot === null ? core.starts : core.starts.slice(0, -1);
  draft.apply(
    set({ position, t, starts: [...starts, { position, time: now }].slice(-STARTS_KEPT) }),
    append({ position, t, relayed: null }, now, []),
  );
  // By the positions, and not by the records: what is counted, or was trimmed, has none of its own.
  if (!goesBack) return;
  // One of many in a row is shown with those before it.
  const before = slot === null || core.lost?.index !== slot ? [] : [core.lost.from, core.lost.to];
  const positions = lost.flatMap((record) => (record.at === null ? [] : [record.at.position.s]));
  const begin = positions.length > 0 ? positions : [start.from.s + 1];
  const numbers = [...before, ...begin, core.position.s];
  draft.apply(
    set({
      losses: [...core.losses, { ...start }].slice(-LOSSES_KEPT),
      logEpoch: epochAt(draft, start.from, core.logEpoch),
      logLength: whole ? core.logLength - rosterEntries(lost) : 1,
      lost: { index, from: least(numbers), to: greatest(numbers), restored: 0 },
    }),
  );
  requeueLost(draft, lost);
  showLoss(draft);
}

/**
 * The relay's log ends before what it had served or announced here: there is no such generation, or there are no such
 * positions, and whatever that took away was not lost. Reading goes on from the last position that the log has; the
 * others have another history, which is shown. An honest relay never takes one back. False: nothing of the kind.
 */
export function goBackTo(draft: RoomDraft, tip: Position, now: number): boolean {
  if (comparePositions(tip, draft.core.position) >= 0 || !forgetGenerations(draft, tip)) return false;
  const { s } = draft.core.position;
  draft.apply(append(null, now, [alarm(ALARM_CODES.ALARM_FORK, null, { position: s })]));
  return true;
}

/**
 * Undoes what generations after that of `end` took away, so that reading goes on from the last position up to it.
 * Roster head, epoch, keys and counters stay. False: no such position is known here.
 */
function forgetGenerations(draft: RoomDraft, end: Position): boolean {
  const place = lastPlaceUpTo(draft, end);
  if (place === null) return false;
  const { position, t, index } = place;
  const later = [...draft.log.oldestFirst(index + 1)];
  draft.apply(
    set({
      position,
      t,
      losses: draft.core.losses.filter(({ generation }) => generation <= end.g),
      starts: draft.core.starts.filter((start) => start.position.g <= end.g),
      turns: [...draft.core.turns, draft.core.nextIndex].slice(-TURNS_KEPT),
      logEpoch: epochAt(draft, position, draft.core.epoch),
      logLength: draft.chain.size - rosterEntries(later),
    }),
  );
  return true;
}

function lastPlaceUpTo({ log, current }: RoomSnapshot, end: Position) {
  for (const { at, index } of log.newestFirst()) {
    if (at !== null && comparePositions(at.position, end) <= 0) return { ...at, index };
  }
  // A newcomer begins at its floor, which no record of the log stands for.
  const { floor: position, t } = current;
  return comparePositions(position, end) <= 0 ? { position, t, index: log.first - 1 } : null;
}

/** A generation goes on from a position that an earlier one is said to have taken away: that one was not, then. */
const contradicts = ({ core }: RoomSnapshot, { from }: GenerationStart): boolean =>
  core.losses.some((loss) => loss.generation > from.g && comparePositions(from, loss.from) > 0);

/** A newcomer was never served what lies before its floor; the transcript of genesis it knows all the same. */
async function transcriptOf(hash: Hash, snapshot: RoomSnapshot, position: Position): Promise<Bytes | null> {
  const genesis = snapshot.chain.get(0);
  const atGenesis = position.g === 1 && position.s === 0;
  if (atGenesis && genesis !== undefined) return transcriptStart(hash, genesis);
  return snapshot.transcriptAt(position);
}

/** One entry that was lost is in the log again. */
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

/** What was taken in after `from` and had not been lost before, newest first. Throws NotLoaded. */
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

/** Roster entries among them that were taken for what they are. */
const rosterEntries = (records: readonly LogRecord[]): number =>
  records.filter(
    ({ at, items }) => at?.relayed?.kind === 'roster' && !items.some((item) => item.type === 'alarm'),
  ).length;

/** Whether the log of this moment still holds the entry at a position, as far as the relay has said. */
function inLineage({ core }: RoomSnapshot, position: Position): boolean {
  return core.losses.every(
    (loss) => loss.generation <= position.g || comparePositions(position, loss.from) <= 0,
  );
}

/** The epoch of the log at a position, given the one that it has later. Throws NotLoaded. */
function epochAt(snapshot: RoomSnapshot, position: Position, later: number): number {
  let epoch = later;
  for (let begunEpoch = later; begunEpoch > 1; begunEpoch--) {
    const at = beginOf(snapshot, begunEpoch);
    // Of one in a trimmed range nobody knows where it began; those before it tell.
    if (at === null) continue;
    if (comparePositions(at, position) <= 0) break;
    epoch = begunEpoch - 1;
  }
  return epoch;
}

/** Where the log has the rotation that began an epoch; null: it was not read here. */
const beginOf = (snapshot: RoomSnapshot, epoch: number): Position | null =>
  snapshot.rotation(epoch)?.entry.position ?? snapshot.key(epoch)?.floor ?? null;

const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), Infinity);
const greatest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), -Infinity);

type Counter = EpochKey['counters'][number];

/**
 * Each sender's last counter in the log as the relay has it up to here: what a loss took away comes
 * again after it, and is no repetition to a newcomer. Throws NotLoaded.
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
  // Of whom all is lost, the first one comes again: there is none before it.
  return all.filter(({ n }) => n > 0);
}

/** Of senders whose last message the log of this moment lacks: the last one that it has. */
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
    // Nothing from here on back was ever lost: what is lost of the others began after it.
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
