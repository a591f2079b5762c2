/** Where a membership stands: whether it goes on, as far as this device can tell. */
import { ERROR_CODES } from '@0fc/protocol';
import type { Room } from '../room/room.js';

/** What the relay says of a room that is not there any more; it may be back. */
const ROOM_GONE: readonly string[] = [ERROR_CODES.ROOM_UNKNOWN, ERROR_CODES.ROOM_CLOSED];

export type Standing = Pick<Room, 'state' | 'stopped' | 'live'>;

/**
 * No owner's word has this member on the roster. Known only once the log has been read to its end in this session: till
 * then its own admission may lie ahead.
 */
export const isUnlisted = ({ state, live }: Pick<Standing, 'state' | 'live'>): boolean =>
  live && state.core.stage === 'member' && !state.roster.members.has(state.core.me);

/**
 * The membership has ended, by its own or its owner's signature; or this member is on no roster; or the room is gone, by
 * the relay's word.
 */
export const hasEnded = (room: Standing): boolean =>
  room.state.core.stage !== 'member' || isUnlisted(room) || ROOM_GONE.includes(room.stopped?.code ?? '');
