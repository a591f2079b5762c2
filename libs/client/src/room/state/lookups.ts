/**
 * Which messages of the local log change another one: found in memory, or asked for (not-loaded.ts). Whoever reads a
 * message asks only where it may have been changed before it was here.
 */
import { equalBytes, type Target } from '@0fc/protocol';
import { targetKey } from '../../vault/content.js';
import type { SenderRecord, StoredMessage } from '../../vault/records.js';
import { NotLoaded } from './not-loaded.js';
import type { FoundEffect } from './record-index.js';
import type { Tables } from './tables.js';

/**
 * Messages that name `target` as what they change, whoever sent them, in the order of the log. It costs as much as there
 * are of them, and not as the log is long. Throws NotLoaded.
 */
export function effectsOn(
  { log, sought, effects }: Pick<Tables, 'log' | 'sought' | 'effects'>,
  target: Target,
): readonly FoundEffect[] {
  const key = targetKey(target);
  const before = log.loaded === log.first ? [] : sought.effects.get(key);
  if (before === undefined) throw new NotLoaded({ kind: 'effects', ...target });
  // Throws for one that has left memory since it was looked up.
  for (const index of before) if (index < log.loaded) log.at(index);
  return effects.get(key) ?? [];
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
