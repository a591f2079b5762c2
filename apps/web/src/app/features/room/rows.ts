import type { TimelineAlarm, TimelineItem, TimelineMessage, TimelineSystem } from '@0fc/client/api';

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  | { readonly kind: 'unread'; readonly key: string; readonly time: number }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly item: TimelineMessage;
      /** the first of a run by one sender: it carries the name */
      readonly start: boolean;
      /** the last of a run of own messages in the same state: it carries the state */
      readonly end: boolean;
    }
  | { readonly kind: 'system'; readonly key: string; readonly item: TimelineSystem }
  | { readonly kind: 'alarm'; readonly key: string; readonly item: TimelineAlarm };

/** A pause after which a sender's next message carries the name again, in milliseconds. */
const RUN_MS = 5 * 60_000;

function continues(item: TimelineMessage, before: TimelineItem | undefined): boolean {
  return before?.type === 'message' && before.sender === item.sender && item.time - before.time < RUN_MS;
}

function sameState(item: TimelineMessage, after: TimelineItem | undefined): boolean {
  return (
    after?.type === 'message' &&
    after.sender === item.sender &&
    !after.deleted &&
    after.state === item.state &&
    after.readBy === item.readBy
  );
}

type MessageRowData = Extract<Row, { readonly kind: 'message' }>;

/** A row stays the same object while nothing in it changes: what is drawn of it is then not looked at again. */
const drawn = new WeakMap<TimelineMessage, MessageRowData>();

function messageRow(item: TimelineMessage, start: boolean, end: boolean): MessageRowData {
  const before = drawn.get(item);
  if (before?.start === start && before.end === end) return before;
  const row: MessageRowData = { kind: 'message', key: item.id, item, start, end };
  drawn.set(item, row);
  return row;
}

/** The rows of a conversation, with its day separators and the unread line before `unreadFrom`. */
export function rowsOf(
  items: readonly TimelineItem[],
  unreadFrom: TimelineItem | null,
  sameDay: (a: number, b: number) => boolean,
): readonly Row[] {
  const rows: Row[] = [];
  items.forEach((item, index) => {
    const before = items[index - 1];
    const newDay = before === undefined || !sameDay(before.time, item.time);
    const unread = item.id === unreadFrom?.id;
    if (newDay) rows.push({ kind: 'day', key: `day-${item.id}`, time: item.time });
    if (unread) rows.push({ kind: 'unread', key: 'unread', time: item.time });
    if (item.type === 'message') {
      const start = newDay || unread || !continues(item, before);
      rows.push(messageRow(item, start, !sameState(item, items[index + 1])));
    } else if (item.type === 'system') {
      rows.push({ kind: 'system', key: item.id, item });
    } else {
      rows.push({ kind: 'alarm', key: item.id, item });
    }
  });
  return rows;
}
