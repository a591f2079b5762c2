/** Effects of a roster change on the room of this member (docs/protocol.md sections 4 and 5.10). */
import type { InviteId, MemberId } from '@0fc/protocol';
import type { RosterChange } from '@0fc/crypto/verify';
import { dropInvite, putInvite, set, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { RoomCore } from '../../vault/records.js';
import { forgetKeys } from './room-keys.js';
import { sameSettings, settingsAt } from './settings.js';

export function applyRosterEffects(draft: RoomDraft, change: RosterChange): void {
  const { core } = draft;
  switch (change.kind) {
    case 'remove':
    case 'leave':
      applyDeparture(draft, change.member, change.kind);
      return;
    case 'transfer':
      applyTransfer(draft, change.to);
      return;
    case 'close':
      dropInvites(draft);
      draft.apply(set({ stage: 'closed' }));
      return;
    case 'settings':
      if (change.settings.approval) askAgain(draft);
      if (core.tasks.settings !== null && sameSettings(core.tasks.settings, change.settings)) {
        draft.apply(set({ tasks: { ...core.tasks, settings: null } }));
      }
      return;
    case 'admit':
      applyAdmit(draft, change.member, change.inviteId);
      return;
    case 'upgrade':
      // The roster says that it takes a newer client (room-keys.ts).
      return;
  }
}

/** Joiners that requested while approval was off and have no reply yet: approval now applies to them. */
function askAgain(draft: RoomDraft): void {
  if (settingsAt(draft, draft.chain.size - 2).approval) return;
  for (const invite of [...draft.invites.values()])
    if (invite.stage === 'asked') draft.apply(putInvite({ ...invite, approved: false }));
}

function applyDeparture(draft: RoomDraft, member: MemberId, how: 'remove' | 'leave'): void {
  const { core } = draft;
  if (member === core.me) draft.apply(set({ stage: how === 'leave' ? 'left' : 'removed' }));
  // Nothing is sent until the rotation on this head arrives (section 4).
  else draft.apply(set({ paused: true }));
  draft.apply(
    set({
      leaving: core.leaving.filter((leaver) => leaver.memberId !== member),
      tasks: { ...core.tasks, removals: core.tasks.removals.filter((removal) => removal !== member) },
    }),
  );
  if (core.ownershipTransfer?.memberId === member) draft.apply(set({ ownershipTransfer: null }));
}

/** Nobody comes in by them any more: their secrets go. */
function dropInvites(draft: RoomDraft): void {
  for (const { inviteId } of [...draft.invites.values()]) draft.apply(dropInvite(inviteId));
}

/** Pending joins are dropped and open invites revoked; the new owner rotates before any other act. */
function applyTransfer(draft: RoomDraft, to: MemberId): void {
  dropInvites(draft);
  draft.apply(
    set({
      ownershipTransfer: null,
      rotationWanted: false,
      tasks: { removals: [], settings: null, close: false },
      mustRotate: to === draft.core.me,
    }),
  );
}

/** An acceptance ends with its epoch. Whose request to leave has waited for that is offered the room no more. */
export function withoutAcceptance({ core, isOwner }: RoomSnapshot): RoomCore['ownershipTransfer'] {
  const { ownershipTransfer, leaveRequest } = core;
  if (ownershipTransfer === null || (leaveRequest !== null && !isOwner)) return null;
  return { ...ownershipTransfer, acceptance: null };
}

function applyAdmit(draft: RoomDraft, memberId: MemberId, inviteId: InviteId): void {
  const { core } = draft;
  const joiner = draft.invites.get(inviteId)?.joiner ?? null;
  if (joiner !== null) {
    const person = { memberId, name: joiner.name, proof: null };
    draft.apply(set({ people: upserted(core.people, (known) => known.memberId === memberId, person) }));
  }
  // Token and join key are deleted at admit (section 5.10).
  if (!draft.invites.has(inviteId)) return;
  draft.apply(dropInvite(inviteId));
  // So is a key that was kept for this join alone: no rotation may follow for long.
  forgetKeys(draft);
}

export function upserted<T>(list: readonly T[], same: (item: T) => boolean, item: T): readonly T[] {
  const at = list.findIndex(same);
  return at < 0 ? [...list, item] : list.with(at, item);
}
