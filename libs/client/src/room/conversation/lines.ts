/**
 * Lines of a conversation: what stands in it as a message of its own, as far as the log in memory and the outbox
 * tell (docs/protocol.md section 6).
 */
import type { AnyContent, Bytes, Content, MemberId, Position, Target } from '@0fc/protocol';
import { Annotations } from './annotations.js';
import { messageIdOf } from '../log/items.js';
import { knownContent, targetKey } from '../../vault/content.js';
import type { OutboxItem } from '../../vault/records.js';

/** What waits in the outbox sorts after every record. */
const PENDING_ORDER = 2 ** 52;

/** A message that stands in the conversation as one of its own. */
export interface ConversationMessage extends Target {
  readonly key: string;
  /** stable from the outbox on */
  readonly id: string;
  readonly order: number;
  readonly sentAt: number;
  /** its place in the log; null: it waits in the outbox */
  readonly at: { readonly index: number; readonly position: Position } | null;
  /** null: a content of a later version */
  readonly text: string | null;
  readonly replyTo: Target | null;
  /** of this member, lost by the relay and not sent again by itself (G18): entries of the chain when it was written */
  readonly lost: number | null;
  /** it came after messages that its sender wrote later */
  readonly late: boolean;
  /** nobody but the owner has said what of its sender came before it */
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

/** What the outbox holds, over the log: made anew when that changes. */
export class UnsentLines {
  readonly fold = new Annotations();
  readonly byKey = new Map<string, ConversationMessage>();
  readonly byId = new Map<string, ConversationMessage>();
  /** messages of the log that are sent once more */
  readonly resent = new Set<string>();
  /** messages that something here changes */
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
    const changed = content === null ? null : this.fold.apply({ ...item, order }, content);
    if (changed !== null) this.changed.add(changed);
  }
}

interface Message extends Target {
  readonly mid: Bytes;
  readonly sentAt: number;
  readonly content: AnyContent;
  readonly lost?: number;
  readonly late?: true;
  readonly orderUnknown?: true;
}

/** Null for what is no message of its own: an edit, a reaction, a name, a marker. */
export function conversationMessage(
  item: Message,
  content: Content | null,
  order: number,
  at: ConversationMessage['at'],
): ConversationMessage | null {
  if (content !== null && content.type !== 'text' && content.type !== 'reply') return null;
  const { sender, instance, n, mid, sentAt } = item;
  const key = targetKey(item);
  const text = content?.text ?? null;
  const replyTo = content?.type === 'reply' ? content.to : null;
  const { lost = null, late = false, orderUnknown = false } = item;
  const id = messageIdOf(sender, mid);
  return { sender, instance, n, key, id, order, sentAt, at, text, replyTo, lost, late, orderUnknown };
}

/** Nearly always at the end: only a message whose key came late stands further up. */
function insert(sorted: ConversationMessage[], message: ConversationMessage): void {
  const after = sorted.findLastIndex(({ order }) => order < message.order);
  sorted.splice(after + 1, 0, message);
}
