/** Applies a rotation (docs/protocol.md section 7; G8, G9, G10, G11). */
import {
  ALARM_CODES, comparePositions, equalBytes, ERROR_CODES, type AlarmCode, type Body, type Bytes, type Entry, type MemberId,
  type Position,
} from '@0fc/protocol'; // prettier-ignore
import { bodyHash, verifyContainer, verifyRotation, type Hash, type Roster } from '@0fc/crypto/verify';
import { keyHash, openRotation, wrapPrekey, type RoomKey } from '@0fc/crypto/keys';
import { ClientError } from '../../contract/errors.js';
import {
  append, keepRotation, replaceItems, set, type RoomDraft, type RoomSnapshot,
} from '../state/draft.js'; // prettier-ignore
import type { EpochKey, LogRecord, RotationRecord, StoredItem } from '../../vault/records.js';
import { forgetKeys, hasUnknownFields, isSignedBy, keyOfAnyMember, rotationIn } from './room-keys.js';
import { countersHere, noteRestored } from './generations.js';
import { afterLoss, beginningOf, compareBase, passCheckpoint } from './checkpoint.js';
import { alarm, system } from './items.js';
import { settlePending } from './pending.js';
import { withoutAcceptance } from './roster-effects.js';
import { noteUsedPrekeys } from './used-prekeys.js';
import { epochBefore, followToHead, skipTrimmedEpochs } from './trimmed.js';

/** `trimmed`: it stands before the position read here, so that the transcript does not pass it. */
export async function applyRotation(
  hash: Hash,
  draft: RoomDraft,
  entry: Entry,
  trimmed = false,
): Promise<readonly StoredItem[]> {
  let rotation: Body<'rotation'>;
  let roster: Roster;
  try {
    // Done first, so that the rotation is checked against the owner at that head.
    await followToHead(hash, draft, entry.clear);
    const known = await reapplyRotation(hash, draft, entry, trimmed);
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
  const { differed, items: forked } = compareBase(draft, rotation);
  const missed = giveUpSealed(draft);
  if (!trimmed) await passCheckpoint(hash, draft, rotation.base);
  const items: StoredItem[] = [
    rotated(rotation, roster.owner, draft.core.me),
    ...(rotation.cold
      ? [system('rotatedCold', { actor: roster.owner, numbers: { epoch: rotation.newEpoch } })]
      : []),
    ...forked,
    ...(await reusedKey(hash, draft, rotation)),
  ];
  noteUsedPrekeys(draft, roster, rotation, entry.payload);
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
    ...(trimmed ? { t: null } : beginningOf(draft)),
    ...(differed === undefined ? {} : { differed }),
    ...(hasUnknownFields(entry.clear) ? { newer: true as const } : {}),
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
      ...afterLoss(core, rotation),
      needKey: null,
      granted: [],
      ownershipTransfer: withoutAcceptance(draft),
      publishedThen: core.publishedK,
      paused: core.paused && !equalBytes(rotation.head, draft.roster.head),
      keys: [...core.keys, key],
    }),
  );
  forgetKeys(draft);
  return [...missed, ...items];
}

/** One line, for any number of members without a wrap. */
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
 * Applies the rotation that began the current epoch, where it is in a trimmed range (section 8). It verifies as any
 * other does, and brings the key, or the commitment with which the key can be requested. Only the relay claims that
 * it is the last one, so the range stays open to a later rotation.
 */
export async function applyTrimmedRotation(hash: Hash, draft: RoomDraft, entry: Entry): Promise<void> {
  if (isPast(draft, entry.clear)) return;
  const { position } = draft.core;
  // The relay's word alone, and losses are measured by it: it lies in the range that was trimmed.
  const here = comparePositions(entry.position, position) > 0 ? { ...entry, position } : entry;
  draft.apply(append(null, entry.time, await applyRotation(hash, draft, here, true)), set({ skipped: true }));
}

function isPast({ core }: RoomSnapshot, clear: Bytes): boolean {
  try {
    return rotationIn(clear).newEpoch <= core.logEpoch;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return false; // no rotation at all: shown as a foreign one
  }
}

/** Handles a rotation of a known epoch: repeated after a loss, or a second one of the same epoch. Null: it is new. */
async function reapplyRotation(
  hash: Hash,
  draft: RoomDraft,
  entry: Entry,
  trimmed: boolean,
): Promise<readonly StoredItem[] | null> {
  const { core } = draft;
  const epoch = await knownEpoch(hash, draft, entry.clear);
  if (epoch === null) return rivalOf(draft, entry);
  if (epoch <= core.logEpoch)
    return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { replayed: 1 })];
  const known = draft.rotation(epoch);
  const same = await isRotation(hash, draft, known?.entry ?? null, entry);
  // A stored rotation is never replaced by what the relay serves. Only its position is updated: later losses are
  // measured by it.
  if (known !== null) {
    draft.apply(keepRotation(epoch, { ...known, entry: { ...known.entry, position: entry.position } }));
  } else if (same) draft.apply(keepRotation(epoch, { entry, wraps: null }));
  draft.apply(set({ logEpoch: epoch }));
  if (same && !trimmed) await passCheckpoint(hash, draft, rotationIn(entry.clear).base);
  moveFloor(draft, epoch, entry.position, trimmed ? { t: null } : beginningOf(draft));
  if (epoch === core.epoch) draft.apply(set({ epochMessages: 0 }));
  settlePending(draft, null, entry.clear);
  if (!same) return [alarm(ALARM_CODES.ALARM_FOREIGN_ROTATION, entry.sender, { changed: 1 })];
  noteRestored(draft);
  return [];
}

/** The epoch that this very rotation began; null: unknown. The signed body names it. */
async function knownEpoch(hash: Hash, snapshot: RoomSnapshot, clear: Bytes): Promise<number | null> {
  const { newEpoch } = rotationIn(clear);
  // A new member knows the rotation of its floor by the clear part alone.
  const known = snapshot.rotation(newEpoch)?.entry.clear ?? snapshot.key(newEpoch)?.rotation ?? null;
  if (known === null) return null;
  return equalBytes(await bodyHash(hash, known), await bodyHash(hash, clear)) ? newEpoch : null;
}

/**
 * Whether an entry is the known rotation: byte for byte, or with another valid signature of the same body. `known`
 * null: only the clear part is known, which commits to the payload.
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
  return key !== null && isSignedBy(key, entry.clear);
}

/** Moves the floor of a new member to the position where the log now holds its rotation. */
function moveFloor(draft: RoomDraft, epoch: number, floor: Position, beginning: Pick<EpochKey, 't'>): void {
  const { core } = draft;
  const keys = core.keys.map((key) =>
    key.epoch === epoch ? { ...key, floor, ...beginning, counters: countersHere(draft) } : key,
  );
  draft.apply(set({ keys }));
}

/**
 * Two rotations to one epoch, both signed by the owner of that time: proof against that owner (section 4), also after
 * a transfer. Null: not the case.
 */
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
 * Whether a rotation reuses a key of the room: then whoever held that key reads on, and the rotation healed nothing
 * (G9, G10). The commitment is compared with those of the known keys, so that members without a wrap notice it too.
 * It is shown, and the room goes on: all members seal with that key.
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

/** Adopts the key of an own rotation that was read back; not before that (section 7). Null: it is not an own one. */
function adoptOwn(draft: RoomDraft, rotation: Body<'rotation'>): Opened | null {
  const { core } = draft;
  const candidate = core.pending?.candidate ?? null;
  if (candidate?.epoch !== rotation.newEpoch || !equalBytes(candidate.keyHash, rotation.keyHash)) return null;
  // The own wrap used the newest prekey of this device: a new prekey is due.
  const usedK = Math.max(core.usedK, ...core.prekeys.map((prekey) => prekey.k));
  draft.apply(set({ usedK, prekeys: core.prekeys.filter((prekey) => prekey.k >= usedK) }));
  return { key: candidate.key, items: [] };
}

/**
 * Keeps all rotations, since a restore needs them all, and the wraps of the last two, so that a restore serves every
 * member (section 6). The wrap of an older rotation for this member is deleted: its key is deleted too.
 */
function keepWithWraps(draft: RoomDraft, epoch: number, entry: Entry, wraps: RotationRecord['wraps']): void {
  draft.apply(keepRotation(epoch, { entry, wraps }));
  const older = draft.rotation(epoch - 2);
  if (older === null || (older.wraps === null && older.entry.wrap === undefined)) return;
  const { wrap: _past, ...bare } = older.entry;
  draft.apply(keepRotation(epoch - 2, { entry: bare, wraps: null }));
}

/** The wraps of an own rotation, from the command that was read back. */
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
  const oldKey = rotation.cold ? null : (draft.key(core.epoch)?.key ?? null);
  // Without the previous key the new one cannot be opened: that was shown when it began, or as missed with a trimmed
  // range.
  if (oldKey === null && !rotation.cold) return { key: null, items: [] };
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
    // A private prekey is deleted once a rotation has used a later one (section 7).
    const prekeys = core.prekeys.filter((prekey) => prekey.k >= k);
    draft.apply(set({ usedK: Math.max(core.usedK, k), prekeys }));
    return { key, items: notices };
  } catch (error) {
    // The private half of a rolled-back prekey is deleted, so that the wrap cannot be opened: both are shown.
    const { key, items } = failed(alarmOf(error));
    return { key, items: [...notices, ...items] };
  }
}

/** Each client checks which of its prekeys was used: one older than used before is an alarm (section 7). */
function prekeyNotices(
  { core, roster }: RoomSnapshot,
  rotation: Body<'rotation'>,
  wrap: Bytes,
  oldKey: RoomKey | null,
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

/** Messages that wait for a key which no grant can bring any more: shown as missed. */
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
