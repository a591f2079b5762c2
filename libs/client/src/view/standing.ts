/** State of a membership: whether it goes on, as far as this device knows. */
import { ERROR_CODES } from '@0fc/protocol';
import type { Room } from '../room/room.js';

/** Codes of the relay for a room that it does not have; it may be restored. */
const ROOM_GONE: readonly string[] = [ERROR_CODES.ROOM_UNKNOWN, ERROR_CODES.ROOM_CLOSED];

export type Standing = Pick<Room, 'state' | 'stopped' | 'live'>;

/**
 * The roster does not list this member. Known only once the log has been read to its end in this session: before that
 * its own admission may follow.
 */
export const isUnlisted = ({ state, live }: Pick<Standing, 'state' | 'live'>): boolean =>
  live && state.core.stage === 'member' && !state.roster.members.has(state.core.me);

/**
 * The membership has ended: by its own or the owner's signature, because no roster lists this member, or because the
 * relay reports that the room is gone.
 */
export const hasEnded = (room: Standing): boolean =>
  room.state.core.stage !== 'member' || isUnlisted(room) || ROOM_GONE.includes(room.stopped?.code ?? '');
