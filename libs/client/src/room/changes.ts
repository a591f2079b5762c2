/** What a change of the roster does to this member's room (docs/protocol.md sections 4 and 5.10). */
import type { MemberId } from '@0fc/protocol';
import type { RosterChange } from '@0fc/crypto/verify';
import { forgetKeys } from './forget-keys.js';
import { upsert, type RoomState } from './state.js';

export function followChange(state: RoomState, change: RosterChange): void {
  const { core } = state;
  switch (change.kind) {
    case 'remove':
    case 'leave':
      followDeparture(state, change.member, change.kind);
      return;
    case 'transfer':
      followTransfer(state, change.to);
      return;
    case 'close':
      core.stage = 'closed';
      return;
    case 'settings':
      if (core.tasks.settings !== null && sameSettings(core.tasks.settings, change.settings)) {
        core.tasks = { ...core.tasks, settings: null };
      }
      return;
    case 'admit':
      followAdmit(state, change.member, change.inviteId);
      return;
  }
}

function sameSettings(a: object, b: object): boolean {
  const fields = (value: object): string => JSON.stringify(Object.entries(value).sort());
  return fields(a) === fields(b);
}

function followDeparture(state: RoomState, member: MemberId, how: 'remove' | 'leave'): void {
  const { core } = state;
  if (member === core.me) core.stage = how === 'leave' ? 'left' : 'removed';
  // Nothing is sent until the rotation on this head arrives (section 4).
  else core.paused = true;
  core.leaving = core.leaving.filter((leaver) => leaver.memberId !== member);
  core.tasks = { ...core.tasks, removals: core.tasks.removals.filter((removal) => removal !== member) };
  if (core.handOver?.memberId === member) core.handOver = null;
}

/** Pending joins are dropped and open invites revoked; the new owner rotates before any other act. */
function followTransfer(state: RoomState, to: MemberId): void {
  const { core } = state;
  core.handOver = null;
  core.declined = null;
  core.rotationWanted = false;
  core.tasks = { removals: [], settings: null, close: false };
  for (const inviteId of [...state.invites.keys()]) state.dropInvite(inviteId);
  core.mustRotate = to === core.me;
}

function followAdmit(state: RoomState, memberId: MemberId, inviteId: string): void {
  const { core } = state;
  const joiner = state.invites.get(inviteId)?.joiner ?? null;
  if (joiner !== null) {
    upsert(core.people, (person) => person.memberId === memberId, {
      memberId,
      name: joiner.name,
      proof: null,
    });
  }
  // Token and join key are deleted at admit (section 5.10).
  if (!state.invites.has(inviteId)) return;
  state.dropInvite(inviteId);
  // So is a key that was kept for this join alone: no rotation may follow for long.
  forgetKeys(state);
}
