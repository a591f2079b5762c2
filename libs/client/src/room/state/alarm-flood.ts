/**
 * Bounds floods of records. A relay can cause any number of alarms, trimmed ranges and generations, and an owner any
 * number of rotations. Each is stored and shown; after a certain number in a row, further ones of a kind are counted
 * in the last record, with the positions of the first and the last (docs/protocol.md section 6). What the relay alone
 * may have caused takes no further space in the vault; a counted rotation keeps a record that shows nothing.
 */
import { ALARM_CODES } from '@0fc/protocol';
import type { LogView } from './log-table.js';
import type { LogRecord, StoredItem } from '../../vault/records.js';

/** Number of records of one kind in a row that are shown by themselves. */
export const ALARMS_APART = 8;
/** Number of records that are searched: records that show nothing, such as a repetition, end no row. */
const LOOK_BACK = 512;

export interface Counted {
  /** index of the record that counts the items */
  readonly index: number;
  readonly items: readonly StoredItem[];
}

/** Events that are counted, beside alarms: a relay alone can cause them, or an owner without end. */
const COUNTED: ReadonlySet<string> = new Set(['missed', 'rotated', 'rotatedCold', 'prekeyBehind']);

/** An item of any other kind ends the row. */
const endsRow = (item: StoredItem): boolean =>
  item.type === 'message' || item.type === 'sealed' || (item.type === 'system' && !COUNTED.has(item.event));

/** The records of the current row, newest first. `newest`: index of the first to look at. Throws NotLoaded. */
function* row(log: LogView, newest: number): Iterable<LogRecord> {
  for (let index = newest; index > newest - LOOK_BACK; index--) {
    const record = log.at(index);
    if (record === undefined || record.items.some(endsRow)) return;
    yield record;
  }
}

type Countable = Extract<StoredItem, { type: 'alarm' | 'system' }>;

/** The items of a record, if it has any and all are of a counted kind; else null. */
function countable(items: readonly StoredItem[]): readonly Countable[] | null {
  const found = items.flatMap((item): readonly Countable[] =>
    item.type === 'alarm' || (item.type === 'system' && COUNTED.has(item.event)) ? [item] : [],
  );
  return items.length > 0 && found.length === items.length ? found : null;
}

/**
 * Whether two items are counted together. A fork is shown once for each sender and epoch: each keeps its sender, and
 * the roster bounds them. In all other alarms the relay may invent the member.
 */
function sameKind(a: Countable, b: Countable): boolean {
  if (a.type === 'system' || b.type === 'system')
    return a.type === 'system' && b.type === 'system' && a.event === b.event;
  return a.code === b.code && (a.code !== ALARM_CODES.ALARM_FORK || a.member === b.member);
}

const alikeThroughout = (a: readonly Countable[] | null, b: readonly Countable[]): boolean =>
  a?.length === b.length && b.every((item, at) => a[at] !== undefined && sameKind(a[at], item));

/**
 * The record that counts the items; null: they get a record of their own. `newest`: index of the newest record that
 * shows anything; `s`: position of the items in the log. Throws NotLoaded.
 */
export function countedIn(
  log: LogView,
  items: readonly StoredItem[],
  { newest, s }: { readonly newest: number | null; readonly s: number },
): Counted | null {
  const counted = countable(items);
  if (counted === null || newest === null) return null;
  const alike = [...row(log, newest)].filter((record) => alikeThroughout(countable(record.items), counted));
  const [last] = alike;
  if (last === undefined || alike.length < ALARMS_APART) return null;
  const known = countable(last.items) ?? [];
  return {
    index: last.index,
    items: counted.map((item, at) => {
      const before = known[at] ?? item;
      return isMissed(item) ? widened(before, item) : oneMore(before, item, last, s);
    }),
  };
}

const isMissed = (item: Countable): boolean => item.type === 'system' && item.event === 'missed';

/** The newest rotation is shown: it names the current key. */
function oneMore(known: Countable, item: Countable, last: LogRecord, s: number): StoredItem {
  const { times = 1, from = s, position = from, first = last.at?.position.s ?? position } = known.numbers;
  const shown = item.type === 'system' ? item : known;
  return { ...shown, numbers: { ...shown.numbers, times: times + 1, first, last: s } };
}

/** One range over both. */
function widened(known: Countable, item: Countable): StoredItem {
  const { from = 0, to = 0 } = item.numbers;
  const numbers = {
    from: Math.min(known.numbers.from ?? from, from),
    to: Math.max(known.numbers.to ?? to, to),
  };
  return { ...known, numbers: { ...known.numbers, ...numbers } };
}

/**
 * Index of the record that counts the start of a generation, after several in a row without an entry between; null:
 * it gets a record of its own.
 */
export function generationSlot(log: LogView): number | null {
  const placed = [...row(log, log.end - 1)].filter(({ at }) => at !== null);
  const [newest] = placed;
  const starts = placed.filter(({ at }) => at?.relayed === null);
  return newest?.at?.relayed === null && starts.length >= ALARMS_APART ? newest.index : null;
}
