/** Whoever has the relay's whole record and some room keys: what that opens (G10, G18). */
import { ProtocolError, type Bytes, type MemberId, type RoomId } from '@0fc/protocol';
import { CryptoError, openMessage, type RoomKey } from '@0fc/crypto/keys';
import type { Seen } from '../relay/lying-relay.js';
import type { Stolen } from './stolen.js';

export interface EpochSecret {
  readonly epoch: number;
  readonly key: RoomKey;
}

export interface Reader {
  readonly name: string;
  readonly keys: readonly EpochSecret[];
}

/** Whose hand the lines of a room are in: everybody on its roster. */
interface Room {
  readonly roomId: RoomId;
  readonly senders: readonly { readonly memberId: MemberId; readonly key: Bytes }[];
}

export const roomOf = ({ core, roster }: Stolen): Room => ({
  roomId: core.roomId,
  senders: [...roster.members.values()],
});

/** All keys of the room that a member's vault holds. */
export const keysOf = ({ core }: Stolen): readonly EpochSecret[] =>
  core.keys.flatMap(({ epoch, key }) => (key === null ? [] : [{ epoch, key }]));

function* partsOf(value: unknown): Generator<Bytes | string> {
  if (value instanceof Uint8Array || typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* partsOf(part);
}

/** What one sealed message says; null where none of the keys opens it, under no sender's name. */
function contentOf(payload: Bytes, keys: readonly EpochSecret[], { roomId, senders }: Room): unknown {
  for (const { epoch, key: roomKey } of keys) {
    for (const { memberId: sender, key: senderKey } of senders) {
      try {
        return openMessage({ roomKey, roomId, epoch, sender, senderKey, payload }).body.content;
      } catch (error) {
        if (!(error instanceof CryptoError || error instanceof ProtocolError)) throw error;
      }
    }
  }
  return null;
}

/**
 * Every text in what the keys open of all bytes that anybody has handed to the relay, carried out or not;
 * bytes inside of what opens are tried like any others.
 */
export function openedBy(
  { keys }: Pick<Reader, 'keys'>,
  record: readonly Seen[],
  room: Room,
): ReadonlySet<string> {
  const texts = new Set<string>();
  const tried = new Set<string>();
  const due = record
    .filter(({ way }) => way === 'fromClient')
    .flatMap(({ message }) => [...partsOf(message)]);
  for (let part = due.pop(); part !== undefined; part = due.pop()) {
    if (typeof part === 'string') continue;
    const id = Buffer.from(part).toString('latin1');
    if (tried.has(id)) continue;
    tried.add(id);
    for (const inner of partsOf(contentOf(part, keys, room))) {
      if (typeof inner === 'string') texts.add(inner);
      else due.push(inner);
    }
  }
  return texts;
}
