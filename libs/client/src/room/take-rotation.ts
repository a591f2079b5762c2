/** Taking in a rotation (docs/protocol.md section 7; G8, G9, G10, G11). */
import {
  ALARM_CODES, equalBytes, ERROR_CODES, type AlarmCode, type Body, type Bytes, type Entry,
  type Position,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, verifyContainer, verifyRotation, type Hash, type Roster } from '@0fc/crypto/verify';
import { openRotation, wrapPrekey } from '@0fc/crypto/keys';
import { ClientError } from '../errors.js';
import { forgetKeys } from './forget-keys.js';
import { keyEver } from './former.js';
import { countersHere, noteRestored } from './generations.js';
import { alarm, system } from './items.js';
import { settlePending } from './pending.js';
import type { StoredItem } from './records.js';
import { epochBefore, followToHead, passOver, rotationIn } from './skipped.js';
import type { RoomState } from './state.js';

export async function takeRotation(
  hash: Hash,
  state: RoomState,
  entry: Entry,
): Promise<readonly StoredItem[]> {
  const { core } = state;
  let rotation: Body<'rotation'>;
  let roster: Roster;
  try {
    // First, so that it is held against whoever owns the room by then.
    await followToHead(hash, state, entry.clear);
    const known = await takeKnown(hash, state, entry);
    if (known !== null) return known;
    roster = state.roster;
    const before = epochBefore(state, entry.clear);
    rotation = await verifyRotation(hash, roster, before, entry.clear, entry.payload);
    passOver(state, before);
  } catch (error) {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.INTERNAL) throw error;
    const forged = code === ERROR_CODES.BAD_SIGNATURE;
    return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { forged: forged ? 1 : 0 })];
  }
  const missed = giveUpSealed(state);
  const items: StoredItem[] = [
    system('rotated', { actor: state.roster.owner, numbers: { epoch: rotation.newEpoch } }),
    ...rotation.unwrapped.map((member) => system('unwrapped', { actor: state.roster.owner, member })),
  ];
  const opened = adoptOwn(state, rotation) ?? (await openOwnWrap(hash, state, roster, rotation, entry));
  items.push(...opened.items);
  const wraps = ownWraps(state, entry);
  settlePending(state, null, entry.clear);
  keepTaken(state, rotation.newEpoch, entry, wraps);
  core.epoch = rotation.newEpoch;
  core.logEpoch = rotation.newEpoch;
  core.epochMessages = 0;
  core.rotationWanted = false;
  core.mustRotate = false;
  core.needKey = null;
  core.publishedThen = core.publishedK;
  if (equalBytes(rotation.head, state.roster.head)) core.paused = false;
  core.keys.push({
    epoch: rotation.newEpoch,
    key: opened.key,
    keyHash: rotation.keyHash,
    rotation: entry.clear,
    floor: entry.position,
    t: core.t,
    counters: core.counters.map((counter) => ({ ...counter })),
    since: entry.time,
  });
  forgetKeys(state);
  return [...missed, ...items];
}

/**
 * The rotation that began the epoch of this moment, where it lies in a trimmed range (section 8): it proves
 * itself as any other does, and brings the key, or the commitment by which one can be asked for. That it is the
 * last one there is only the relay's word, so the range stays open to a later one.
 */
export async function takeTrimmedRotation(hash: Hash, state: RoomState, entry: Entry): Promise<void> {
  if (isPast(state, entry.clear)) return;
  state.append(null, entry.time, await takeRotation(hash, state, entry));
  state.core.skipped = true;
}

function isPast({ core }: RoomState, clear: Bytes): boolean {
  try {
    return rotationIn(clear).newEpoch <= core.epoch;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return false; // no rotation at all: told as a foreign one
  }
}

/** Back after a loss, or another one of the same epoch; null: it is new here. */
async function takeKnown(hash: Hash, state: RoomState, entry: Entry): Promise<readonly StoredItem[] | null> {
  const { core } = state;
  const epoch = await knownEpoch(hash, state, await bodyHash(hash, entry.clear));
  if (epoch === null) return rivalOf(state, entry);
  if (epoch <= core.logEpoch)
    return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { replayed: 1 })];
  const known = state.rotations.get(epoch);
  // Its position is where the log has it now: that is what a later loss is measured by.
  state.keepRotation(epoch, { entry, wraps: known?.wraps ?? null });
  core.logEpoch = epoch;
  moveFloor(state, epoch, entry.position);
  if (epoch === core.epoch) core.epochMessages = 0;
  settlePending(state, null, entry.clear);
  noteRestored(state);
  return [];
}

/** What a newcomer begins with is where the log has it now. */
function moveFloor(state: RoomState, epoch: number, floor: Position): void {
  const { core } = state;
  core.keys = core.keys.map((key) =>
    key.epoch === epoch ? { ...key, floor, t: core.t, counters: countersHere(state, key.counters) } : key,
  );
}

/** The epoch that a rotation with this hash began here; a newcomer knows that of its floor too. */
async function knownEpoch(hash: Hash, state: RoomState, head: Bytes): Promise<number | null> {
  for (const [epoch, { entry }] of state.rotations) {
    const known = state.rotationHashes.get(epoch) ?? (await bodyHash(hash, entry.clear));
    state.rotationHashes.set(epoch, known);
    if (equalBytes(known, head)) return epoch;
  }
  for (const { epoch, rotation } of state.core.keys) {
    if (rotation !== null && equalBytes(await bodyHash(hash, rotation), head)) return epoch;
  }
  return null;
}

/** Two rotations to one epoch, both signed by its owner, whose the room may be no more: proof against it (section 4). */
function rivalOf(state: RoomState, entry: Entry): readonly StoredItem[] | null {
  const { newEpoch, roomId } = rotationIn(entry.clear);
  const known = state.rotations.get(newEpoch);
  if (known === undefined || roomId !== state.core.roomId) return null;
  const { owner } = rotationIn(known.entry.clear);
  const key = keyEver(state.roster, owner);
  if (key === null) return null;
  verifyContainer(key, entry.clear);
  return [alarm(ALARM_CODES.ALARM_OWNER_EQUIVOCATED, owner, { epoch: newEpoch })];
}

interface Opened {
  readonly key: Bytes | null;
  readonly items: readonly StoredItem[];
}

/** One's own rotation, read back: only now is its key adopted (section 7). Null: it is not one's own. */
function adoptOwn(state: RoomState, rotation: Body<'rotation'>): Opened | null {
  const { core } = state;
  const candidate = core.pending?.candidate ?? null;
  if (candidate?.epoch !== rotation.newEpoch || !equalBytes(candidate.keyHash, rotation.keyHash)) return null;
  // Its own wrap used the newest prekey of this device: a new one is due.
  core.usedK = Math.max(core.usedK, ...core.prekeys.map((prekey) => prekey.k));
  core.prekeys = core.prekeys.filter((prekey) => prekey.k >= core.usedK);
  return { key: candidate.key, items: [] };
}

/** All rotations are kept, and the wraps of the last two: who restores those serves everybody (section 6). */
function keepTaken(state: RoomState, epoch: number, entry: Entry, wraps: Record<string, Bytes> | null): void {
  state.keepRotation(epoch, { entry, wraps });
  const older = state.rotations.get(epoch - 2);
  if (older !== undefined && older.wraps !== null) state.keepRotation(epoch - 2, { ...older, wraps: null });
}

/** The wraps of one's own rotation, from the command that is read back. */
function ownWraps(state: RoomState, entry: Entry): Record<string, Bytes> | null {
  const rotation = state.core.pending?.rotation ?? null;
  return rotation !== null && equalBytes(rotation.clear, entry.clear) ? rotation.wraps : null;
}

async function openOwnWrap(
  hash: Hash,
  state: RoomState,
  roster: Roster,
  rotation: Body<'rotation'>,
  entry: Entry,
): Promise<Opened> {
  const { core } = state;
  const failed = (code: AlarmCode): Opened => ({
    key: null,
    items: [alarm(code, roster.owner, { epoch: rotation.newEpoch })],
  });
  const oldKey = state.key(core.epoch)?.key ?? null;
  // Without the key before there is none after it: shown where it began, or as missed with a trimmed range.
  if (oldKey === null) return { key: null, items: [] };
  let notices: readonly StoredItem[] = [];
  try {
    notices = entry.wrap === undefined ? [] : prekeyNotices(state, rotation, entry.wrap, oldKey);
    const { key, k } = await openRotation(hash, {
      roster,
      rotation,
      payload: entry.payload,
      wrap: entry.wrap,
      oldKey,
      memberId: core.me,
      prekeys: new Map(core.prekeys.map((prekey) => [prekey.k, prekey.pair])),
    });
    core.usedK = Math.max(core.usedK, k);
    // A private prekey goes as soon as a rotation has used a later one (section 7).
    core.prekeys = core.prekeys.filter((prekey) => prekey.k >= k);
    return { key, items: notices };
  } catch (error) {
    // The private half of a prekey that was rolled back is gone: that it was is the reason, and is told too.
    const { key, items } = failed(alarmOf(error));
    return { key, items: [...notices, ...items] };
  }
}

/** Each client checks which of its prekeys was used: one older than used before is an alarm (section 7). */
function prekeyNotices(
  state: RoomState,
  rotation: Body<'rotation'>,
  wrap: Bytes,
  oldKey: Bytes,
): readonly StoredItem[] {
  const { core } = state;
  const { roomId, newEpoch } = rotation;
  const k = wrapPrekey({ roomId, newEpoch, memberId: core.me, wrap, oldKey });
  if (k < core.usedK) return [alarm(ALARM_CODES.ALARM_PREKEY_ROLLED_BACK, state.roster.owner, { k })];
  const published = core.publishedThen;
  return k < published ? [system('prekeyBehind', { numbers: { k, published } })] : [];
}

function alarmOf(error: unknown): AlarmCode {
  if (typeof error === 'object' && error !== null && 'alarm' in error) {
    const named = Object.values(ALARM_CODES).find((code) => code === error.alarm);
    if (named !== undefined) return named;
  }
  if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
  return ALARM_CODES.ALARM_NO_KEY;
}

/** Messages that waited for a key which no grant can bring any more: missed, and shown as such. */
function giveUpSealed(state: RoomState): readonly StoredItem[] {
  const held = state.key(state.core.epoch)?.key ?? null;
  if (held !== null) return [];
  let from = 0;
  let to = 0;
  for (const record of waitingRecords(state)) {
    const s = record.at?.position.s ?? 0;
    from = from === 0 ? s : Math.min(from, s);
    to = Math.max(to, s);
    state.replaceItems(
      record.index,
      record.items.filter((item) => item.type !== 'sealed'),
    );
  }
  return to === 0 ? [] : [system('missed', { numbers: { from, to } })];
}

/** Records with a message that waits for its key, oldest first. */
export const waitingRecords = (state: RoomState) =>
  state.log.filter((record) => record.items.some((item) => item.type === 'sealed'));
