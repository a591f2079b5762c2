/** Applies roster entries and leave requests (docs/protocol.md section 4, G10, G11). */
import {
  ALARM_CODES,
  decodeBody,
  equalBytes,
  ERROR_CODES,
  ROSTER_KINDS,
  type Body,
  type Bytes,
  type Entry,
  type MemberId,
} from '@0fc/protocol';
import {
  applyRoster, bodyHash, containerBody, memberIdOf, readChain, verifyContainer, verifyLeaveRequest, type Hash,
} from '@0fc/crypto/verify'; // prettier-ignore
import { ClientError } from '../../contract/errors.js';
import { extendChain, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { StoredItem } from '../../vault/records.js';
import { isSignedBy, keyOfAnyMember, signerOf } from './room-keys.js';
import { noteRestored } from './generations.js';
import { alarm, departure, system } from './items.js';
import { settlePending } from './pending.js';
import { applyRosterEffects } from './roster-effects.js';
import { noteSettings, settingsAt, settingsNumbers } from './settings.js';
import { epochOf, followToEntry } from './trimmed.js';

export async function applyRosterEntry(
  hash: Hash,
  draft: RoomDraft,
  entry: Entry,
): Promise<readonly StoredItem[]> {
  try {
    const { core } = draft;
    const head = await bodyHash(hash, entry.payload);
    const known = draft.chainIndex(head);
    if (known !== null) {
      // A new member holds the chain up to its join reply; an entry that was shown before is back after a loss.
      if (known < core.logLength) return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { replayed: 1 })];
      if (outOfOrder(draft, epochOf(entry.payload))) {
        return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { stale: 1 })];
      }
      if (!isSigned(draft, known, entry.payload))
        return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { changed: 1 })];
      draft.apply(set({ logLength: known + 1 }));
      settlePending(draft, entry.payload, null);
      if (known < core.chainShown) {
        noteRestored(draft);
        return [];
      }
      draft.apply(set({ chainShown: known + 1 }));
      return [await shown(hash, draft, entry)];
    }
    await followToEntry(hash, draft, entry.payload);
    const { roster, change } = await applyRoster(hash, draft.roster, entry.payload);
    if (!isCurrentEpoch(draft, change.epoch)) {
      return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { stale: 1 })];
    }
    draft.apply(extendChain(entry.payload, head, roster));
    draft.apply(set({ chainShown: draft.chain.size, logLength: draft.chain.size }));
    settlePending(draft, entry.payload, null);
    applyRosterEffects(draft, change);
    return [await shown(hash, draft, entry)];
  } catch (error) {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.INTERNAL) throw error;
    const owner = await equivocator(hash, draft, entry.payload);
    if (owner !== null) return [alarm(ALARM_CODES.ALARM_OWNER_EQUIVOCATED, owner)];
    return [
      alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { stale: code === ERROR_CODES.STALE_HEAD ? 1 : 0 }),
    ];
  }
}

/**
 * Whether a new entry is in the epoch that it names. After a trimmed range the number of epochs is unknown: any epoch
 * from the last known one on is accepted, and those of the chain never descend.
 */
const isCurrentEpoch = ({ core }: RoomSnapshot, epoch: number): boolean =>
  core.skipped ? epoch >= core.epoch : epoch === core.epoch;

/**
 * Whether a repeated entry is at another place among the rotations than it was signed for. Below the epoch of the log
 * that is known only where the rotation of that epoch is.
 */
const outOfOrder = (snapshot: RoomSnapshot, epoch: number): boolean => {
  const { logEpoch } = snapshot.core;
  return epoch > logEpoch || (epoch < logEpoch && snapshot.rotation(logEpoch) !== null);
};

/**
 * Whether an entry with the body of a known one is that very one, or carries another valid signature of its owner. What
 * is here stays in any case.
 */
function isSigned({ chain, roster }: RoomSnapshot, at: number, container: Bytes): boolean {
  const here = chain.get(at);
  if (here !== undefined && equalBytes(here, container)) return true;
  const signed = decodeBody(containerBody(container), ...ROSTER_KINDS);
  const key = signed.kind === 'genesis' ? signed.body.ownerKey : keyOfAnyMember(roster, signed.body.owner);
  return key !== null && isSignedBy(key, container);
}

/**
 * The owner that has signed two valid entries on one head, this one being the second: proof against it, since an
 * honest owner never does (section 4), also after the room was transferred. Null: not the case.
 */
async function equivocator(hash: Hash, snapshot: RoomSnapshot, container: Bytes): Promise<MemberId | null> {
  try {
    const { body } = decodeBody(
      containerBody(container),
      'admit', 'remove', 'leave', 'transfer', 'settings', 'close',
    ); // prettier-ignore
    const at = snapshot.chainIndex(body.head);
    const key = keyOfAnyMember(snapshot.roster, body.owner);
    if (at === null || key === null) return null;
    // Checked first: verifying the chain costs one signature for every entry.
    verifyContainer(key, container);
    const chain = [...snapshot.chain.values()].slice(0, at + 1);
    const before = await readChain(hash, snapshot.core.roomId, chain);
    await applyRoster(hash, before, container);
    return body.owner;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}

async function shown(hash: Hash, draft: RoomDraft, entry: Entry): Promise<StoredItem> {
  const item = await describe(hash, draft, entry);
  if (item.type === 'system' && item.event === 'settings') noteSettings(draft, entry.time);
  return item;
}

async function describe(hash: Hash, snapshot: RoomSnapshot, entry: Entry): Promise<StoredItem> {
  const signed = decodeBody(containerBody(entry.payload), ...ROSTER_KINDS);
  const actor = await signerOf(hash, entry);
  switch (signed.kind) {
    case 'genesis':
      return system('created', { actor });
    case 'admit':
      return system('admitted', { actor, member: await memberIdOf(hash, signed.body.key) });
    case 'remove':
      return departure('removed', actor, signed.body.member);
    case 'leave':
      return departure('left', actor, signed.body.member);
    case 'transfer':
      return system('transferred', { actor, member: signed.body.to });
    case 'settings':
      return system('settings', { actor, numbers: numbersOf(snapshot, signed.body) });
    case 'close':
      return system('closed', { actor });
    case 'upgrade':
      return system('upgraded', { actor, numbers: { version: signed.body.version } });
  }
}

function numbersOf(snapshot: RoomSnapshot, { head, settings }: Body<'settings'>) {
  const was = settingsAt(snapshot, snapshot.chainIndex(head) ?? -1);
  return settingsNumbers(was, settings, snapshot.roster.members.size);
}

/** The leaver is served nothing more; the other members wait for the rotation. */
export function applyLeaveRequest(draft: RoomDraft, entry: Entry): readonly StoredItem[] {
  const { core } = draft;
  const { sender } = entry;
  try {
    verifyLeaveRequest(draft.roster, sender, entry.payload);
    if (core.leaving.some(({ memberId }) => memberId === sender)) return [];
    if (sender === core.me) draft.apply(set({ stage: 'left' }));
    draft.apply(set({ leaving: [...core.leaving, { memberId: sender, request: entry.payload }] }));
    if (core.ownershipTransfer?.memberId === sender) draft.apply(set({ ownershipTransfer: null }));
    return [system('leaving', { member: sender })];
  } catch (error) {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.INTERNAL) throw error;
    return [
      alarm(ALARM_CODES.ALARM_BAD_SIGNATURE, sender, { malformed: code === ERROR_CODES.MALFORMED ? 1 : 0 }),
    ];
  }
}

/**
 * How the signed entry that a departed member is served ended its membership; null: it proves neither its removal nor
 * the closing, and is only a claim of the relay.
 */
export function provenDeparture(snapshot: RoomSnapshot, entry: Entry): 'left' | 'removed' | 'closed' | null {
  const { core, roster } = snapshot;
  try {
    if (entry.kind === 'leaveRequest') {
      verifyLeaveRequest(roster, core.me, entry.payload);
      return 'left';
    }
    const owner = roster.members.get(roster.owner);
    if (entry.kind !== 'roster' || owner === undefined) return null;
    const signed = decodeBody(verifyContainer(owner.key, entry.payload), 'remove', 'leave', 'close');
    if (signed.body.roomId !== core.roomId || signed.body.owner !== roster.owner) return null;
    if (signed.kind === 'close') return 'closed';
    if (signed.body.member !== core.me) return null;
    return signed.kind === 'leave' ? 'left' : 'removed';
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}
