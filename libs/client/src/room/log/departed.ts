/**
 * How a departed member learns how its membership ended (docs/protocol.md section 4): from one signed entry, or from
 * the chain up to that entry where the owner has changed meanwhile. Nothing else ends a membership.
 */
import { ALARM_CODES, ERROR_CODES, type Bytes, type Entry, type MemberId } from '@0fc/protocol';
import { applyRoster, type Hash, type Roster, type RosterChange } from '@0fc/crypto/verify';
import { ClientError } from '../../contract/errors.js';
import type { RoomChange } from '../state/changes.js';
import { append, extendChain, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { StoredItem } from '../../vault/records.js';
import { alarm, departure, system } from './items.js';
import { provenDeparture } from './roster.js';

type End = NonNullable<ReturnType<typeof provenDeparture>>;

/**
 * How the membership ended, who owned the room then, and the ownership transfers before, by which that member came to
 * own it.
 */
interface Ending {
  readonly how: End;
  readonly actor: MemberId;
  readonly before: readonly StoredItem[];
  /** the chain up to it */
  readonly followed: readonly RoomChange[];
}

/** True: one of these entries proves the end by the known roster, and the draft has ended the room. */
export function applyOwnDeparture(draft: RoomDraft, entries: readonly Entry[]): boolean {
  if (draft.core.stage !== 'member') return true;
  for (const entry of entries) {
    const how = provenDeparture(draft, entry);
    if (how === null) continue;
    end(draft, { how, actor: draft.roster.owner, before: [], followed: [] }, entry.time);
    return true;
  }
  return false;
}

/**
 * True: the chain, verified from the known head on, holds this member's end, and the draft has ended the room. The
 * transfers in between are shown, and the roster is that of the end. `time`: when the relay reports the end, Unix ms.
 */
export async function applyDepartureInChain(
  hash: Hash,
  draft: RoomDraft,
  chain: readonly Bytes[],
  time: number,
): Promise<boolean> {
  if (draft.core.stage !== 'member') return true;
  const ending = await endingIn(hash, draft, chain);
  if (ending === null) return false;
  end(draft, ending, time);
  return true;
}

/** Verifies each entry on the one before. The first unverified entry ends this, and nothing after it counts. */
async function endingIn(
  hash: Hash,
  { core, roster: known }: RoomSnapshot,
  chain: readonly Bytes[],
): Promise<Ending | null> {
  let roster = known;
  const before: StoredItem[] = [];
  const followed: RoomChange[] = [];
  for (const container of chain) {
    const actor = roster.owner;
    const next = await provenNext(hash, roster, container);
    if (next === null) return null;
    followed.push(extendChain(container, next.roster.head, next.roster));
    const how = endOf(next.change, core.me);
    if (how !== null) return { how, actor, before, followed };
    if (next.change.kind === 'transfer')
      before.push(system('transferred', { actor, member: next.change.to }));
    ({ roster } = next);
  }
  return null;
}

/** Null: the entry does not prove itself on this roster. */
async function provenNext(hash: Hash, roster: Roster, container: Bytes) {
  try {
    return await applyRoster(hash, roster, container);
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
    return null;
  }
}

function endOf(change: RosterChange, me: MemberId): End | null {
  if (change.kind === 'close') return 'closed';
  if ((change.kind !== 'remove' && change.kind !== 'leave') || change.member !== me) return null;
  return change.kind === 'leave' ? 'left' : 'removed';
}

/** One record for each line: others choose their number, and the size of a record is bounded. */
function end(draft: RoomDraft, { how, actor, before, followed }: Ending, time: number): void {
  const item = how === 'closed' ? system('closed', { actor }) : departure(how, actor, draft.core.me);
  draft.apply(
    ...followed,
    set({ stage: how }),
    ...[...before, item].map((line) => append(null, time, [line])),
  );
}

/** The relay has the room no more, which proves nothing: shown once, however often the relay repeats it. */
export function showRoomGone(draft: RoomDraft, now: number): void {
  for (const { items } of draft.log.newestFirst()) {
    const shown = items.at(-1);
    if (shown?.type === 'alarm' && shown.code === ALARM_CODES.ALARM_ROOM_GONE) return;
    if (shown !== undefined) break;
  }
  draft.apply(append(null, now, [alarm(ALARM_CODES.ALARM_ROOM_GONE)]));
}
