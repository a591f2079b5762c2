/** Reads the part of a room's log before the window, without keeping it in memory. */
import type { LogRecord, StoredMessage } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';

/** Records that are read at once. */
const STEP = 512;

/** Messages before an index and before the window, newest first. Rejects as the vault does. */
export async function* messagesBefore(
  state: RoomState,
  index: number,
): AsyncGenerator<{ readonly record: LogRecord; readonly item: StoredMessage }, void> {
  const { first, loaded } = state.log;
  for (let to = Math.min(index, loaded); to > first; to -= STEP) {
    const records = await state.records(Math.max(first, to - STEP), to);
    for (const record of records.toReversed()) {
      for (const item of record.items.toReversed()) if (item.type === 'message') yield { record, item };
    }
  }
}
