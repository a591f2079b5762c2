/** What an operator may ask of the rooms, whether the relay runs or not. No key, name or text is in any answer. */
import * as v from 'valibot';
import { parse, roomId, type RoomId } from '@0fc/protocol';
import type { RoomStats, StoreStats, Upkeep } from '../rooms/port/store-upkeep.js';

export type OperatorRequest =
  | { readonly command: 'stats' }
  | { readonly command: 'room'; readonly roomId: RoomId }
  | { readonly command: 'erase'; readonly roomId: RoomId };

export type OperatorReply =
  | { readonly ok: true; readonly store: StoreStats }
  | { readonly ok: true; readonly roomId: RoomId; readonly room: RoomStats }
  | { readonly ok: true; readonly erased: RoomId }
  | { readonly ok: false; readonly error: 'ROOM_UNKNOWN' | 'MALFORMED' | 'INTERNAL' };

const request = v.variant('command', [
  v.strictObject({ command: v.literal('stats') }),
  v.strictObject({ command: v.literal('room'), roomId }),
  v.strictObject({ command: v.literal('erase'), roomId }),
]);

/** Throws MALFORMED. */
export const parseOperatorRequest = (value: unknown): OperatorRequest => parse(request, value);

/** `erased` runs after a room has gone. */
export async function operate(
  store: Pick<Upkeep, 'roomStats' | 'storeStats' | 'eraseRoom'>,
  asked: OperatorRequest,
  erased: (roomId: RoomId) => void = () => undefined,
): Promise<OperatorReply> {
  switch (asked.command) {
    case 'stats':
      return { ok: true, store: await store.storeStats() };
    case 'room': {
      const { stats } = await store.roomStats(asked.roomId);
      return stats === null
        ? { ok: false, error: 'ROOM_UNKNOWN' }
        : { ok: true, roomId: asked.roomId, room: stats };
    }
    case 'erase': {
      const result = await store.eraseRoom(asked.roomId);
      if (!result.ok) return { ok: false, error: 'ROOM_UNKNOWN' };
      erased(asked.roomId);
      return { ok: true, erased: asked.roomId };
    }
  }
}
