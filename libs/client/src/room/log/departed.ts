/**
 * How a member that is not served any more learns what has become of it (docs/protocol.md section 4): by one signed
 * entry, or by the chain up to it where another has come to own the room meanwhile. Nothing else ends a membership.
 */
import { ERROR_CODES, type Bytes, type Entry, type MemberId } from '@0fc/protocol';
import { applyRoster, type Hash, type RosterChange } from '@0fc/crypto/verify';
import { ClientError } from '../../errors.js';
import { append, extendChain, set, type RoomChange } from '../state/changes.js';
import type { RoomDraft } from '../state/draft.js';
import type { StoredItem } from '../state/records.js';
import { system } from './items.js';
import { provenDeparture } from './roster.js';

type End = NonNullable<ReturnType<typeof provenDeparture>>;

/** True: one of these entries proves the end by the roster that is known here, and the room has ended. */
export function applyDeparture(draft: RoomDraft, entries: readonly Entry[]): boolean {
  if (draft.core.stage !== 'member') return true;
  for (const entry of entries) {
    const how = provenDeparture(draft, entry);
    if (how === null) continue;
    end(draft, how, draft.roster.owner, { time: entry.time, before: [] });
    return true;
  }
  return false;
}

/**
 * True: the chain, followed from the head that is known here, has this member's end, and the room has ended. Each entry
 * of it proves itself on the one before; one that does not ends the following, and nothing of it counts. Who owned the
 * room in between is shown, and the roster is that of the end. `time`: when the relay says that it ended, Unix ms.
 */
export async function applyDepartureInChain(
  hash: Hash,
  draft: RoomDraft,
  chain: readonly Bytes[],
  time: number,
): Promise<boolean> {
  const { core } = draft;
  if (core.stage !== 'member') return true;
  let { roster } = draft;
  const before: StoredItem[] = [];
  const followed: RoomChange[] = [];
  try {
    for (const container of chain) {
      const { owner } = roster;
      const next = await applyRoster(hash, roster, container);
      const how = endOf(next.change, core.me);
      followed.push(extendChain(container, next.roster.head, next.roster));
      if (how !== null) {
        draft.apply(...followed);
        end(draft, how, owner, { time, before });
        return true;
      }
      if (next.change.kind === 'transfer')
        before.push(system('transferred', { actor: owner, member: next.change.to }));
      ({ roster } = next);
    }
  } catch (error) {
    if (ClientError.from(error).code === ERROR_CODES.INTERNAL) throw error;
  }
  return false;
}

function endOf(change: RosterChange, me: MemberId): End | null {
  if (change.kind === 'close') return 'closed';
  if ((change.kind !== 'remove' && change.kind !== 'leave') || change.member !== me) return null;
  return change.kind === 'leave' ? 'left' : 'removed';
}

function end(
  draft: RoomDraft,
  how: End,
  actor: MemberId,
  { time, before }: { readonly time: number; readonly before: readonly StoredItem[] },
): void {
  const item = how === 'closed' ? system('closed', { actor }) : system(how, { actor, member: draft.core.me });
  draft.apply(set({ stage: how }), append(null, time, [...before, item]));
}
