/** What is counted of the log, so that no summary has to read it (docs/protocol.md section 9). */
import { ALARM_CODES, type MemberId } from '@0fc/protocol';
import { knownContent } from './content.js';
import type { LogRecord, StoredItem } from './records.js';

export interface Counts {
  /** alarms that are not settled */
  readonly alarms: number;
  /** lines of other members */
  readonly others: number;
  /** messages that wait for their key */
  readonly sealed: number;
  /** entries that were shown as missed */
  readonly missed: number;
}

const NOTHING: Counts = { alarms: 0, others: 0, sealed: 0, missed: 0 };

/** A loss of which everything is back. */
export function isSettled({ code, numbers }: Extract<StoredItem, { type: 'alarm' }>): boolean {
  const { from = 0, to = 0, restored = 0 } = numbers;
  return code === 'ALARM_RELAY_LOST' && restored > to - from;
}

/** A record that cannot be read, of which only its place is known (load.ts). */
export const isDamaged = ({ at, items: [item] }: LogRecord): boolean =>
  at === null && item?.type === 'alarm' && item.code === ALARM_CODES.ALARM_RECORD_DAMAGED;

/** Whether a content is a line of its own, which this client can show or not. */
export function isLine(content: unknown): boolean {
  const type = knownContent(content)?.type;
  return type === undefined || type === 'text' || type === 'reply';
}

/** `me`: whose lines are not others'. */
export function countsOf(record: LogRecord | undefined, me: MemberId): Counts {
  if (record === undefined) return NOTHING;
  let { alarms, others, sealed, missed } = NOTHING;
  for (const item of record.items) {
    if (item.type === 'alarm' && !isSettled(item)) alarms += 1;
    if (item.type === 'sealed') sealed += 1;
    if (item.type === 'message' && item.sender !== me && isLine(item.content)) others += 1;
    if (item.type === 'system' && item.event === 'missed') {
      const { from = 0, to = -1 } = item.numbers;
      missed += Math.max(0, to - from + 1);
    }
  }
  return { alarms, others, sealed, missed };
}

/** What `now` counts more than `before`. */
export const moreThan = (now: Counts, before: Counts): Counts => ({
  alarms: now.alarms - before.alarms,
  others: now.others - before.others,
  sealed: now.sealed - before.sealed,
  missed: now.missed - before.missed,
});
