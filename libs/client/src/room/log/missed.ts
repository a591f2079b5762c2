/** Ranges of the log that were never read here (docs/protocol.md section 8). */
import { replaceItems } from '../state/changes.js';
import type { RoomDraft, RoomSnapshot } from '../state/draft.js';
import type { LogRecord, StoredItem } from '../../vault/records.js';
import { system } from './items.js';

/** What is missed in a row is shown as one range, where the first of it stands: true where it was added there. */
export function joinedMissed(draft: RoomDraft, items: readonly StoredItem[]): boolean {
  const [item] = items;
  if (items.length !== 1 || item?.type !== 'system' || item.event !== 'missed') return false;
  const last = lastShown(draft);
  const [before] = last?.items ?? [];
  if (last?.items.length !== 1 || before?.type !== 'system' || before.event !== 'missed') return false;
  if (before.numbers.to !== (item.numbers.from ?? 0) - 1) return false;
  const numbers = { ...before.numbers, ...(item.numbers.to === undefined ? {} : { to: item.numbers.to }) };
  draft.apply(replaceItems(last.index, [system('missed', { numbers })]));
  return true;
}

function lastShown({ log, core }: RoomSnapshot): LogRecord | undefined {
  return core.shownIndex === null ? undefined : log.at(core.shownIndex);
}
