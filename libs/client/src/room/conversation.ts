/**
 * The conversation of a room: what its log says, and what waits in the outbox, folded
 * together (docs/protocol.md section 6). It follows the log record by record, so that a
 * new message costs the same in a conversation of ten thousand.
 */
import { comparePositions, type AnyContent, type Bytes, type Content, type MemberId, type Position, type Target } from '@0fc/protocol'; // prettier-ignore
import { Fold, targetKey, type Fate } from './fold.js';
import { knownContent, messageIdOf } from './log/items.js';
import type { LogRecord, OutboxItem, StoredItem, StoredMessage } from './state/records.js';
import type { RoomState } from './state/state.js';

/** Items of one log record sort behind it and before the next. */
export const ITEMS_PER_RECORD = 16;
/** Beyond every position that can have been read. */
const NOWHERE: Position = { g: Number.MAX_SAFE_INTEGER, s: 0 };
/** What waits in the outbox sorts after every record. */
const PENDING_ORDER = 2 ** 52;

/** A message that stands in the conversation as one of its own. */
export interface Said extends Target {
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
}

export class Conversation {
  readonly #state: RoomState;
  readonly #fold = new Fold();
  readonly #byKey = new Map<string, Said>();
  readonly #byId = new Map<string, Said>();
  /** in the log's order */
  readonly #said: Said[] = [];
  /** keys of the replies to a message */
  readonly #replies = new Map<string, Set<string>>();
  readonly #markers = new Map<MemberId, Position>();
  /** messages of others from `readIndex` on */
  readonly #unread = new Map<string, number>();
  /** unsettled alarms by record */
  readonly #alarms = new Map<number, number>();
  #next = 0;
  readonly #removed: string[] = [];
  /** records that a write has added or replaced since the last time */
  readonly #touched = new Set<number>();
  #dirty = new Set<number>();
  #waiting: Waiting = new Waiting([]);

  constructor(state: RoomState) {
    this.#state = state;
    state.watch((indexes) => {
      for (const index of indexes) this.#touched.add(index);
    });
  }

  /** Takes in what the log and the outbox have got since the last time. */
  follow(): void {
    const { log } = this.#state;
    for (const index of this.#touched) {
      this.#dirty.add(index);
      const record = log.at(index);
      if (record !== undefined && index < this.#next) this.#take(record);
    }
    this.#touched.clear();
    for (const record of log.oldestFirst(this.#next)) this.#take(record);
    this.#next = log.end;
    this.#followOutbox();
  }

  /** Records to show again since this was asked last. */
  takeDirty(): ReadonlySet<number> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    return dirty;
  }

  /** Ids of lines that are shown no more since this was asked last. */
  takeRemoved(): readonly string[] {
    return this.#removed.splice(0);
  }

  find(id: string): Said | null {
    return this.#byId.get(id) ?? this.#waiting.byId.get(id) ?? null;
  }

  /** The message that a content points at; null: not here, or none of its own. */
  target(target: Target): Said | null {
    const key = targetKey(target);
    return this.#byKey.get(key) ?? this.#waiting.byKey.get(key) ?? null;
  }

  fateOf(said: Said): Fate {
    return this.#fold.fate(said.key, this.#waiting.fold);
  }

  /** Messages that wait in the outbox and have never been in the log. */
  get pending(): readonly Said[] {
    return [...this.#waiting.byKey.values()];
  }

  /** It waits in the outbox: for the first time, or again because the relay has lost it. */
  isWaiting(said: Said): boolean {
    return said.at === null || this.#waiting.again.has(said.key);
  }

  /** What waits in the outbox of a line of this member: the line itself, and edits of it. */
  itemsOf(said: Said): readonly OutboxItem[] {
    if (said.sender !== this.#state.core.me) return [];
    return [...this.#state.outbox.values()].filter((item) => {
      if (messageIdOf(said.sender, item.mid) === said.id) return true;
      const content = item.content.type === 'edit' ? knownContent(item.content) : null;
      return content?.type === 'edit' && targetKey(content.to) === said.key;
    });
  }

  /** Members that have read it, its sender and this one left out. */
  readersOf(said: Said): readonly MemberId[] {
    const { at } = said;
    if (at === null) return [];
    const { me } = this.#state.core;
    return [...this.#markers].flatMap(([member, position]) =>
      member !== me && member !== said.sender && comparePositions(at.position, position) <= 0 ? [member] : [],
    );
  }

  /** The newest message that is not deleted and can be read; null for none. */
  last(): Said | null {
    const readable = (said: Said): boolean => said.text !== null && !this.fateOf(said).deleted;
    return this.pending.findLast(readable) ?? this.#said.findLast(readable) ?? null;
  }

  /** The newest message of another member in the records before `index`. */
  newestOfOthers(index: number): Said | null {
    const { me } = this.#state.core;
    return (
      this.#said.findLast((said) => said.sender !== me && said.at !== null && said.at.index < index) ?? null
    );
  }

  unread(): number {
    const { readIndex } = this.#state.core;
    for (const [key, index] of this.#unread) if (index < readIndex) this.#unread.delete(key);
    return this.#unread.size;
  }

  alarms(): number {
    let sum = 0;
    for (const count of this.#alarms.values()) sum += count;
    return sum;
  }

  #take(record: LogRecord): void {
    const alarms = record.items.filter((item) => item.type === 'alarm' && !isSettled(item)).length;
    if (alarms > 0) this.#alarms.set(record.index, alarms);
    else this.#alarms.delete(record.index);
    // A line that was given up stands in no log: nobody can have read it.
    const position = record.at?.position ?? NOWHERE;
    for (const [at, item] of record.items.entries()) {
      if (item.type === 'message') this.#takeMessage(record.index, position, at, item);
    }
  }

  #takeMessage(index: number, position: Position, at: number, item: StoredMessage): void {
    const known = this.#byKey.get(targetKey(item));
    if (known !== undefined) {
      const { lost = null } = item;
      if (known.lost !== null && item.content.type === 'void') this.#remove(known);
      else if (known.lost !== lost) this.#markLost(known, lost);
      return;
    }
    const content = knownContent(item.content);
    const order = index * ITEMS_PER_RECORD + at;
    if (content?.type === 'readMarker') this.#takeMarker(item.sender, earlier(content.position, position));
    const said = saidOf(item, content, order, { index, position });
    if (said !== null) this.#say(said);
    const changed = content === null ? null : this.#fold.add({ ...item, order }, content);
    if (changed !== null) this.#showAgain(changed);
  }

  /** A lost line that was sent again: another stands for it. */
  #remove(said: Said): void {
    this.#byKey.delete(said.key);
    this.#byId.delete(said.id);
    const at = this.#said.indexOf(said);
    if (at >= 0) this.#said.splice(at, 1);
    this.#removed.push(said.id);
  }

  #markLost(said: Said, lost: number | null): void {
    const changed = { ...said, lost };
    this.#byKey.set(said.key, changed);
    this.#byId.set(said.id, changed);
    const at = this.#said.indexOf(said);
    if (at >= 0) this.#said[at] = changed;
  }

  #say(message: Said): void {
    const { me, readIndex } = this.#state.core;
    const taken = this.#byId.get(message.id);
    // A sender that gives one mid to two messages still gets two lines.
    const said = taken === undefined ? message : { ...message, id: `${message.id}.${String(message.n)}` };
    this.#byKey.set(said.key, said);
    this.#byId.set(said.id, said);
    insert(this.#said, said);
    const { index } = said.at ?? { index: 0 };
    if (said.sender !== me && index >= readIndex && !this.fateOf(said).deleted)
      this.#unread.set(said.key, index);
    if (said.replyTo !== null) {
      const target = targetKey(said.replyTo);
      this.#replies.set(target, (this.#replies.get(target) ?? new Set()).add(said.key));
    }
    for (const reply of this.#replies.get(said.key) ?? []) this.#showRecord(reply);
  }

  #takeMarker(member: MemberId, position: Position): void {
    const before = this.#markers.get(member);
    if (before !== undefined && comparePositions(position, before) <= 0) return;
    this.#markers.set(member, position);
    for (let at = this.#said.length - 1; at >= 0; at--) {
      const place = this.#said[at]?.at ?? null;
      if (place === null || (before !== undefined && comparePositions(place.position, before) <= 0)) break;
      if (comparePositions(place.position, position) <= 0) this.#dirty.add(place.index);
    }
  }

  /** Something has changed a message: it is shown again, with the replies that quote it. */
  #showAgain(key: string): void {
    if (this.#unread.has(key) && this.#fold.fate(key).deleted) this.#unread.delete(key);
    this.#showRecord(key);
    for (const reply of this.#replies.get(key) ?? []) this.#showRecord(reply);
  }

  #showRecord(key: string): void {
    const at = this.#byKey.get(key)?.at ?? null;
    if (at !== null) this.#dirty.add(at.index);
  }

  #followOutbox(): void {
    const { outbox, core } = this.#state;
    const items = [...outbox.values()].sort((a, b) => a.n - b.n);
    if (this.#waiting.isOf(items)) return;
    const before = this.#waiting;
    this.#waiting = new Waiting(items);
    for (const item of items) {
      const message = { ...item, sender: core.me, sentAt: item.made };
      // By its id too: after an import it waits under another counter than the log has it.
      const known = this.#byKey.get(targetKey(message)) ?? this.#byId.get(messageIdOf(core.me, item.mid));
      if (known !== undefined) this.#waiting.again.add(known.key);
      else if (this.#state.midOf(core.me, item.instance, item.n) === null) this.#waiting.add(message);
    }
    for (const waiting of [before, this.#waiting]) {
      for (const key of waiting.changed) this.#showAgain(key);
      for (const key of waiting.again) this.#showRecord(key);
    }
  }
}

/** What the outbox holds, over the log: made anew when that changes. */
class Waiting {
  readonly fold = new Fold();
  readonly byKey = new Map<string, Said>();
  readonly byId = new Map<string, Said>();
  /** messages of the log that are sent once more */
  readonly again = new Set<string>();
  /** messages that something here changes */
  readonly changed = new Set<string>();
  readonly #items: readonly OutboxItem[];

  constructor(items: readonly OutboxItem[]) {
    this.#items = items;
  }

  isOf(items: readonly OutboxItem[]): boolean {
    const same = (item: OutboxItem, at: number): boolean =>
      this.#items[at]?.mid === item.mid && this.#items[at].content === item.content;
    return items.length === this.#items.length && items.every(same);
  }

  add(item: Message): void {
    const content = knownContent(item.content);
    const order = PENDING_ORDER + item.n;
    const said = saidOf(item, content, order, null);
    if (said !== null) {
      this.byKey.set(said.key, said);
      this.byId.set(said.id, said);
    }
    const changed = content === null ? null : this.fold.add({ ...item, order }, content);
    if (changed !== null) this.changed.add(changed);
  }
}

interface Message extends Target {
  readonly mid: Bytes;
  readonly sentAt: number;
  readonly content: AnyContent;
  readonly lost?: number;
  readonly late?: true;
}

/** Null for what is no message of its own: an edit, a reaction, a name, a marker. */
function saidOf(item: Message, content: Content | null, order: number, at: Said['at']): Said | null {
  if (content !== null && content.type !== 'text' && content.type !== 'reply') return null;
  const { sender, instance, n, mid, sentAt } = item;
  const key = targetKey(item);
  const text = content?.text ?? null;
  const replyTo = content?.type === 'reply' ? content.to : null;
  const { lost = null, late = false } = item;
  const id = messageIdOf(sender, mid);
  return { sender, instance, n, key, id, order, sentAt, at, text, replyTo, lost, late };
}

/** A loss of which everything is back. */
export function isSettled({ code, numbers }: Extract<StoredItem, { type: 'alarm' }>): boolean {
  const { from = 0, to = 0, restored = 0 } = numbers;
  return code === 'ALARM_RELAY_LOST' && restored > to - from;
}

const earlier = (a: Position, b: Position): Position => (comparePositions(a, b) <= 0 ? a : b);

/** Nearly always at the end: only a message whose key came late stands further up. */
function insert(sorted: Said[], said: Said): void {
  const after = sorted.findLastIndex(({ order }) => order < said.order);
  sorted.splice(after + 1, 0, said);
}
