/** Taking in a rotation (docs/protocol.md section 7; G8, G9, G10, G11). */
import {
  ALARM_CODES, equalBytes, ERROR_CODES, type AlarmCode, type Body, type Bytes, type Entry, type MemberId,
  type Position,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, verifyContainer, verifyRotation, type Hash, type Roster } from '@0fc/crypto/verify';
import { keyHash, openRotation, wrapPrekey, type RoomKey } from '@0fc/crypto/keys';
import { ClientError } from '../../contract/errors.js';
import { append, keepRotation, replaceItems, set } from '../state/changes.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';
import type { LogRecord, RotationRecord, StoredItem } from '../../vault/records.js';
import { forgetKeys } from './room-keys.js';
import { keyOfAnyMember } from './signer.js';
import { countersHere, noteRestored } from './generations.js';
import { alarm, system } from './items.js';
import { settlePending } from './pending.js';
import { epochBefore, followToHead, rotationIn, skipTrimmedEpochs } from './trimmed.js';

export async function applyRotation(
  hash: Hash,
  draft: RoomDraft,
  entry: Entry,
): Promise<readonly StoredItem[]> {
  let rotation: Body<'rotation'>;
  let roster: Roster;
  try {
    // First, so that it is held against whoever owns the room by then.
    await followToHead(hash, draft, entry.clear);
    const known = await reapplyRotation(hash, draft, entry);
    if (known !== null) return known;
    roster = draft.roster;
    const before = epochBefore(draft, entry.clear);
    rotation = await verifyRotation(hash, roster, before, entry.clear, entry.payload);
    skipTrimmedEpochs(draft, before);
  } catch (error) {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.INTERNAL) throw error;
    const forged = code === ERROR_CODES.BAD_SIGNATURE;
    return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { forged: forged ? 1 : 0 })];
  }
  const missed = giveUpSealed(draft);
  const items: StoredItem[] = [
    rotated(rotation, roster.owner, draft.core.me),
    ...(await reusedKey(hash, draft, rotation)),
  ];
  const opened = adoptOwn(draft, rotation) ?? (await openOwnWrap(hash, draft, roster, rotation, entry));
  items.push(...opened.items);
  const wraps = ownWraps(draft, entry);
  settlePending(draft, null, entry.clear);
  keepWithWraps(draft, rotation.newEpoch, entry, wraps);
  const { core } = draft;
  const key = {
    epoch: rotation.newEpoch,
    key: opened.key,
    keyHash: rotation.keyHash,
    rotation: entry.clear,
    floor: entry.position,
    t: core.t,
    counters: draft.counters(),
    since: entry.time,
  };
  draft.apply(
    set({
      epoch: rotation.newEpoch,
      logEpoch: rotation.newEpoch,
      epochMessages: 0,
      rotationWanted: false,
      mustRotate: false,
      needKey: null,
      publishedThen: core.publishedK,
      paused: core.paused && !equalBytes(rotation.head, draft.roster.head),
      keys: [...core.keys, key],
    }),
  );
  forgetKeys(draft);
  return [...missed, ...items];
}

/** One line, whatever number of members it has no key for. */
function rotated(
  { newEpoch: epoch, unwrapped }: Body<'rotation'>,
  actor: MemberId,
  me: MemberId,
): StoredItem {
  if (unwrapped.length === 0) return system('rotated', { actor, numbers: { epoch } });
  const [member] = unwrapped;
  const numbers = { epoch, unwrapped: unwrapped.length, mine: unwrapped.includes(me) ? 1 : 0 };
  return system('rotated', {
    actor,
    numbers,
    ...(unwrapped.length === 1 && member !== undefined ? { member } : {}),
  });
}

/**
 * The rotation that began the epoch of this moment, where it lies in a trimmed range (section 8): it proves
 * itself as any other does, and brings the key, or the commitment by which one can be asked for. That it is the
 * last one there is only the relay's word, so the range stays open to a later one.
 */
export async function applyTrimmedRotation(hash: Hash, draft: RoomDraft, entry: Entry): Promise<void> {
  if (isPast(draft, entry.clear)) return;
  draft.apply(append(null, entry.time, await applyRotation(hash, draft, entry)), set({ skipped: true }));
}

function isPast({ core }: RoomSnapshot, clear: Bytes): boolean {
  try {
    return rotationIn(clear).newEpoch <= core.logEpoch;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return false; // no rotation at all: told as a foreign one
  }
}

/** Back after a loss, or another one of the same epoch; null: it is new here. */
async function reapplyRotation(
  hash: Hash,
  draft: RoomDraft,
  entry: Entry,
): Promise<readonly StoredItem[] | null> {
  const { core } = draft;
  const epoch = await knownEpoch(hash, draft, entry.clear);
  if (epoch === null) return rivalOf(draft, entry);
  if (epoch <= core.logEpoch)
    return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { replayed: 1 })];
  const known = draft.rotation(epoch);
  const same = await isRotation(hash, draft, known?.entry ?? null, entry);
  // What is here is never replaced by what the relay serves. Only the position is where the log has it now: that
  // is what a later loss is measured by.
  if (known !== null) {
    draft.apply(keepRotation(epoch, { ...known, entry: { ...known.entry, position: entry.position } }));
  } else if (same) draft.apply(keepRotation(epoch, { entry, wraps: null }));
  draft.apply(set({ logEpoch: epoch }));
  moveFloor(draft, epoch, entry.position);
  if (epoch === core.epoch) draft.apply(set({ epochMessages: 0 }));
  settlePending(draft, null, entry.clear);
  if (!same) return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { changed: 1 })];
  noteRestored(draft);
  return [];
}

/** The epoch that this very rotation began here; null: it is not known. Both name it in their signed bodies. */
async function knownEpoch(hash: Hash, snapshot: RoomSnapshot, clear: Bytes): Promise<number | null> {
  const { newEpoch } = rotationIn(clear);
  // A newcomer knows that of its floor by its clear part alone.
  const known = snapshot.rotation(newEpoch)?.entry.clear ?? snapshot.key(newEpoch)?.rotation ?? null;
  if (known === null) return null;
  return equalBytes(await bodyHash(hash, known), await bodyHash(hash, clear)) ? newEpoch : null;
}

/**
 * Whether an entry is the rotation that is known here: byte for byte, or under another valid signature of the
 * same body. `known` null: only its clear part is, which commits to the payload.
 */
async function isRotation(
  hash: Hash,
  draft: RoomDraft,
  known: Pick<Entry, 'clear' | 'payload'> | null,
  entry: Entry,
): Promise<boolean> {
  const { owner, payload } = rotationIn(entry.clear);
  if (!equalBytes(await hash.sha256(entry.payload), payload)) return false;
  if (known !== null && equalBytes(known.clear, entry.clear)) return true;
  const key = keyOfAnyMember(draft.roster, owner);
  if (key === null) return false;
  try {
    verifyContainer(key, entry.clear);
    return true;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return false;
  }
}

/** What a newcomer begins with is where the log has it now. */
function moveFloor(draft: RoomDraft, epoch: number, floor: Position): void {
  const { core } = draft;
  const keys = core.keys.map((key) =>
    key.epoch === epoch ? { ...key, floor, t: core.t, counters: countersHere(draft) } : key,
  );
  draft.apply(set({ keys }));
}

/** Two rotations to one epoch, both signed by its owner, whose the room may be no more: proof against it (section 4). */
function rivalOf(snapshot: RoomSnapshot, entry: Entry): readonly StoredItem[] | null {
  const { newEpoch, roomId } = rotationIn(entry.clear);
  const known = snapshot.rotation(newEpoch);
  if (known === null || roomId !== snapshot.core.roomId) return null;
  const { owner } = rotationIn(known.entry.clear);
  const key = keyOfAnyMember(snapshot.roster, owner);
  if (key === null) return null;
  verifyContainer(key, entry.clear);
  return [alarm(ALARM_CODES.ALARM_OWNER_EQUIVOCATED, owner, { epoch: newEpoch })];
}

/**
 * Whether a rotation gives the room a key that it had: then whoever held that reads on, and nothing has healed (G9,
 * G10). What is compared is its commitment, with those that the keys held here would have, so that who got no wrap
 * sees it too, and no key is compared with another one. It is shown, and the room goes on: the key is what everybody
 * seals with.
 */
async function reusedKey(
  hash: Hash,
  { core, roster }: RoomSnapshot,
  { newEpoch, keyHash: commitment }: Body<'rotation'>,
): Promise<readonly StoredItem[]> {
  for (const { epoch, key } of core.keys) {
    if (key === null || !equalBytes(await keyHash(hash, roster.nonce, newEpoch, key), commitment)) continue;
    return [alarm(ALARM_CODES.ALARM_KEY_REUSED, roster.owner, { epoch: newEpoch, of: epoch })];
  }
  return [];
}

interface Opened {
  readonly key: RoomKey | null;
  readonly items: readonly StoredItem[];
}

/** One's own rotation, read back: only now is its key adopted (section 7). Null: it is not one's own. */
function adoptOwn(draft: RoomDraft, rotation: Body<'rotation'>): Opened | null {
  const { core } = draft;
  const candidate = core.pending?.candidate ?? null;
  if (candidate?.epoch !== rotation.newEpoch || !equalBytes(candidate.keyHash, rotation.keyHash)) return null;
  // Its own wrap used the newest prekey of this device: a new one is due.
  const usedK = Math.max(core.usedK, ...core.prekeys.map((prekey) => prekey.k));
  draft.apply(set({ usedK, prekeys: core.prekeys.filter((prekey) => prekey.k >= usedK) }));
  return { key: candidate.key, items: [] };
}

/**
 * All rotations are kept, since a room is brought back by all of them, and the wraps of the last two: who restores
 * those serves everybody (section 6). What an older one had for this member alone goes: its key is gone too.
 */
function keepWithWraps(draft: RoomDraft, epoch: number, entry: Entry, wraps: RotationRecord['wraps']): void {
  draft.apply(keepRotation(epoch, { entry, wraps }));
  const older = draft.rotation(epoch - 2);
  if (older === null || (older.wraps === null && older.entry.wrap === undefined)) return;
  const { wrap: _past, ...bare } = older.entry;
  draft.apply(keepRotation(epoch - 2, { entry: bare, wraps: null }));
}

/** The wraps of one's own rotation, from the command that is read back. */
function ownWraps({ core }: RoomSnapshot, entry: Entry): RotationRecord['wraps'] {
  const rotation = core.pending?.rotation ?? null;
  return rotation !== null && equalBytes(rotation.clear, entry.clear) ? rotation.wraps : null;
}

async function openOwnWrap(
  hash: Hash,
  draft: RoomDraft,
  roster: Roster,
  rotation: Body<'rotation'>,
  entry: Entry,
): Promise<Opened> {
  const { core } = draft;
  const failed = (code: AlarmCode): Opened => ({
    key: null,
    items: [alarm(code, roster.owner, { epoch: rotation.newEpoch })],
  });
  const oldKey = draft.key(core.epoch)?.key ?? null;
  // Without the key before there is none after it: shown where it began, or as missed with a trimmed range.
  if (oldKey === null) return { key: null, items: [] };
  let notices: readonly StoredItem[] = [];
  try {
    notices = entry.wrap === undefined ? [] : prekeyNotices(draft, rotation, entry.wrap, oldKey);
    const { key, k } = await openRotation(hash, {
      roster,
      rotation,
      payload: entry.payload,
      wrap: entry.wrap,
      oldKey,
      memberId: core.me,
      prekeys: new Map(core.prekeys.map((prekey) => [prekey.k, prekey.pair])),
    });
    // A private prekey goes as soon as a rotation has used a later one (section 7).
    const prekeys = core.prekeys.filter((prekey) => prekey.k >= k);
    draft.apply(set({ usedK: Math.max(core.usedK, k), prekeys }));
    return { key, items: notices };
  } catch (error) {
    // The private half of a prekey that was rolled back is gone: that it was is the reason, and is told too.
    const { key, items } = failed(alarmOf(error));
    return { key, items: [...notices, ...items] };
  }
}

/** Each client checks which of its prekeys was used: one older than used before is an alarm (section 7). */
function prekeyNotices(
  { core, roster }: RoomSnapshot,
  rotation: Body<'rotation'>,
  wrap: Bytes,
  oldKey: RoomKey,
): readonly StoredItem[] {
  const { roomId, newEpoch } = rotation;
  const k = wrapPrekey({ roomId, newEpoch, memberId: core.me, wrap, oldKey });
  if (k < core.usedK) return [alarm(ALARM_CODES.ALARM_PREKEY_ROLLED_BACK, roster.owner, { k })];
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
function giveUpSealed(draft: RoomDraft): readonly StoredItem[] {
  const held = draft.key(draft.core.epoch)?.key ?? null;
  if (held !== null) return [];
  let from = 0;
  let to = 0;
  for (const record of waitingRecords(draft)) {
    const s = record.at?.position.s ?? 0;
    from = from === 0 ? s : Math.min(from, s);
    to = Math.max(to, s);
    const opened = record.items.filter((item) => item.type !== 'sealed');
    draft.apply(replaceItems(record.index, opened));
  }
  return to === 0 ? [] : [system('missed', { numbers: { from, to } })];
}

/** Records with a message that waits for its key, oldest first. Throws NotLoaded. */
export function waitingRecords({ log, core }: RoomSnapshot): readonly LogRecord[] {
  const found: LogRecord[] = [];
  let left = core.sealed;
  for (const record of log.newestFirst()) {
    if (left <= 0) break;
    const sealed = record.items.filter((item) => item.type === 'sealed').length;
    if (sealed > 0) found.push(record);
    left -= sealed;
  }
  return found.reverse();
}
