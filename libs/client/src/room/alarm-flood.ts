/**
 * Alarms without end. A relay may bring about as many as it likes, and each is stored and shown: from a
 * certain number in a row on, those of one code are counted in the last of them, with the places of the
 * first and the last, and take no more room in the vault (docs/protocol.md section 6).
 */
import type { LogRecord, StoredItem } from './records.js';

/** Alarms of one code in a row that stand by themselves. */
export const ALARMS_APART = 8;
/** Records that are looked back over: what shows nothing, such as a repetition, ends no row. */
const LOOK_BACK = 512;

export interface Counted {
  /** of the record that counts it */
  readonly index: number;
  readonly items: readonly StoredItem[];
}

/** A line that somebody has made, after which a row begins anew; what is missed the relay alone may have made. */
const endsRow = (item: StoredItem): boolean =>
  item.type === 'message' || item.type === 'sealed' || (item.type === 'system' && item.event !== 'missed');

const onlyAlarm = (items: readonly StoredItem[]) => {
  const [item] = items;
  return items.length === 1 && item?.type === 'alarm' ? item : null;
};

/** Where an alarm goes that is one of many; null: it stands by itself. `s`: its place in the log. */
export function countedIn(
  log: readonly LogRecord[],
  items: readonly StoredItem[],
  s: number,
): Counted | null {
  const alarm = onlyAlarm(items);
  if (alarm === null) return null;
  let apart = 0;
  let last: LogRecord | null = null;
  for (let at = log.length - 1; at >= Math.max(0, log.length - LOOK_BACK); at--) {
    const record = log[at];
    if (record === undefined || record.items.some(endsRow)) break;
    if (onlyAlarm(record.items)?.code !== alarm.code) continue;
    apart += 1;
    last ??= record;
  }
  const known = last === null ? null : onlyAlarm(last.items);
  if (last === null || known === null || apart < ALARMS_APART) return null;
  const { times = 1, from = s, position = from, first = last.at?.position.s ?? position } = known.numbers;
  return {
    index: last.index,
    items: [{ ...known, numbers: { ...known.numbers, times: times + 1, first, last: s } }],
  };
}
