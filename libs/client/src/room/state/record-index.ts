/** Lookups over the records of the log: by position, by message, and by what they change; and their entries in the vault. */
import type { Bytes, Position, Target } from '@0fc/protocol';
import { knownContent, targetKey } from '../../vault/content.js';
import { STORES, type LogRecord, type MessageIndex, type StoredMessage } from '../../vault/records.js';

export interface Table<K, V> extends ReadonlyMap<K, V> {
  set(key: K, value: V): unknown;
  delete(key: K): unknown;
}

/** Of the records that are in memory. */
export interface RecordIndex {
  /** by position */
  readonly transcripts: Table<string, Bytes>;
  /** messages, by sender, instance and counter */
  readonly messages: Table<string, MessageIndex>;
  /** what changes other messages, by these */
  readonly effects: Table<string, readonly FoundEffect[]>;
}

export const positionKey = ({ g, s }: Position): string => `${String(g)}/${String(s)}`;

/** A message of the log that edits, deletes or reacts to another one. */
export interface FoundEffect {
  /** of its record */
  readonly index: number;
  readonly item: StoredMessage;
  readonly target: Target;
}

/** Contents that change another message; told by their type alone, which most messages have not. */
const EFFECTS: ReadonlySet<string> = new Set(['edit', 'delete', 'reaction']);

/** What the messages of a record change of others. The content of each is parsed: whoever needs it often keeps it. */
export function effectsIn({ index, items }: LogRecord): readonly FoundEffect[] {
  return items.flatMap((item): readonly FoundEffect[] => {
    if (item.type !== 'message' || !EFFECTS.has(item.content.type)) return [];
    const content = knownContent(item.content);
    return content !== null && 'to' in content ? [{ index, item, target: content.to }] : [];
  });
}

/** An entry of one of the two indexes; `gone`: that is there no longer. */
export type IndexEntry =
  | { readonly store: typeof STORES.messages; readonly target: Target; readonly at: MessageIndex }
  | {
      readonly store: typeof STORES.effects;
      readonly target: Target;
      readonly index: number;
      readonly gone?: true;
    };

/** Most messages of a replaced record are indexed already; of two with one key the older one counts. */
export const isIndexed = (
  { messages }: Pick<RecordIndex, 'messages'>,
  { target, at }: Pick<Extract<IndexEntry, { store: typeof STORES.messages }>, 'target' | 'at'>,
): boolean => (messages.get(targetKey(target))?.index ?? Infinity) <= at.index;

/** Index entries of a record: for its messages, and for those that they change. */
export function indexEntries(record: LogRecord): readonly IndexEntry[] {
  const { index, items } = record;
  const own = items.flatMap((item): readonly IndexEntry[] => {
    if (item.type !== 'message') return [];
    const { sender, instance, n, mid } = item;
    return [{ store: STORES.messages, target: { sender, instance, n }, at: { index, mid } }];
  });
  const changed = effectsIn(record).map(({ target }) => ({ store: STORES.effects, target, index }) as const);
  return [...own, ...changed];
}

/** Adds a record to the lookups by position, by message, and by what it changes. Idempotent. */
export function indexRecord(tables: RecordIndex, record: LogRecord): void {
  const { transcripts, messages } = tables;
  const { index, at, items } = record;
  indexEffects(tables, record, effectsIn(record));
  if (at !== null) transcripts.set(positionKey(at.position), at.t);
  for (const item of items) {
    if (item.type !== 'message') continue;
    const entry = { target: item, at: { index, mid: item.mid } };
    if (!isIndexed({ messages }, entry)) messages.set(targetKey(item), entry.at);
  }
}

/** A record has left memory. */
export function forgetRecord(tables: RecordIndex, record: LogRecord): void {
  const { transcripts, messages } = tables;
  const { at, items } = record;
  indexEffects(tables, record, []);
  if (at !== null) transcripts.delete(positionKey(at.position));
  for (const item of items) if (item.type === 'message') messages.delete(targetKey(item));
}

/** Has the effects of one record in the lookup be those that it has now; `record`: as the lookup has it, or as it is. */
export function indexEffects({ effects }: RecordIndex, record: LogRecord, now: readonly FoundEffect[]): void {
  const { index } = record;
  for (const { target } of now.length > 0 ? now : effectsIn(record)) {
    const key = targetKey(target);
    const known = effects.get(key) ?? [];
    const here = now.filter((effect) => targetKey(effect.target) === key);
    const newest = (known.at(-1)?.index ?? -1) < index;
    const found = newest
      ? [...known, ...here]
      : [
          ...known.filter((effect) => effect.index < index),
          ...here,
          ...known.filter((effect) => effect.index > index),
        ];
    if (found.length === 0) effects.delete(key);
    else effects.set(key, found);
  }
}
