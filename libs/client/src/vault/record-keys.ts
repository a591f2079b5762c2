/** In which stores and under which keys the records of a room are stored. */
import type { RoomId } from '@0fc/protocol';

export const STORES = {
  app: 'app',
  rooms: 'rooms',
  slices: 'slices',
  senders: 'senders',
  chain: 'chain',
  rotations: 'rotations',
  log: 'log',
  messages: 'messages',
  effects: 'effects',
  outbox: 'outbox',
  invites: 'invites',
  joins: 'joins',
} as const;

/** Id of a membership on this device: what its records, its drafts and the page know it by. */
export const membershipOf = (of: {
  readonly roomId: RoomId;
  readonly membership?: string | undefined;
}): string => of.membership ?? of.roomId;
/** Of the n-th membership of one room. */
export const membershipKey = (room: RoomId, n: number): string => (n === 1 ? room : `${room}~${String(n)}`);

/** Zero-padded, so that plain string order is number order. */
const padded = (n: number): string => n.toString().padStart(16, '0');
export const keyOf = (room: string, n: number): string => `${room}/${padded(n)}`;
export const prefixOf = (room: string): string => `${room}/`;

/** Key of a slice of a room in `slices`. */
export const sliceKey = (room: string, slice: string): string => `${room}/${slice}`;
