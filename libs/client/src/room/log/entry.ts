/**
 * Applies an entry of the log to a room (docs/protocol.md sections 4, 6, 7). `applyEntry` is pure: a snapshot and an
 * entry yield changes.
 *
 * Nothing here trusts the relay. An entry that does not verify becomes an alarm at its position, and reading goes on.
 * Only positions follow the relay's word; roster head, epoch, keys and counters never go back. An entry that fails in
 * any other way, or that cannot be stored, becomes an alarm at its position too, with a report code: no entry of
 * others stops a room.
 */
import {
  ALARM_CODES, comparePositions, equalBytes, ERROR_CODES, toHex, type Bytes, type Entry, type Position,
} from '@0fc/protocol'; // prettier-ignore
import { transcriptCheckpoint, transcriptNext, type Hash } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomChange } from '../state/changes.js';
import { append, set, setSender, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import { NotLoaded } from '../state/not-loaded.js';
import type { StoredItem } from '../../vault/records.js';
import { eraseAfter } from './erase.js';
import { generationEndedAt } from './fork.js';
import { alarm, relayedOf } from './items.js';
import { decryptMessage } from './message.js';
import { mergeIntoMissed, followToMember } from './trimmed.js';
import { applyLeaveRequest, applyRosterEntry } from './roster.js';
import { applyRotation } from './rotation.js';
import { rotationIn, signerOf } from './room-keys.js';

export interface Applied {
  /** 'gap': the entry does not follow the last position, and changes nothing. 'known': its position was read before. */
  readonly outcome: 'applied' | 'known' | 'gap';
  readonly changes: readonly RoomChange[];
  /** a roster entry or rotation that does not verify: nothing is sealed before the log is explained (log-queries.ts) */
  readonly unproven?: true;
}

export async function applyEntry(hash: Hash, snapshot: RoomSnapshot, entry: Entry): Promise<Applied> {
  const { core } = snapshot;
  if (comparePositions(entry.position, core.position) <= 0) {
    return { outcome: 'known', changes: await compareKnown(hash, snapshot, entry) };
  }
  if (entry.position.g !== core.position.g || entry.position.s !== core.position.s + 1)
    return { outcome: 'gap', changes: [] };
  const t = await transcriptNext(hash, core.t, entry);
  const changes = await changesOf(hash, snapshot, entry, t);
  // Nothing that is sealed rests on a message: one that failed is no reason to read the log again.
  const unproven = entry.kind !== 'message' && changes.some(isUnproven);
  return { outcome: 'applied', changes, ...(unproven ? { unproven: true } : {}) };
}

async function changesOf(
  hash: Hash,
  snapshot: RoomSnapshot,
  entry: Entry,
  t: Bytes,
): Promise<readonly RoomChange[]> {
  const draft = snapshot.fork();
  try {
    draft.apply(set({ position: entry.position, t }));
    const items = await itemsOf(hash, draft, entry, snapshot.core.position);
    const shown = mergeIntoMissed(draft, items) ? [] : items;
    // A rotation that has proved itself has moved the transcript on.
    const place = { position: entry.position, t: draft.core.t, relayed: relayedOf(entry) };
    draft.apply(append(place, entry.time, shown));
    eraseAfter(draft, shown);
    // The sender of an unverified entry is the relay's claim.
    if (items.some(({ type }) => type !== 'alarm')) {
      draft.apply(setSender(await signerOf(hash, entry), { lastEntry: entry.time }));
    }
    // Encoding fails here for this entry alone, and not later for its whole page.
    draft.records();
    return draft.changes;
  } catch (error) {
    if (error instanceof NotLoaded) throw error;
    return [
      set({ position: entry.position, t }),
      append({ position: entry.position, t, relayed: relayedOf(entry) }, entry.time, [
        failed(error, entry.position, t),
      ]),
    ];
  }
}

/** MALFORMED: the entry cannot be stored. Any other code is a bug of this client. */
export function failed(error: unknown, position: Position, t: Bytes): StoredItem {
  const internal = ClientError.from(error).code === ERROR_CODES.INTERNAL ? 1 : 0;
  return alarm(ALARM_CODES.ALARM_ENTRY_FAILED, null, { report: reportOf(t), position: position.s, internal });
}

const UNPROVEN: ReadonlySet<string> = new Set([
  ALARM_CODES.ALARM_BAD_ROSTER,
  ALARM_CODES.ALARM_FOREIGN_ROTATION,
  ALARM_CODES.ALARM_ENTRY_FAILED,
]);

const isUnproven = (change: RoomChange): boolean =>
  change.kind === 'append' && change.items.some((item) => item.type === 'alarm' && UNPROVEN.has(item.code));

/** Report code of a failure: the same on every device that has read the same log up to it. */
const reportOf = (t: Bytes): number => Number.parseInt(toHex(t.subarray(0, 4)), 16);

async function itemsOf(
  hash: Hash,
  draft: RoomDraft,
  entry: Entry,
  before: Position,
): Promise<readonly StoredItem[]> {
  switch (entry.kind) {
    case 'message':
      await followToMember(hash, draft, entry.sender);
      draft.apply(set({ epochMessages: draft.core.epochMessages + 1 }));
      return decryptMessage(draft, entry, before);
    case 'rotation':
      return applyRotation(hash, draft, entry);
    case 'roster':
      return applyRosterEntry(hash, draft, entry);
    case 'leaveRequest':
      return applyLeaveRequest(draft, entry);
  }
}

/** A repeated entry must be the same one: two entries at one position are a fork (G7). */
async function compareKnown(
  hash: Hash,
  snapshot: RoomSnapshot,
  entry: Entry,
): Promise<readonly RoomChange[]> {
  const { position, time } = entry;
  const known = snapshot.transcriptAt(position);
  const fork = append(null, time, [alarm(ALARM_CODES.ALARM_FORK, null, { position: position.s })]);
  if (known === null) {
    const impossible = generationEndedAt(snapshot, position) !== null || snapshot.isKnownEmpty(position);
    return impossible && !endsInFork(snapshot) ? [fork] : [];
  }
  const before = snapshot.transcriptAt({ g: position.g, s: position.s - 1 });
  if (before === null || (await leadsTo(hash, before, entry, known))) return [];
  return [fork];
}

/** Whether an entry after `before` makes the transcript `known`: a rotation passes a checkpoint, where it proves itself. */
async function leadsTo(hash: Hash, before: Bytes, entry: Entry, known: Bytes): Promise<boolean> {
  const next = await transcriptNext(hash, before, entry);
  if (equalBytes(next, known)) return true;
  if (entry.kind !== 'rotation') return false;
  try {
    return equalBytes(await transcriptCheckpoint(hash, next, rotationIn(entry.clear).base), known);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return false;
  }
}

/**
 * The relay serves an entry of a generation that it had reported as ended before that position, or at a position
 * where it had none: other members have another log. One alarm for all such entries in a row.
 */
function endsInFork({ log }: RoomSnapshot): boolean {
  const [last] = log.at(log.end - 1)?.items ?? [];
  return last?.type === 'alarm' && last.code === ALARM_CODES.ALARM_FORK && last.member === null;
}

/**
 * Entries in a gap are unavailable: the gap is shown, and the transcript continues from the value that the relay
 * claims.
 */
export function acceptGap({ core }: RoomSnapshot, entry: Entry): readonly RoomChange[] {
  const numbers = { from: core.position.s + 1, to: entry.position.s - 1 };
  return [
    append(null, entry.time, [alarm(ALARM_CODES.ALARM_GAP, null, numbers)]),
    set({ position: { g: entry.position.g, s: entry.position.s - 1 } }),
  ];
}
