/**
 * Restores what the relay's store has lost (docs/protocol.md section 6): the signed roster entries and rotations that
 * this client holds beyond the log, in their order. Each verifies by itself; the relay assigns the positions.
 */
import { decodeBody, equalBytes, LIMITS, type Bytes, type Entry } from '@0fc/protocol';
import { bodyHash, containerBody, type Hash } from '@0fc/crypto/verify';
import { type RoomHandle, type Due, type RefusalOutcome, sendInTurn } from './part.js';
import type { RoomSnapshot } from '../state/draft.js';
import type { RotationRecord } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';

/** What goes in one request: the connection may not be bound to the room yet, and is given small frames till then. */
const BATCH_BYTES = (LIMITS.unboundFrameBytes * 3) / 4;

/** The end of the relay's log: its roster head and epoch. */
export interface LogEnd {
  readonly head: Bytes;
  readonly epoch: number;
}

/** Whether the log lacks a roster entry or a rotation that this client holds. */
export function lagsBehind(state: RoomSnapshot, end: LogEnd): boolean {
  const at = state.chainIndex(end.head);
  // A head that this client does not know is ahead of it: it is read, not restored.
  const missingEntries = at !== null && at < state.chain.size - 1;
  return (
    missingEntries ||
    (at !== null && end.epoch < state.core.epoch && state.rotation(state.core.epoch) !== null)
  );
}

/** The entries that the log lacks, in their order; `end` null: all entries. */
export async function missingEntries(
  hash: Hash,
  state: RoomSnapshot,
  end: LogEnd | null,
): Promise<readonly (Entry & { readonly wraps: RotationRecord['wraps'] })[]> {
  const known = end === null ? -1 : (state.chainIndex(end.head) ?? state.chain.size - 1);
  const byHead = rotationsByHead(state, end?.epoch ?? 0);
  const missing: (Entry & { readonly wraps: RotationRecord['wraps'] })[] = [];
  for (const [at, container] of state.chain) {
    if (at > known) missing.push({ ...rosterEntry(state, container), wraps: null });
    const head = await bodyHash(hash, container);
    for (const { head: named, record } of byHead) {
      if (equalBytes(named, head)) missing.push({ ...record.entry, wraps: record.wraps });
    }
  }
  return missing;
}

/** Rotations beyond an epoch, ascending, with the roster head that each names. Throws NotLoaded. */
function rotationsByHead(
  state: RoomSnapshot,
  beyond: number,
): readonly { head: Bytes; record: RotationRecord }[] {
  const epochs = Array.from({ length: Math.max(0, state.core.epoch - beyond) }, (_, at) => beyond + 1 + at);
  return epochs.flatMap((epoch) => {
    const record = state.rotation(epoch);
    if (record === null) return [];
    return [{ head: decodeBody(containerBody(record.entry.clear), 'rotation').body.head, record }];
  });
}

function rosterEntry(state: RoomSnapshot, payload: Bytes): Entry {
  const { position, me } = state.core;
  // Position, sender and time are the relay's to give: an entry proves itself by its signature.
  return { position, kind: 'roster', sender: me, time: 0, clear: new Uint8Array(), payload };
}

/**
 * The entries that the log lacks, as requests. A rotation with stored wraps is sent as a command of the owner, so
 * that members that had not read it find their wraps; the others verify alone.
 */
async function* restoration(hash: Hash, state: RoomState, end: LogEnd | null): AsyncGenerator<Due, void> {
  const { roomId } = state.core;
  const alone = new Set<Entry>();
  let batch: Entry[] = [];
  let bytes = 0;
  const whole = (): readonly Due[] => {
    if (batch.length === 0) return [];
    const entries = batch;
    batch = [];
    bytes = 0;
    return [{ kind: 'restore', body: { roomId, entries } }];
  };
  for (const { wraps, ...entry } of await state.read(() => missingEntries(hash, state, end))) {
    if (wraps !== null && entry.kind === 'rotation') {
      yield* whole();
      const { clear, payload } = entry;
      const refused = (): RefusalOutcome => {
        // Only as the owner of that moment, bound to the room, could this go as a command of its own.
        alone.add(entry);
        return 'settled';
      };
      yield { kind: 'rotate', body: { clear, payload, wraps }, refused };
      if (!alone.has(entry)) continue;
    }
    const size = entry.clear.length + entry.payload.length;
    if (bytes + size > BATCH_BYTES) yield* whole();
    batch.push(entry);
    bytes += size;
    if (batch.length === LIMITS.restoreEntries) yield* whole();
  }
  yield* whole();
}

/** Sends the entries that the log lacks. Rejects with the refusal of the relay. */
export function restoreMissing(
  { state, connection, platform }: RoomHandle,
  end: LogEnd | null,
): Promise<void> {
  return sendInTurn(connection, restoration(platform.crypto.hash, state, end));
}
