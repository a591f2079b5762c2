/** A room in the list of rooms. */
import { clampTime, displayName } from '@0fc/protocol';
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
    stage: core.stage,
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
