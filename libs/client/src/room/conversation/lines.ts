/**
 * The lines of a conversation: messages that are shown as a row of their own, from the part of the log in memory, from
 * the records before it, and from the outbox (docs/protocol.md section 6).
 */
import type { AnyContent, Bytes, Content, MemberId, Position, Target } from '@0fc/protocol';
import { Annotations } from './annotations.js';
import { knownContent, messageIdOf, targetKey } from '../../vault/content.js';
import type { OutboxItem, LogRecord, StoredMessage } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';

/** Items of the outbox sort after every record. */
const PENDING_ORDER = 2 ** 52;

/** A message that is a line of the conversation. */
export interface ConversationMessage extends Target {
  readonly key: string;
  /** stable from the outbox on */
  readonly id: string;
  readonly order: number;
  readonly sentAt: number;
  /** its index and position in the log; null: it waits in the outbox */
  readonly at: { readonly index: number; readonly position: Position } | null;
  /** null: a content of a later version */
  readonly text: string | null;
  readonly replyTo: Target | null;
  /** its sender has deleted it, and nothing of what it said is kept */
  readonly deleted: boolean;
  /** `text` is that of an edit: what it said first is not kept */
  readonly edited: boolean;
  /**
   * of this member, lost by the relay and not resent automatically (G18): number of entries of the chain when it was
   * written
   */
  readonly lost: number | null;
  /** received after messages that its sender wrote later */
  readonly late: boolean;
  /** the epoch before its message's own, for whose members alone it was sent again; null: it was not (G18) */
  readonly again: number | null;
  /** only the owner claims what its sender wrote before it */
  readonly orderUnknown: boolean;
}

/** Messages of the log, as far as they are known. */
export class ConversationLines {
  readonly annotations = new Annotations();
  readonly byKey = new Map<string, ConversationMessage>();
  readonly byId = new Map<string, ConversationMessage>();
  /** of the window, in the log's order */
  readonly messages: ConversationMessage[] = [];
  /** keys of the replies to a message */
  readonly replies = new Map<string, Set<string>>();
  readonly markers = new Map<MemberId, Position>();

  addLine(message: ConversationMessage, far: boolean): void {
    this.byKey.set(message.key, message);
    this.byId.set(message.id, message);
    if (!far) insert(this.messages, message);
    if (message.replyTo === null) return;
    const target = targetKey(message.replyTo);
    this.replies.set(target, (this.replies.get(target) ?? new Set()).add(message.key));
  }

  replace(message: ConversationMessage): void {
    this.byKey.set(message.key, message);
    this.byId.set(message.id, message);
    const at = this.messages.findIndex(({ key }) => key === message.key);
    if (at >= 0) this.messages[at] = message;
  }

  remove(message: ConversationMessage): void {
    this.byKey.delete(message.key);
    this.byId.delete(message.id);
    const at = this.messages.findIndex(({ key }) => key === message.key);
    if (at >= 0) this.messages.splice(at, 1);
  }
}

/** Messages and effects of the outbox, over those of the log: built again whenever the outbox changes. */
export class UnsentLines {
  readonly annotations = new Annotations();
  readonly byKey = new Map<string, ConversationMessage>();
  readonly byId = new Map<string, ConversationMessage>();
  /** keys of messages of the log that are being resent */
  readonly resent = new Set<string>();
  /** keys of messages that an item of the outbox changes */
  readonly changed = new Set<string>();
  readonly #items: readonly OutboxItem[];
  /** counters of what waits, by the id of a line and by the key of what an edit is of */
  readonly #counters = new Map<string, number[]>();

  constructor(items: readonly OutboxItem[], me: MemberId) {
    this.#items = items;
    for (const item of items) {
      this.#count(messageIdOf(me, item.mid), item.n);
      const content = item.content.type === 'edit' ? knownContent(item.content) : null;
      if (content?.type === 'edit') this.#count(targetKey(content.to), item.n);
    }
  }

  #count(name: string, n: number): void {
    const known = this.#counters.get(name);
    if (known === undefined) this.#counters.set(name, [n]);
    else known.push(n);
  }

  /** Counters of a line that waits, and of edits of it. */
  countersOf({ id, key }: ConversationMessage): readonly number[] {
    return [...(this.#counters.get(id) ?? []), ...(this.#counters.get(key) ?? [])];
  }

  isOf(items: readonly OutboxItem[]): boolean {
    const same = (item: OutboxItem, at: number): boolean =>
      this.#items[at]?.mid === item.mid && this.#items[at].content === item.content;
    return items.length === this.#items.length && items.every(same);
  }

  add(item: Message): void {
    const content = knownContent(item.content);
    const order = PENDING_ORDER + item.n;
    const message = conversationMessage(item, content, order, null);
    if (message !== null) {
      this.byKey.set(message.key, message);
      this.byId.set(message.id, message);
    }
    const changed = content === null ? null : this.annotations.apply({ ...item, order }, content);
    if (changed !== null) this.changed.add(changed);
  }
}

interface Message extends Target {
  readonly mid: Bytes;
  readonly sentAt: number;
  readonly content: AnyContent;
  readonly deleted?: true;
  readonly lost?: number;
  readonly late?: true;
  readonly again?: number;
  readonly orderUnknown?: true;
}

/** Null for a content that is no line: an edit, a reaction, a name, a read marker. */
export function conversationMessage(
  item: Message,
  content: Content | null,
  order: number,
  at: ConversationMessage['at'],
): ConversationMessage | null {
  const { sender, instance, n, mid, sentAt, deleted = false } = item;
  const line = content?.type === 'text' || content?.type === 'reply' ? content : null;
  if (line === null && content !== null && !deleted) return null;
  const key = targetKey(item);
  const text = line?.text ?? null;
  const edited = line?.edited ?? false;
  const replyTo = line?.type === 'reply' ? line.to : null;
  const { lost = null, late = false, again, orderUnknown = false } = item;
  const id = messageIdOf(sender, mid);
  const inside = at === null ? null : (again ?? null);
  return {
    sender, instance, n, key, id, order, sentAt, at, text, replyTo, deleted, edited, lost, late, again: inside, orderUnknown,
  }; // prettier-ignore
}

/** Nearly always appended: only a message whose key came late goes further up. */
function insert(sorted: ConversationMessage[], message: ConversationMessage): void {
  const after = sorted.findLastIndex(({ order }) => order < message.order);
  sorted.splice(after + 1, 0, message);
}

/** Records that are read at once. */
const STEP = 512;

/**
 * Messages before an index and before the window, newest first, without keeping them in memory. Rejects as the vault does.
 */
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
