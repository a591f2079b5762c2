/**
 * Sending the owner's one command in flight (docs/protocol.md section 4): the same bytes
 * until the log holds them, or until what was verified here makes them void.
 */
import { ERROR_CODES, type Bytes } from '@0fc/protocol';
import { ClientError } from '../errors.js';
import type { RoomHandle } from './handle.js';
import type { PendingCommand } from './state/records.js';

/** What it does is read back from the log. Rejects with the relay's refusal. */
export async function sendPending(room: RoomHandle, pending: PendingCommand): Promise<void> {
  const { connection } = room;
  try {
    if (pending.entry !== null) await sendEntry(room, pending.entry, pending);
    else if (pending.rotation !== null) await connection.request('rotate', pending.rotation);
  } catch (error) {
    const { code } = ClientError.from(error);
    // The relay's store has lost the invite; what its owner signed proves itself (section 6).
    if (code !== ERROR_CODES.INVITE_UNKNOWN || pending.entry === null) throw error;
    await restoreEntry(room, pending.entry);
  }
}

async function sendEntry(room: RoomHandle, entry: Bytes, pending: PendingCommand): Promise<void> {
  const { rotation, inviteId, reply } = pending;
  await room.connection.request('roster', {
    entry,
    ...(rotation === null ? {} : { rotation }),
    ...(inviteId === null || reply === null ? {} : { reply: { inviteId, ...reply } }),
  });
}

async function restoreEntry(room: RoomHandle, payload: Bytes): Promise<void> {
  const { core } = room.state;
  const none = new Uint8Array();
  const entry = {
    position: core.position,
    kind: 'roster',
    sender: core.me,
    time: 0,
    clear: none,
    payload,
  } as const;
  await room.connection.request('restore', { roomId: core.roomId, entries: [entry] });
}
