/**
 * What a delete and an edit take away from what is kept (docs/protocol.md section 9, docs/decisions/0037). Of a deleted line
 * nothing stays but that it was there; of an edited one the words of its last edit. It is decided from the message and
 * from everything that changes it, so that the order in which they came makes no difference, and it is written with the
 * line that brings it about.
 */
import { anyContent, encodeAs, equalBytes, type AnyContent, type Target } from '@0fc/protocol';
import { isLaterEdit, isLineItem, knownContent, targetKey } from '../../vault/content.js';
import type { OutboxItem, StoredItem, StoredMessage } from '../../vault/records.js';
import type { RoomChange } from '../state/changes.js';
import { putOutbox, replaceItems, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import { mayBeChangedAhead } from '../state/lookups.js';
import { asVoid, lineAt } from './lost.js';

type FoundEffect = ReturnType<RoomDraft['effectsOn']>[number];

const VOID: AnyContent = { type: 'void' };

/** Takes away what the messages of a record that was just read have made obsolete, themselves included. Throws NotLoaded. */
export function eraseAfter(draft: RoomDraft, items: readonly StoredItem[]): void {
  for (const item of items) {
    if (item.type !== 'message') continue;
    const content = knownContent(item.content);
    if (content?.type === 'edit' || content?.type === 'delete' || content?.type === 'reaction') {
      // Of a line of somebody else an edit or a delete changes nothing (G3), and need not be looked into.
      if (content.type === 'reaction' || content.to.sender === item.sender)
        erase(draft, content.to, content.type);
    } else if (isLineItem(item) && mayHaveEnded(draft, item)) erase(draft, item, 'line');
  }
}

/**
 * Takes away what this member's own content makes obsolete as it is written. A delete counts at once; an edit once the log
 * holds it, so that until then only what was never sealed gives way to it. Throws NotLoaded.
 */
export function eraseBefore(draft: RoomDraft, { n, content: said }: OutboxItem): void {
  const content = knownContent(said);
  if (content?.type === 'delete') erase(draft, content.to, 'delete');
  // It was deleted while this was written.
  if (content?.type === 'edit' || content?.type === 'reaction')
    if (isDeleted(draft, content.to, draft.effectsOn(content.to))) eraseWaiting(draft, content.to);
  if (content?.type !== 'edit') return;
  for (const waiting of draft.outbox.values()) {
    if (waiting.sealed !== null || waiting.n >= n) continue;
    if (isUnder(draft, waiting, content.to))
      draft.apply(putOutbox({ ...waiting, content: reworded(waiting.content, content.text) }));
    else if (isEditOf(waiting, content.to)) draft.apply(putOutbox(asVoid(waiting)));
  }
}

/** What is left of a lost line and of its edits once its sender has sent its text as a new one. Throws NotLoaded. */
export function settled(snapshot: RoomSnapshot, target: Target): readonly RoomChange[] {
  const draft = snapshot.fork();
  rewrite(draft, target, ({ deleted: _gone, ...item }) => ({ ...item, content: VOID }));
  for (const { item } of draft.effectsOn(target))
    if (item.content.type === 'edit' && item.sender === target.sender) rewrite(draft, item, asNothing);
  return draft.changes;
}

function erase(draft: RoomDraft, target: Target, by: 'edit' | 'delete' | 'reaction' | 'line'): void {
  const [line] = lineAt(draft, target);
  // Nothing but a deletion takes a reaction away, and at a line that is here it is noted; not at one that its sender took
  // back before it was sent, of which there is but a void.
  if (by === 'reaction' && line !== undefined && isLineItem(line.item) && line.item.deleted !== true) return;
  const effects = draft.effectsOn(target);
  const own = effects.filter(({ item }) => item.sender === target.sender);
  const edits = own.filter(({ item }) => item.content.type === 'edit');
  if (isDeleted(draft, target, effects)) {
    const gone = [...edits, ...effects.filter(({ item }) => item.content.type === 'reaction')];
    for (const { item } of gone) rewrite(draft, item, asNothing);
    rewrite(draft, target, asDeleted);
    eraseWaiting(draft, target);
    return;
  }
  const last = lastEdit(edits);
  const words = last === undefined ? null : textOf(last);
  if (last === undefined || words === null) return;
  for (const { item } of edits) if (item !== last) rewrite(draft, item, asNothing);
  rewrite(draft, target, (item) => ({ ...item, content: reworded(item.content, words) }));
  rewordWaiting(draft, target, last, words);
}

/** The edit that counts, of those of one sender in the order of the log. */
function lastEdit(edits: readonly FoundEffect[]): StoredMessage | undefined {
  const place = ({ index, item: { instance, n } }: FoundEffect) => ({ instance, n, order: index });
  let last: FoundEffect | undefined;
  for (const edit of edits) if (last === undefined || isLaterEdit(place(edit), place(last))) last = edit;
  return last?.item;
}

/** A line that was changed before it came: by a message that was read, or by a delete of this member that waits. */
const mayHaveEnded = (draft: RoomDraft, item: StoredMessage): boolean =>
  mayBeChangedAhead(draft.sender(item.sender), item) || deletedHere(draft, item);

/** `effects`: all on it. Throws NotLoaded. */
const isDeleted = (draft: RoomDraft, target: Target, effects: readonly FoundEffect[]): boolean =>
  deletedHere(draft, target) ||
  lineAt(draft, target).some(({ item }) => item.deleted === true) ||
  effects.some(({ item }) => item.content.type === 'delete' && item.sender === target.sender);

/** Whether a delete of this member waits: it counts here already. */
const deletedHere = ({ core, outbox }: RoomSnapshot, target: Target): boolean =>
  target.sender === core.me &&
  [...outbox.values()].some(({ content }) => content.type === 'delete' && isAbout(content, target));

function isAbout(said: AnyContent, target: Target): boolean {
  const content = knownContent(said);
  return content !== null && 'to' in content && targetKey(content.to) === targetKey(target);
}

const isEditOf = ({ content }: OutboxItem, target: Target): boolean =>
  content.type === 'edit' && isAbout(content, target);

const isUnder = ({ core }: RoomSnapshot, { n, instance }: OutboxItem, target: Target): boolean =>
  target.sender === core.me && n === target.n && equalBytes(instance, target.instance);

function textOf({ content }: StoredMessage): string | null {
  const known = knownContent(content);
  return known?.type === 'edit' ? known.text : null;
}

const asNothing = (item: StoredMessage): StoredMessage => ({ ...item, content: VOID });

const asDeleted = (item: StoredMessage): StoredMessage =>
  isLineItem(item) ? { ...item, content: VOID, deleted: true } : item;

/**
 * A line in the words of its last edit. What this client does not know stays beside the edit (6.6): only a version that knows it
 * can say what the words replace, and nothing of it is shown here.
 */
function reworded(said: AnyContent, text: string): AnyContent {
  const content = knownContent(said);
  return content?.type === 'text' || content?.type === 'reply' ? { ...content, text, edited: true } : said;
}

/** Replaces a message of the log where it stands; nothing where it is not here or is that already. Throws NotLoaded. */
function rewrite(draft: RoomDraft, target: Target, change: (item: StoredMessage) => StoredMessage): void {
  for (const { record, item: before } of lineAt(draft, target)) {
    const after = change(before);
    if (isSame(before, after)) continue;
    draft.apply(
      replaceItems(
        record.index,
        record.items.map((item) => (item === before ? after : item)),
      ),
    );
  }
}

const isSame = (before: StoredMessage, after: StoredMessage): boolean =>
  before.deleted === after.deleted && saysSame(before.content, after.content);

const saysSame = (a: AnyContent, b: AnyContent): boolean =>
  equalBytes(encodeAs(anyContent, a), encodeAs(anyContent, b));

/** Takes away what waits of a deleted line, and what waits to change it: their counters go as voids. */
export function eraseWaiting(draft: RoomDraft, target: Target): void {
  for (const waiting of draft.outbox.values()) {
    const { type } = waiting.content;
    const changes = (type === 'edit' || type === 'reaction') && isAbout(waiting.content, target);
    if (changes || (isUnder(draft, waiting, target) && type !== 'void'))
      draft.apply(putOutbox(asVoid(waiting)));
  }
}

/** What waits of an edited line, and edits before the one that was read: the relay has shown a later message before them. */
function rewordWaiting(draft: RoomDraft, target: Target, { n, instance }: StoredMessage, text: string): void {
  for (const waiting of draft.outbox.values()) {
    if (isUnder(draft, waiting, target)) {
      const content = reworded(waiting.content, text);
      if (saysSame(content, waiting.content)) continue;
      const only = waiting.only ?? waiting.sealed?.epoch ?? null;
      draft.apply(putOutbox({ ...waiting, content, sealed: null, only }));
    } else if (isEditOf(waiting, target) && waiting.n < n && equalBytes(waiting.instance, instance)) {
      draft.apply(putOutbox(asVoid(waiting)));
    }
  }
}
