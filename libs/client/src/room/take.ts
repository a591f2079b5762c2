/**
 * Taking in the log, entry by entry, in its order (docs/protocol.md sections 4, 6, 7).
 *
 * Nothing here trusts the relay: an entry that does not prove itself becomes an alarm in
 * its place, and the rest goes on. Only positions ever follow the relay's word; roster
 * head, epoch, keys and counters never go back.
 */
import { ALARM_CODES, comparePositions, equalBytes, type Entry } from '@0fc/protocol';
import { transcriptNext, type Hash } from '@0fc/crypto/verify';
import { alarm, relayedOf, system } from './items.js';
import type { StoredItem } from './records.js';
import { overSince } from './seen.js';
import { followToMember } from './skipped.js';
import type { RoomState } from './state.js';
import { takeMessage } from './take-message.js';
import { takeLeaveRequest, takeRoster } from './take-roster.js';
import { takeRotation } from './take-rotation.js';

/** 'gap': the entry does not follow; nothing was taken in. 'known': it was taken in before. */
export type Taken = 'taken' | 'known' | 'gap';

export async function takeEntry(hash: Hash, state: RoomState, entry: Entry): Promise<Taken> {
  const { core } = state;
  if (comparePositions(entry.position, core.position) <= 0) {
    await compareKnown(hash, state, entry);
    return 'known';
  }
  if (entry.position.g !== core.position.g || entry.position.s !== core.position.s + 1) return 'gap';
  const t = await transcriptNext(hash, core.t, entry);
  const before = core.position;
  core.position = entry.position;
  core.t = t;
  if (entry.kind === 'message') await followToMember(hash, state, entry.sender);
  const items =
    entry.kind === 'message'
      ? takeMessage(state, entry, before)
      : entry.kind === 'rotation'
        ? await takeRotation(hash, state, entry)
        : entry.kind === 'roster'
          ? await takeRoster(hash, state, entry)
          : takeLeaveRequest(state, entry);
  const shown = joinedMissed(state, items) ? [] : items;
  state.append({ position: entry.position, t, relayed: relayedOf(entry) }, entry.time, shown);
  return 'taken';
}

/** What is missed in a row is told as one range, in the place of the first. */
function joinedMissed(state: RoomState, items: readonly StoredItem[]): boolean {
  const [item] = items;
  if (items.length !== 1 || item?.type !== 'system' || item.event !== 'missed') return false;
  const last = state.log.findLast((record) => record.items.length > 0);
  const [before] = last?.items ?? [];
  if (last?.items.length !== 1 || before?.type !== 'system' || before.event !== 'missed') return false;
  if (before.numbers.to !== (item.numbers.from ?? 0) - 1) return false;
  state.replaceItems(last.index, [
    system('missed', { numbers: { ...before.numbers, ...pick(item.numbers.to) } }),
  ]);
  return true;
}

const pick = (to: number | undefined): Record<string, number> => (to === undefined ? {} : { to });

/** An entry shown again must be the same one: two under one position are a fork (G7). */
async function compareKnown(hash: Hash, state: RoomState, entry: Entry): Promise<void> {
  const { position } = entry;
  const known = state.transcriptAt(position);
  if (known === null && (overSince(state, position) !== null || state.passedOver(position))) {
    showOther(state, entry);
    return;
  }
  const before = state.transcriptAt({ g: position.g, s: position.s - 1 });
  if (known === null || before === null) return;
  if (equalBytes(await transcriptNext(hash, before, entry), known)) return;
  state.append(null, entry.time, [alarm(ALARM_CODES.ALARM_FORK, null, { position: position.s })]);
}

/**
 * An entry of a generation that had ended before it, as the relay has said here, or of a place where it
 * had nothing: others have another log. Told once for all that follow each other.
 */
function showOther(state: RoomState, { position, time }: Entry): void {
  const [last] = state.log.at(-1)?.items ?? [];
  if (last?.type === 'alarm' && last.code === ALARM_CODES.ALARM_FORK && last.member === null) return;
  state.append(null, time, [alarm(ALARM_CODES.ALARM_FORK, null, { position: position.s })]);
}

/** What lies in a gap cannot be had: shown, and the transcript goes on from the relay's word. */
export function acceptGap(state: RoomState, entry: Entry): void {
  const { core } = state;
  state.append(null, entry.time, [
    alarm(ALARM_CODES.ALARM_GAP, null, { from: core.position.s + 1, to: entry.position.s - 1 }),
  ]);
  core.position = { g: entry.position.g, s: entry.position.s - 1 };
}
