/**
 * Which messages of the local log change another one: found in memory, or asked for (not-loaded.ts). Whoever reads a
 * message asks only where it may have been changed before it was here.
 */
import { equalBytes, type Target } from '@0fc/protocol';
import { knownContent, targetKey } from '../../vault/content.js';
import type { LogRecord, SenderRecord, StoredMessage } from '../../vault/records.js';
import { NotLoaded } from './not-loaded.js';
import type { Tables } from './tables.js';

/** A message of the log that edits, deletes or reacts to another one. */
export interface FoundEffect {
  /** of its record */
  readonly index: number;
  readonly item: StoredMessage;
}

/** Contents that change another message; told by their type alone, which most messages have not. */
const EFFECTS: ReadonlySet<string> = new Set(['edit', 'delete', 'reaction']);

/** Messages that name `target` as what they change, whoever sent them, in the order of the log. Throws NotLoaded. */
export function effectsOn(
  { log, sought }: Pick<Tables, 'log' | 'sought'>,
  target: Target,
): readonly FoundEffect[] {
  const key = targetKey(target);
  const before = log.loaded === log.first ? [] : sought.effects.get(key);
  if (before === undefined) throw new NotLoaded({ kind: 'effects', ...target });
  const found: FoundEffect[] = [];
  const add = ({ index, items }: LogRecord): void => {
    for (const item of items) {
      if (item.type !== 'message' || !EFFECTS.has(item.content.type)) continue;
      const content = knownContent(item.content);
      if (content !== null && 'to' in content && targetKey(content.to) === key) found.push({ index, item });
    }
  };
  for (const index of before) {
    const record = index < log.loaded ? log.at(index) : undefined;
    if (record !== undefined) add(record);
  }
  for (const record of log.oldestFirst(log.loaded)) add(record);
  return found;
}

/**
 * Whether somebody may have edited, deleted or reacted to a message before it was read here: it came late, or under an
 * instance that its sender has replaced, or its counter had been named already.
 */
export function mayBeChangedAhead(
  { counter, changedAhead }: Pick<SenderRecord, 'counter' | 'changedAhead'>,
  { n, instance, late }: Pick<StoredMessage, 'n' | 'instance'> & { readonly late?: boolean },
): boolean {
  const replaced = counter !== null && !equalBytes(counter.instance, instance);
  return late === true || replaced || n <= changedAhead;
}
