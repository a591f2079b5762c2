/**
 * Generations: a relay that has lost, or may have lost, the tail of the log
 * (docs/protocol.md section 6). Only the position goes back; head, epoch, keys and counters
 * never do, and what was lost is always shown.
 */
import {
  ALARM_CODES,
  comparePositions,
  equalBytes,
  type Bytes,
  type GenerationStart,
  type MemberId,
  type Position,
} from '@0fc/protocol';
import { transcriptGeneration, transcriptStart, type Hash } from '@0fc/crypto/verify';
import { alarm } from './items.js';
import type { EpochKey, LogRecord, StoredItem } from './records.js';
import type { RoomState } from './state.js';

/** Losses that are remembered: an entry lost longer ago than that counts as lost again. */
const LOSSES_KEPT = 64;

export async function takeGeneration(
  hash: Hash,
  state: RoomState,
  start: GenerationStart,
  now: number,
): Promise<void> {
  const { core } = state;
  if (start.generation <= core.position.g) return;
  const position = { g: start.generation, s: start.from.s };
  const { lost, whole } = lostRecords(state, start.from);
  // Where generations follow each other with nothing between, the last one may go back over the others.
  const from = (await transcriptOf(hash, state, start.from)) ?? core.t;
  const t = await transcriptGeneration(hash, from, start.generation);
  core.position = position;
  core.t = t;
  const index = state.append({ position, t, relayed: null }, now, []);
  if (lost.length === 0) return;
  core.losses = [...core.losses, { ...start }].slice(-LOSSES_KEPT);
  rewindKeys(state, start.from);
  core.logLength = whole ? core.logLength - rosterEntries(lost) : 1;
  sendAgain(state, lost);
  const numbers = lost.flatMap((record) => (record.at === null ? [] : [record.at.position.s]));
  core.lost = { index, from: Math.min(...numbers), to: Math.max(...numbers), restored: 0 };
  showLoss(state);
}

/** A newcomer was never served what lies before its floor; the transcript of genesis it knows all the same. */
async function transcriptOf(hash: Hash, state: RoomState, position: Position): Promise<Bytes | null> {
  const [genesis] = state.chain;
  const atGenesis = position.g === 1 && position.s === 0;
  if (atGenesis && genesis !== undefined) return transcriptStart(hash, genesis);
  return state.transcriptAt(position);
}

/** One entry that was lost is in the log again. */
export function noteRestored(state: RoomState): void {
  const { lost } = state.core;
  if (lost === null || lost.restored > lost.to - lost.from) return;
  state.core.lost = { ...lost, restored: lost.restored + 1 };
  showLoss(state);
}

function showLoss(state: RoomState): void {
  const { lost } = state.core;
  if (lost === null) return;
  const { index, ...numbers } = lost;
  const item: StoredItem = alarm(ALARM_CODES.ALARM_RELAY_LOST, null, numbers);
  state.replaceItems(index, [item]);
}

/**
 * What was taken in after `from` and had not been lost before, newest first. `whole`: `from` is not
 * before what this member was ever served, so that nothing older is lost.
 */
function lostRecords(
  state: RoomState,
  from: Position,
): { readonly lost: readonly LogRecord[]; readonly whole: boolean } {
  const lost: LogRecord[] = [];
  for (let at = state.log.length - 1; at >= 0; at--) {
    const record = state.log[at];
    const place = record?.at ?? null;
    if (record === undefined || place === null || !inLineage(state, place.position)) continue;
    if (comparePositions(place.position, from) <= 0) return { lost, whole: true };
    if (place.relayed !== null) lost.push(record);
  }
  return { lost, whole: false };
}

/** Roster entries among them that were taken for what they are. */
const rosterEntries = (records: readonly LogRecord[]): number =>
  records.filter(
    ({ at, items }) => at?.relayed?.kind === 'roster' && !items.some((item) => item.type === 'alarm'),
  ).length;

/** Whether the log of this moment still holds the entry at a position, as far as the relay has said. */
function inLineage(state: RoomState, position: Position): boolean {
  return state.core.losses.every(
    (loss) => loss.generation <= position.g || comparePositions(position, loss.from) <= 0,
  );
}

/** The epoch of the log goes back with it: what is sealed there is opened with the key of that epoch. */
function rewindKeys(state: RoomState, from: Position): void {
  const { core, rotations } = state;
  const begun = new Map(core.keys.map(({ epoch, floor }) => [epoch, floor]));
  for (const [epoch, { entry }] of rotations) begun.set(epoch, entry.position);
  for (const [epoch, position] of begun) {
    if (comparePositions(position, from) > 0) core.logEpoch = Math.min(core.logEpoch, epoch - 1);
  }
}

/** One's own lost messages are sealed again for the current epoch, with the same n and mid. */
function sendAgain(state: RoomState, lost: readonly LogRecord[]): void {
  const { core } = state;
  const due = new Set<number>();
  for (const item of lost.flatMap(({ items }) => items)) {
    // What had been lost before, sent again, and is lost once more, counts as what it was.
    if (item.type !== 'message' && item.type !== 'repeat') continue;
    if (item.sender === core.me && equalBytes(item.instance, core.instance)) due.add(item.n);
  }
  if (due.size === 0) return;
  for (const { sender, n, instance, mid, sentAt: made, content } of state.messages()) {
    if (sender !== core.me || !due.has(n) || !equalBytes(instance, core.instance)) continue;
    if (!state.outbox.has(n)) state.putOutbox({ n, instance, mid, made, content, sealed: null });
  }
}

type Counters = EpochKey['counters'];

/**
 * Each sender's last counter in the log as the relay has it up to here: what a loss took away comes
 * again after it, and is no repetition to a newcomer. `before`: for who has said nothing since.
 */
export function countersHere(state: RoomState, before: Counters): Counters {
  const here = new Map<MemberId, Counters[number]>();
  const first = new Map<MemberId, Counters[number]>();
  for (const { at, items } of state.log) {
    const stands = at !== null && inLineage(state, at.position);
    for (const item of items) {
      if (item.type !== 'message' && item.type !== 'repeat') continue;
      const { sender, instance, n } = item;
      if (stands) here.set(sender, { sender, instance, n });
      else if (!first.has(sender)) first.set(sender, { sender, instance, n: n - 1 });
    }
  }
  const others = before.map((counter) => here.get(counter.sender) ?? first.get(counter.sender) ?? counter);
  const known = new Set(others.map(({ sender }) => sender));
  const all = [...others, ...[...here.values()].filter(({ sender }) => !known.has(sender))];
  // Of whom all is lost, the first one comes again: there is none before it.
  return all.filter(({ n }) => n > 0);
}
