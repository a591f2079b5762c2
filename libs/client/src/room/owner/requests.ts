/**
 * The owner's one command in flight as a request (docs/protocol.md section 4): the same bytes until the log holds
 * them, or until what was verified here makes them void. What it does is read back from the log.
 */
import type { DueOf } from '../outgoing/due.js';
import type { RoomSnapshot } from '../state/draft.js';
import type { PendingCommand } from '../../vault/records.js';

type Command =
  | Pick<DueOf<'roster'>, 'kind' | 'body'>
  | Pick<DueOf<'rotate'>, 'kind' | 'body'>
  | Pick<DueOf<'restore'>, 'kind' | 'body'>;

/** `restored`: it goes as an entry to be brought back; what its owner signed proves itself (section 6). */
export function commandOf(
  { core }: RoomSnapshot,
  pending: PendingCommand,
  restored: boolean,
): Command | null {
  const { entry, rotation, inviteId, reply } = pending;
  if (entry === null) return rotation === null ? null : { kind: 'rotate', body: rotation };
  if (restored) {
    const { roomId, position, me: sender } = core;
    const brought = {
      position,
      kind: 'roster',
      sender,
      time: 0,
      clear: new Uint8Array(),
      payload: entry,
    } as const;
    return { kind: 'restore', body: { roomId, entries: [brought] } };
  }
  return {
    kind: 'roster',
    body: {
      entry,
      ...(rotation === null ? {} : { rotation }),
      ...(inviteId === null || reply === null ? {} : { reply: { inviteId, ...reply } }),
    },
  };
}
