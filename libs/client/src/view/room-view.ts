/** The view of the watched room: plain data made from its state. */
import { clampTime, decodeBody, displayName, type MemberId } from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import type {
  OwnershipTransferView,
  InviteView,
  MemberView,
  PauseReason,
  RoomView,
} from '../contract/api.js';
import { receiptOf } from './receipts.js';
import { hasEnded, isUnlisted, stageOf } from './summary.js';
import { needsNewer } from '../room/log/room-keys.js';
import { sameSettings, wishedSettings } from '../room/log/settings.js';
import { ITEMS_PER_RECORD, membershipOf, type OwnerInvite, type RoomCore } from '../vault/records.js';
import type { Room } from '../room/room.js';
import { drawnName, type MemberIdentities } from './member-identities.js';
import { heldLines } from './timeline.js';

/** Parts of the view that are not in the room. */
export interface Beside {
  readonly draft: string;
  readonly earlier: boolean;
}

export function roomViewOf(room: Room, identities: MemberIdentities, { draft, earlier }: Beside): RoomView {
  const { state, signals, composer } = room;
  const { core, roster } = state;
  // What was signed for an earlier version is not read any more.
  const change = room.outdated ? null : pendingChange(core);
  const wished = wishedSettings(state);
  composer.conversation.sync();
  return {
    roomId: membershipOf(core),
    name: displayName(core.roomName?.name ?? ''),
    stage: stageOf(room),
    owner: state.isOwner,
    me: core.me,
    members: membersOf(room, identities, change?.kind === 'remove' ? change.body.member : null),
    key: keyOf(room),
    settings: roster.settings,
    settingsWished: sameSettings(wished, roster.settings) ? null : wished,
    ownershipTransfer: ownershipTransferOf(room, identities),
    leaving: core.stage === 'member' && core.leaveRequest !== null,
    closing: core.stage === 'member' && (core.tasks.close || change?.kind === 'close'),
    draft,
    unreadFrom: core.readIndex * ITEMS_PER_RECORD,
    earlier,
    invites: [...state.invites.values()].flatMap((invite) => inviteViewOf(invite, identities)),
    approvals: approvalsOf(room, identities),
    connection: room.connectionState,
    stopped: room.stopped,
    catchingUp: room.connectionState === 'connected' && !room.live && room.stopped === null,
    unlisted: isUnlisted(room),
    typing: signals.typingNow().map((member) => identities.nameFor(state, member)),
    alarms: core.alarms,
    ownerAwaySince: core.stage === 'member' && !state.isOwner ? signals.awaySince(roster.owner) : null,
    paused: pauseOf(room),
    held: heldLines({ state, conversation: composer.conversation, ended: hasEnded(room) }),
    waiting: room.waiting,
  };
}

/** The owner's signed entry that is on its way to the log. */
function pendingChange({ pending }: RoomCore) {
  const entry = pending?.entry ?? null;
  if (entry === null) return null;
  return decodeBody(
    containerBody(entry),
    'admit', 'remove', 'leave', 'transfer', 'settings', 'close',
  ); // prettier-ignore
}

function membersOf(
  room: Room,
  identities: MemberIdentities,
  beingRemoved: MemberId | null,
): readonly MemberView[] {
  const { state, signals } = room;
  const { core, roster } = state;
  const confusable = identities.confusable(state);
  return [...roster.members.values()].map(({ memberId }): MemberView => {
    const me = memberId === core.me;
    return {
      memberId,
      name: drawnName(state, memberId),
      fingerprint: identities.fingerprint(memberId),
      confusable: confusable.has(memberId),
      owner: memberId === roster.owner,
      me,
      verified: core.verified.includes(memberId),
      online: me ? room.live : signals.isOnline(memberId),
      lastSeen: signals.lastSeen(memberId),
      leaving: core.leaving.some((leaver) => leaver.memberId === memberId),
      removing: state.isOwner && (core.tasks.removals.includes(memberId) || memberId === beingRemoved),
      // In a room of an earlier version nothing is sealed any more, and nothing of its chain is read.
      receipt: me || room.outdated ? 'log' : receiptOf(state, memberId, signals.epochOf(memberId)),
      oldPrekey: state.isOwner && core.wrappedTo.some((wrap) => wrap.memberId === memberId && wrap.again),
    };
  });
}

function keyOf({ state }: Room): RoomView['key'] {
  const { core, roster } = state;
  const key = state.key(core.epoch);
  if (key === null) return null;
  return {
    epoch: core.epoch,
    since: clampTime(key.since),
    messages: core.epochMessages,
    rotateEvery: roster.settings.rotateEvery,
    rotating: core.pending !== null && core.pending.rotation !== null,
  };
}

function ownershipTransferOf({ state }: Room, identities: MemberIdentities): OwnershipTransferView | null {
  const { ownershipTransfer } = state.core;
  if (ownershipTransfer === null || state.core.stage !== 'member') return null;
  const { memberId, since, acceptance } = ownershipTransfer;
  return {
    role: state.isOwner ? 'offering' : 'offered',
    memberId,
    name: identities.nameFor(state, memberId),
    since: clampTime(since),
    accepted: acceptance !== null,
  };
}

/** Why this client must not send now; null where it may. */
export function pauseOf({ state, restoring, outdated }: Room): PauseReason | null {
  const { core } = state;
  if (core.stage !== 'member' || outdated) return null;
  if (needsNewer(state)) return 'version';
  if (core.paused) return 'departure';
  if (restoring) return 'restore';
  return (state.key(core.epoch)?.key ?? null) === null ? 'key' : null;
}

function inviteViewOf(invite: OwnerInvite, identities: MemberIdentities): InviteView[] {
  if (invite.stage === 'dropping') return [];
  const { inviteId, made, expires, stage } = invite;
  const state = stage === 'asked' ? 'claimed' : stage;
  const claimedBy = identities.joiner(invite)?.name ?? null;
  return [{ inviteId, made, expires, state, claimedBy }];
}

function approvalsOf({ state }: Room, identities: MemberIdentities): RoomView['approvals'] {
  return [...state.invites.values()].flatMap((invite) => {
    const face = identities.joiner(invite);
    if (invite.stage !== 'asked' || invite.approved || face === null) return [];
    return [{ inviteId: invite.inviteId, ...face, invited: invite.made }];
  });
}
