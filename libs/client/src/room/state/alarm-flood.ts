/**
 * Records without end. A relay may bring about as many as it likes: alarms, ranges that it says it has trimmed,
 * generations. Each is stored and shown; from a certain number in a row on, those of one kind are counted in the
 * last of them, with the positions of the first and the last, and take no more room in the vault
 * (docs/protocol.md section 6).
 */
import { ALARM_CODES } from '@0fc/protocol';
import type { LogView } from './log-table.js';
import type { LogRecord, StoredItem } from './records.js';

/** Records of one kind in a row that stand by themselves. */
export const ALARMS_APART = 8;
/** Records that are looked back over: what shows nothing, such as a repetition, ends no row. */
const LOOK_BACK = 512;

export interface Counted {
  /** of the record that counts it */
  readonly index: number;
  readonly items: readonly StoredItem[];
}

/** What the relay alone may have brought about, beside alarms. */
const OF_THE_RELAY = 'missed';

/** A line that somebody has made, after which a row begins anew. */
const endsRow = (item: StoredItem): boolean =>
  item.type === 'message' ||
  item.type === 'sealed' ||
  (item.type === 'system' && item.event !== OF_THE_RELAY);

/** The records of the row that is going on, newest first. */
function* row(log: LogView): Iterable<LogRecord> {
  for (const record of log.newestFirst()) {
    if (record.index < log.end - LOOK_BACK || record.items.some(endsRow)) return;
    yield record;
  }
}

type Countable = Extract<StoredItem, { type: 'alarm' | 'system' }>;

/** The only item of a record, where that is of a kind that is counted. */
function countable(items: readonly StoredItem[]): Countable | null {
  const [item] = items;
  if (items.length !== 1 || item === undefined) return null;
  return item.type === 'alarm' || (item.type === 'system' && item.event === OF_THE_RELAY) ? item : null;
}

/**
 * What is counted together. A fork is shown once a sender and so bounded by the roster: each keeps its own name.
 * Of all other alarms the relay may invent the member.
 */
function sameKind(a: Countable, b: Countable): boolean {
  if (a.type === 'system' || b.type === 'system')
    return a.type === 'system' && b.type === 'system' && a.event === b.event;
  return a.code === b.code && (a.code !== ALARM_CODES.ALARM_FORK || a.member === b.member);
}

/** Where an item goes that is one of many; null: it stands by itself. `s`: its position in the log. */
export function countedIn(log: LogView, items: readonly StoredItem[], s: number): Counted | null {
  const item = countable(items);
  if (item === null) return null;
  const alike = [...row(log)].filter((record) => {
    const other = countable(record.items);
    return other !== null && sameKind(other, item);
  });
  const [last] = alike;
  const known = last === undefined ? null : countable(last.items);
  if (last === undefined || known === null || alike.length < ALARMS_APART) return null;
  return {
    index: last.index,
    items: [isMissed(item) ? widened(known, item) : oneMore(known, last, s)],
  };
}

const isMissed = (item: Countable): boolean => item.type === 'system' && item.event === OF_THE_RELAY;

function oneMore(known: Countable, last: LogRecord, s: number): StoredItem {
  const { times = 1, from = s, position = from, first = last.at?.position.s ?? position } = known.numbers;
  return { ...known, numbers: { ...known.numbers, times: times + 1, first, last: s } };
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
 * Index of the record that the start of a generation goes into, where it is one of many with no entry of the log
 * between; null: it gets a record of its own.
 */
export function generationSlot(log: LogView): number | null {
  const placed = [...row(log)].filter(({ at }) => at !== null);
  const [newest] = placed;
  const starts = placed.filter(({ at }) => at?.relayed === null);
  return newest?.at?.relayed === null && starts.length >= ALARMS_APART ? newest.index : null;
}
