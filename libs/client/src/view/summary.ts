/** A room in the list of rooms, and whether its membership goes on, as far as this device knows. */
import { clampTime, displayName, ERROR_CODES } from '@0fc/protocol';
import type { ConnectionState, JoinView, RoomSummary } from '../contract/api.js';
import type { Room } from '../room/room.js';
import { membershipOf } from '../vault/records.js';
import { drawnName } from './member-identities.js';

export function summaryOf(room: Room, draft: string): RoomSummary {
  const { state, composer } = room;
  const { core, roster } = state;
  composer.conversation.sync();
  return {
    roomId: membershipOf(core),
    name: displayName(core.roomName?.name ?? ''),
    stage: stageOf(room),
    owner: state.isOwner,
    unread: composer.conversation.unread(),
    last: lastOf(room),
    time: clampTime(core.lastTime),
    alarms: core.alarms,
    rotationDue: core.epochMessages >= roster.settings.rotateEvery,
    connection: room.connectionState,
    stopped: room.stopped,
    draft,
  };
}

function lastOf({ state, composer }: Room): RoomSummary['last'] {
  const { conversation } = composer;
  const message = conversation.last();
  if (message === null) return null;
  return {
    sender: drawnName(state, message.sender),
    mine: message.sender === state.core.me,
    text: conversation.annotationsOf(message).text ?? message.text ?? '',
    time: clampTime(message.sentAt),
  };
}

/** The worst connection state of all rooms and joins: an ended room has no link, and a failed join wants none. */
export function worstState(rooms: readonly RoomSummary[], joins: readonly JoinView[]): ConnectionState {
  const live = [
    ...rooms.filter(({ stage }) => stage === 'member'),
    ...joins.filter(({ failure }) => failure === null),
  ];
  const states = new Set(live.map(({ connection }) => connection));
  return (['stopped', 'offline', 'connecting'] as const).find((state) => states.has(state)) ?? 'connected';
}

/** Codes of the relay for a room that it does not have; it may be restored. */
const ROOM_GONE: readonly string[] = [ERROR_CODES.ROOM_UNKNOWN, ERROR_CODES.ROOM_CLOSED];

export type MembershipLink = Pick<Room, 'state' | 'stopped' | 'live' | 'outdated'>;

/** The stage of a membership as it is shown. */
export const stageOf = ({
  state,
  outdated,
}: Pick<MembershipLink, 'state' | 'outdated'>): RoomSummary['stage'] =>
  outdated && state.core.stage === 'member' ? 'outdated' : state.core.stage;

/**
 * The roster does not list this member. Known only once the log has been read to its end in this session: before that
 * its own admission may follow.
 */
export const isUnlisted = ({ state, live }: Pick<MembershipLink, 'state' | 'live'>): boolean =>
  live && state.core.stage === 'member' && !state.roster.members.has(state.core.me);

/**
 * The membership has ended: by its own or the owner's signature, because no roster lists this member, or because the
 * relay reports that the room is gone. One in a room of an earlier version goes on nowhere.
 */
export const hasEnded = (room: MembershipLink): boolean =>
  stageOf(room) !== 'member' || isUnlisted(room) || ROOM_GONE.includes(room.stopped?.code ?? '');
