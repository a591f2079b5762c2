/** Taking in roster entries and requests to leave (docs/protocol.md section 4, G10, G11). */
import {
  ALARM_CODES,
  decodeBody,
  ERROR_CODES,
  ROSTER_KINDS,
  type Bytes,
  type Entry,
  type MemberId,
} from '@0fc/protocol';
import {
  applyRoster, bodyHash, containerBody, memberIdOf, readChain, verifyContainer, verifyLeaveRequest, type Hash,
} from '@0fc/crypto/verify'; // prettier-ignore
import { ClientError } from '../errors.js';
import { noteRestored } from './generations.js';
import { alarm, system } from './items.js';
import { settlePending } from './pending.js';
import { followChange } from './changes.js';
import { keyEver } from './former.js';
import type { StoredItem } from './records.js';
import { followToEntry } from './skipped.js';
import type { RoomState } from './state.js';

export async function takeRoster(hash: Hash, state: RoomState, entry: Entry): Promise<readonly StoredItem[]> {
  try {
    const { core } = state;
    const head = await bodyHash(hash, entry.payload);
    const known = state.chainIndex(head);
    if (known !== null) {
      // A newcomer has the chain up to its join reply; what has been shown once is back after a loss.
      if (known < core.logLength) return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { replayed: 1 })];
      if (outOfOrder(state, epochOf(entry.payload))) {
        return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { stale: 1 })];
      }
      core.logLength = known + 1;
      settlePending(state, entry.payload, null);
      if (known < core.chainShown) {
        noteRestored(state);
        return [];
      }
      core.chainShown = known + 1;
      return [await describe(hash, entry)];
    }
    await followToEntry(hash, state, entry.payload);
    const { roster, change } = await applyRoster(hash, state.roster, entry.payload);
    if (!standsNow(state, change.epoch)) {
      return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { stale: 1 })];
    }
    state.extendChain(entry.payload, head, roster);
    core.chainShown = state.chain.length;
    core.logLength = state.chain.length;
    settlePending(state, entry.payload, null);
    followChange(state, change);
    return [await describe(hash, entry)];
  } catch (error) {
    const { code } = ClientError.from(error);
    if (code === ERROR_CODES.INTERNAL) throw error;
    const owner = await equivocator(hash, state, entry.payload);
    if (owner !== null) return [alarm(ALARM_CODES.ALARM_OWNER_EQUIVOCATED, owner)];
    return [
      alarm(ALARM_CODES.ALARM_BAD_ROSTER, entry.sender, { stale: code === ERROR_CODES.STALE_HEAD ? 1 : 0 }),
    ];
  }
}

/**
 * Whether an entry that is new here stands in the epoch that it names. After a trimmed range nobody
 * knows how many there were: any from the last known one on, and the chain's own never fall.
 */
const standsNow = ({ core }: RoomState, epoch: number): boolean =>
  core.skipped ? epoch >= core.epoch : epoch === core.epoch;

/**
 * Whether one that is back is in another place among the rotations than it was signed for. Below the
 * log's epoch that can only be said where that epoch's own rotation is known: if not, it is a guess.
 */
const outOfOrder = ({ core, rotations }: RoomState, epoch: number): boolean =>
  epoch > core.logEpoch || (epoch < core.logEpoch && rotations.has(core.logEpoch));

/** The epoch that an entry of the chain names; genesis makes the first. */
function epochOf(container: Bytes): number {
  const signed = decodeBody(containerBody(container), ...ROSTER_KINDS);
  return signed.kind === 'genesis' ? 1 : signed.body.epoch;
}

/**
 * The owner of whom this is the second valid entry on one head: proof against it, since an owner never
 * signs two (section 4), also when the room is another's by now. Null: it is not.
 */
async function equivocator(hash: Hash, state: RoomState, container: Bytes): Promise<MemberId | null> {
  try {
    const { body } = decodeBody(
      containerBody(container),
      'admit', 'remove', 'leave', 'transfer', 'settings', 'close',
    ); // prettier-ignore
    const at = state.chainIndex(body.head);
    const key = keyEver(state.roster, body.owner);
    if (at === null || key === null) return null;
    // First, because following the chain costs a signature's proof for every entry.
    verifyContainer(key, container);
    const before = await readChain(hash, state.core.roomId, state.chain.slice(0, at + 1));
    await applyRoster(hash, before, container);
    return body.owner;
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}

async function describe(hash: Hash, entry: Entry): Promise<StoredItem> {
  const signed = decodeBody(containerBody(entry.payload), ...ROSTER_KINDS);
  const actor = entry.sender;
  switch (signed.kind) {
    case 'genesis':
      return system('created', { actor });
    case 'admit':
      return system('admitted', { actor, member: await memberIdOf(hash, signed.body.key) });
    case 'remove':
      return system('removed', { actor, member: signed.body.member });
    case 'leave':
      return system('left', { member: signed.body.member });
    case 'transfer':
      return system('transferred', { actor, member: signed.body.to });
    case 'settings':
      return system('settings', {
        actor,
        numbers: {
          rotateEvery: signed.body.settings.rotateEvery,
          approval: signed.body.settings.approval ? 1 : 0,
        },
      });
    case 'close':
      return system('closed', { actor });
  }
}

/** The leaver is served nothing from here on; the others wait for the owner's rotation. */
export function takeLeaveRequest(state: RoomState, entry: Entry): readonly StoredItem[] {
  const { core } = state;
  const { sender } = entry;
  try {
    verifyLeaveRequest(state.roster, sender, entry.payload);
    if (core.leaving.some(({ memberId }) => memberId === sender)) return [];
    if (sender === core.me) core.stage = 'left';
    core.leaving.push({ memberId: sender, request: entry.payload });
    if (core.handOver?.memberId === sender) core.handOver = null;
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
 * The one signed entry that the departed are served; null where it does not prove that this
 * member has gone, or that the room is closed: then it is the relay's word and no more.
 */
export function provenDeparture(state: RoomState, entry: Entry): 'left' | 'removed' | 'closed' | null {
  const { core, roster } = state;
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
