import type { RoomView } from '@0fc/client/api';

/** Whether this client may still act in the room. */
export function mayAct(room: RoomView): boolean {
  return room.stage === 'member' && !room.closing;
}
