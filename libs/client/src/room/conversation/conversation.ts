/**
 * The conversation of a room: the messages of its log and of the outbox, folded together (docs/protocol.md section
 * 6). It follows the log record by record, over the window that is in memory. Messages before the window are looked
 * up by key (`prepare`), or loaded.
 */
import { comparePositions, type Content, type MemberId, type Position, type Target } from '@0fc/protocol';
import { DELETED, type MessageAnnotations } from './annotations.js';
import {
  ConversationLines, conversationMessage, messagesBefore, UnsentLines, type ConversationMessage,
} from './lines.js'; // prettier-ignore
import { isLine, knownContent, messageIdOf, targetKey } from '../../vault/content.js';
import { mayBeChangedAhead } from '../state/lookups.js';
import { NotLoaded } from '../state/not-loaded.js';
import {
  ITEMS_PER_RECORD, type LogRecord, type OutboxItem, type StoredMessage,
} from '../../vault/records.js'; // prettier-ignore
import type { RoomState } from '../state/state.js';

/** Number of records in which the newest readable line is searched. */
const LAST_LINE_WITHIN = 4_096;
/** Beyond every position that can have been read. */
const NOWHERE: Position = { g: Number.MAX_SAFE_INTEGER, s: 0 };

export class Conversation {
  readonly #state: RoomState;
  #log = new ConversationLines();
  /** index of the first record of the window, and the one after its last */
  #from = -1;
  #next = 0;
  /**
   * messages before the window that are quoted or changed: by key, the records with the message and with its effects;
   * empty: no such message
   */
  readonly #far = new Map<string, readonly LogRecord[]>();
  /** messages to look up before the window; `late`: only their effects, which may precede them */
  readonly #wanted = new Map<string, { readonly target: Target; readonly late: boolean }>();
  /** the newest line, where it is before the window; undefined: not looked up yet */
  #lastFar: ConversationMessage | null | undefined = undefined;
  readonly #removed: string[] = [];
  /** indexes of records that were added or replaced since the last `sync` */
  readonly #changedIndexes = new Set<number>();
  #dirty = new Set<number>();
  #waiting: UnsentLines;
  /** a message of the outbox may be in the log before the window */
  #unsettled = false;

  constructor(state: RoomState) {
    this.#state = state;
    this.#waiting = new UnsentLines([], state.core.me);
    state.watch((indexes) => {
      for (const index of indexes) this.#changedIndexes.add(index);
    });
  }

  /** Applies the changes of log and outbox since the last call, as far as they are in memory. */
  sync(): void {
    const { log } = this.#state;
    if (log.loaded !== this.#from) this.#resetWindow(log.loaded);
    for (const index of this.#changedIndexes) this.#syncChanged(index);
    this.#changedIndexes.clear();
    for (const record of log.oldestFirst(this.#next)) this.#addRecord(record);
    this.#next = log.end;
    this.#syncOutbox();
  }

  /**
   * As {@link sync}, and looks up quoted and changed messages and the last line where they are before the window.
   * Rejects as the vault does.
   */
  async prepare(): Promise<void> {
    this.sync();
    while (this.#wanted.size > 0) {
      for (const [key, { target, late }] of [...this.#wanted]) {
        this.#wanted.delete(key);
        const found = late ? null : await this.#state.findMessage(target);
        const effects = late ? await this.#state.findEffects(target) : (found?.effects ?? []);
        this.#far.set(key, [...(found === null ? [] : [found.record]), ...effects]);
        this.#addFarRecords(key);
      }
      this.sync();
    }
    await this.#findLast();
  }

  /** The window begins at another record: its content is read again. No line counts as changed by that. */
  #resetWindow(from: number): void {
    const dirty = this.#dirty;
    this.#log = new ConversationLines();
    // Effects on these messages were in the window, which no longer holds them.
    if (from > this.#from) this.#far.clear();
    this.#from = from;
    const known = this.#next;
    this.#next = from;
    this.#lastFar = undefined;
    for (const record of this.#state.log.oldestFirst(from)) {
      if (record.index < known) this.#addRecord(record);
    }
    this.#next = Math.max(from, Math.min(known, this.#state.log.end));
    for (const key of this.#far.keys()) this.#addFarRecords(key);
    this.#dirty = dirty;
    this.#unsettled = true;
  }

  #syncChanged(index: number): void {
    this.#dirty.add(index);
    if (index >= this.#from) {
      const record = this.#state.log.at(index);
      if (record !== undefined && index < this.#next) this.#addRecord(record);
      return;
    }
    for (const [key, records] of this.#far) {
      const message = this.#log.byKey.get(key);
      if (message !== undefined && records.some((record) => record.index === index)) {
        this.#wanted.set(key, { target: message, late: false });
      }
    }
  }

  #addFarRecords(key: string): void {
    for (const record of this.#far.get(key) ?? []) {
      // What is in the window has been read with it.
      if (record.index < this.#from) this.#addRecord(record, key);
    }
    this.#showAgain(key);
  }

  /** The newest line of all, which may lie before many records that are none. */
  async #findLast(): Promise<void> {
    if (this.#newest() !== null) return;
    if (this.#lastFar !== undefined && (this.#lastFar === null || !this.annotationsOf(this.#lastFar).deleted))
      return;
    const { core } = this.#state;
    const from = this.#from;
    this.#lastFar = core.lineIndex === null ? null : await this.#lastLineBefore(core.lineIndex);
    if (from !== this.#from) this.#lastFar = undefined;
  }

  /** The newest line that can be read and is not deleted, from an index on back; null: there is none. */
  async #lastLineBefore(index: number): Promise<ConversationMessage | null> {
    for await (const { record, item } of messagesBefore(this.#state, index + 1)) {
      if (!isLine(item.content)) continue;
      const key = targetKey(item);
      this.#far.set(key, [record, ...(await this.#state.findEffects(item))]);
      this.#addFarRecords(key);
      const message = this.#log.byKey.get(key);
      if (message !== undefined && this.#isReadable(message)) return message;
      this.#far.delete(key);
      // Lines that were deleted one and all are not worth reading a whole history for.
      if (index - record.index > LAST_LINE_WITHIN) break;
    }
    return null;
  }

  /** Looks up a line before the window by its id, which holds no position. */
  async seek(id: string): Promise<void> {
    for await (const { item } of messagesBefore(this.#state, this.#from)) {
      // Of two lines with one nonce the second one's id has its counter behind it.
      if (!`${id}.`.startsWith(`${messageIdOf(item.sender, item.mid)}.`)) continue;
      this.#wanted.set(targetKey(item), { target: item, late: false });
      await this.prepare();
      if (this.find(id) !== null) return;
    }
  }

  /** Returns and clears the records that have to be shown again. */
  drainDirty(): ReadonlySet<number> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    return dirty;
  }

  /** Returns and clears the ids of lines that are no longer shown. */
  drainRemoved(): readonly string[] {
    return this.#removed.splice(0);
  }

  find(id: string): ConversationMessage | null {
    return this.#log.byId.get(id) ?? this.#waiting.byId.get(id) ?? null;
  }

  /** The message that a content targets; null: unknown here, or not a line. */
  target(target: Target): ConversationMessage | null {
    const key = targetKey(target);
    return this.#log.byKey.get(key) ?? this.#waiting.byKey.get(key) ?? null;
  }

  annotationsOf(message: ConversationMessage): MessageAnnotations {
    if (message.deleted) return DELETED;
    return this.#log.annotations.forMessage(message.key, this.#waiting.annotations);
  }

  /** Messages of the outbox that the log has never held. */
  get pending(): readonly ConversationMessage[] {
    return [...this.#waiting.byKey.values()];
  }

  /** The message waits in the outbox: not sent yet, or requeued after a loss. */
  isWaiting(message: ConversationMessage): boolean {
    return message.at === null || this.#waiting.resent.has(message.key);
  }

  /** Items of the outbox for a line of this member: the line itself, and edits of it. */
  itemsOf(message: ConversationMessage): readonly OutboxItem[] {
    const { core, outbox } = this.#state;
    if (message.sender !== core.me) return [];
    return this.#waiting.countersOf(message).flatMap((n) => outbox.get(n) ?? []);
  }

  /** Members that have read it, without its sender and this member. */
  readersOf({ at, sender }: ConversationMessage): readonly MemberId[] {
    if (at === null) return [];
    const { me } = this.#state.core;
    return [...this.#log.markers].flatMap(([member, position]) =>
      member !== me && member !== sender && comparePositions(at.position, position) <= 0 ? [member] : [],
    );
  }

  /** The newest message that is not deleted and can be read; null for none. */
  last(): ConversationMessage | null {
    return this.#newest() ?? this.#lastFar ?? null;
  }

  #newest(): ConversationMessage | null {
    const readable = (message: ConversationMessage): boolean => this.#isReadable(message);
    return this.pending.findLast(readable) ?? this.#log.messages.findLast(readable) ?? null;
  }

  #isReadable(message: ConversationMessage): boolean {
    return message.text !== null && !this.annotationsOf(message).deleted;
  }

  /** The newest message of another member in the records before `index`, of those in memory. */
  newestOfOthers(index: number): ConversationMessage | null {
    const { me } = this.#state.core;
    return (
      this.#log.messages.findLast(({ sender, at }) => sender !== me && at !== null && at.index < index) ??
      null
    );
  }

  /** Number of unread lines of other members. Deleted lines count where they are not in memory. */
  unread(): number {
    const { me, readIndex, others, othersRead } = this.#state.core;
    const here = this.#log.messages.filter(
      ({ sender, at }) => sender !== me && (at?.index ?? 0) >= readIndex,
    );
    const isDeleted = ({ key, deleted }: ConversationMessage): boolean =>
      deleted || this.#log.annotations.forMessage(key).deleted;
    const deleted = here.filter(isDeleted).length;
    return (readIndex >= this.#from ? here.length : Math.max(here.length, others - othersRead)) - deleted;
  }

  /** `far`: the record is before the window, and is read for this message alone. */
  #addRecord(record: LogRecord, far: string | null = null): void {
    // A line that was given up has no position in the log: nobody has read it.
    const position = record.at?.position ?? NOWHERE;
    for (const [at, item] of record.items.entries()) {
      if (item.type === 'message') this.#addMessage(record.index, position, at, item, far);
    }
  }

  #addMessage(index: number, position: Position, at: number, item: StoredMessage, far: string | null): void {
    const key = targetKey(item);
    const content = knownContent(item.content);
    if (
      far !== null &&
      key !== far &&
      !(content !== null && 'to' in content && targetKey(content.to) === far)
    )
      return;
    const known = this.#log.byKey.get(key);
    if (known !== undefined) {
      if (known.at?.index === index) this.#syncLine(known, item, content);
      return;
    }
    const order = index * ITEMS_PER_RECORD + at;
    if (content?.type === 'readMarker') this.#addMarker(item.sender, earlier(content.position, position));
    const message = conversationMessage(item, content, order, { index, position });
    if (message !== null) this.#addLine(message, far !== null);
    const changed = content === null ? null : this.#log.annotations.apply({ ...item, order }, content);
    if (changed !== null) this.#showAgain(changed);
  }

  /** What is kept of a line has changed: it was lost or found, edited, deleted, or sent again as a new message. */
  #syncLine(known: ConversationMessage, item: StoredMessage, content: Content | null): void {
    const now = conversationMessage(item, content, known.order, known.at);
    if (now !== null) this.#log.replace({ ...now, id: known.id });
    else if (known.lost !== null) this.#remove(known);
  }

  /** Removes a lost line that was sent again as a new message. */
  #remove(message: ConversationMessage): void {
    this.#log.remove(message);
    this.#removed.push(message.id);
  }

  #addLine(message: ConversationMessage, far: boolean): void {
    const taken = this.#log.byId.get(message.id);
    // A sender that uses one messageNonce for two messages still gets two lines.
    const line = taken === undefined ? message : { ...message, id: `${message.id}.${String(message.n)}` };
    this.#log.addLine(line, far);
    if (!far && this.#from > this.#state.log.first) this.#wantRelated(line);
    for (const reply of this.#log.replies.get(line.key) ?? []) this.#showRecord(reply);
  }

  /** Marks for lookup what a line needs from before the window: its early effects, and the message that it quotes. */
  #wantRelated(message: ConversationMessage): void {
    const early = mayBeChangedAhead(this.#state.sender(message.sender), message);
    if (early && !this.#far.has(message.key)) this.#wanted.set(message.key, { target: message, late: true });
    if (message.replyTo === null) return;
    const key = targetKey(message.replyTo);
    if (this.#log.byKey.has(key) || this.#far.has(key)) return;
    this.#wanted.set(key, { target: message.replyTo, late: false });
  }

  #addMarker(member: MemberId, position: Position): void {
    const { markers, messages } = this.#log;
    const before = markers.get(member);
    if (before !== undefined && comparePositions(position, before) <= 0) return;
    markers.set(member, position);
    for (let at = messages.length - 1; at >= 0; at--) {
      const place = messages[at]?.at ?? null;
      if (place === null || (before !== undefined && comparePositions(place.position, before) <= 0)) break;
      if (comparePositions(place.position, position) <= 0) this.#dirty.add(place.index);
    }
  }

  /** A message has changed: it is shown again, and so are the replies that quote it. */
  #showAgain(key: string): void {
    this.#showRecord(key);
    for (const reply of this.#log.replies.get(key) ?? []) this.#showRecord(reply);
  }

  #showRecord(key: string): void {
    const at = this.#log.byKey.get(key)?.at ?? null;
    if (at !== null) this.#dirty.add(at.index);
  }

  #syncOutbox(): void {
    const { outbox, core } = this.#state;
    const items = [...outbox.values()].sort((a, b) => a.n - b.n);
    if (this.#waiting.isOf(items) && !this.#unsettled) return;
    const before = this.#waiting;
    const waiting = new UnsentLines(items, core.me);
    this.#unsettled = false;
    for (const item of items) {
      const message = { ...item, sender: core.me, sentAt: item.made };
      // Compared by id too: after an import the message waits under another counter than it has in the log.
      const known =
        this.#log.byKey.get(targetKey(message)) ?? this.#log.byId.get(messageIdOf(core.me, item.mid));
      if (known !== undefined) waiting.resent.add(known.key);
      else if (this.#isNew(message)) waiting.add(message);
      const content = knownContent(item.content);
      if (content !== null && 'to' in content) this.#seekChanged(content.to);
    }
    this.#waiting = waiting;
    for (const { changed, resent } of [before, waiting]) {
      for (const key of changed) this.#showAgain(key);
      for (const key of resent) this.#showRecord(key);
    }
  }

  /** Whether a message of the outbox has never been in the log. */
  #isNew(message: Target): boolean {
    const key = targetKey(message);
    const far = this.#far.get(key);
    if (far !== undefined) return far.length === 0;
    try {
      const at = this.#state.messageAt(message);
      if (at === null || at.index >= this.#from) return at === null;
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error;
    }
    this.#wanted.set(key, { target: message, late: false });
    this.#unsettled = true;
    return false;
  }

  /** Marks for lookup a message before the window that an item of the outbox changes. */
  #seekChanged(target: Target): void {
    const key = targetKey(target);
    if (this.#from === this.#state.log.first || this.#log.byKey.has(key) || this.#far.has(key)) return;
    this.#wanted.set(key, { target, late: false });
  }
}

const earlier = (a: Position, b: Position): Position => (comparePositions(a, b) <= 0 ? a : b);
