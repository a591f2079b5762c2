/**
 * Handles this member's own lines that the relay has lost, or claims to have lost (docs/protocol.md section 6, G18):
 * no line is sealed for members that it was not written for.
 *
 * A line that was lost in the epoch in which it was sealed is resent: whoever holds that epoch's key could have read
 * it. A line of the epoch before is sealed inside under the key of its own epoch (again.ts). An older one is not resent:
 * it is shown as lost, its counter is sent as a void, and its sender may send it again by hand. Names are exempt, since
 * new members receive them in any case, and so are deletes, which say nothing to who has not read what they delete.
 */
import { comparePositions, equalBytes, type AnyContent, type MemberId, type Target } from '@0fc/protocol';
import { append, putOutbox, replaceItems, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { LogRecord, OutboxItem, StoredItem, StoredMessage } from '../../vault/records.js';
import { knownContent, isLine } from '../../vault/content.js';

/** Contents that go in any epoch: they say nothing that is not for everybody. */
const isForAll = (content: AnyContent): boolean => {
  const type = knownContent(content)?.type;
  return type === 'profile' || type === 'roomName' || type === 'delete';
};

/** Whether a content of an epoch goes inside a message of the next one, which is the current. */
function goesAgain(snapshot: RoomSnapshot, epoch: number | null, content: AnyContent): boolean {
  if (epoch === null || epoch !== snapshot.core.epoch - 1) return false;
  const type = knownContent(content)?.type;
  return type !== 'void' && type !== 'readMarker' && holdsKey(snapshot, epoch);
}

const holdsKey = (snapshot: RoomSnapshot, epoch: number): boolean =>
  (snapshot.key(epoch)?.key ?? null) !== null;

/** Requeues the lost messages of this member. `lost`: the records that the relay's log no longer has. */
export function requeueLost(draft: RoomDraft, lost: readonly LogRecord[]): void {
  const { core } = draft;
  const own = ({ sender, instance }: Pick<StoredMessage, 'sender' | 'instance'>): boolean =>
    sender === core.me && equalBytes(instance, core.instance);
  /** counters of lost messages, each with the epoch that it was sealed in: by its record, since losses move its place */
  const due = new Map<number, number | null>();
  for (const { items } of lost) {
    for (const item of items) {
      // A message that was resent after an earlier loss counts as the original, and is of the epoch that it had then.
      if ((item.type === 'message' || item.type === 'repeat') && own(item))
        due.set(item.n, item.again ?? item.sealedIn ?? null);
    }
  }
  if (due.size === 0) return;
  const lines = [...due].flatMap(([n, epoch]) => ownLine(draft, n).map((line) => ({ ...line, epoch })));
  const deleted = deletedBy(draft, Math.min(...lines.map(({ record }) => record.index)));
  for (const { record, item, epoch } of lines.sort((a, b) => a.item.n - b.item.n)) {
    if (draft.outbox.has(item.n)) continue;
    const waits = waitingAgain(draft, item);
    if (isForAll(item.content)) draft.apply(putOutbox(waits));
    else if (deleted.has(item.n)) draft.apply(putOutbox(asVoid(waits)));
    else if (epoch === core.epoch) draft.apply(putOutbox({ ...waits, only: epoch }));
    else if (epoch !== null && goesAgain(draft, epoch, item.content))
      draft.apply(putOutbox({ ...waits, only: core.epoch, again: epoch }));
    else {
      draft.apply(putOutbox(asVoid(waits)));
      if (isLine(item.content)) markLost(draft, record, item);
    }
  }
}

/** The message of this device under a counter, with its record; nothing where there is none. */
function ownLine(
  snapshot: RoomSnapshot,
  n: number,
): readonly { readonly record: LogRecord; readonly item: StoredMessage }[] {
  const { me, instance } = snapshot.core;
  return lineAt(snapshot, { sender: me, instance, n });
}

/** A message of the local log, with its record; nothing where there is none. Throws NotLoaded. */
export function lineAt(
  snapshot: RoomSnapshot,
  target: Target,
): readonly { readonly record: LogRecord; readonly item: StoredMessage }[] {
  const at = snapshot.messageAt(target);
  const record = at === null ? undefined : snapshot.log.at(at.index);
  if (record === undefined) return [];
  return record.items.flatMap((item) => {
    if (item.type !== 'message' || item.sender !== target.sender || item.n !== target.n) return [];
    return equalBytes(item.instance, target.instance) ? [{ record, item }] : [];
  });
}

/** Same counter and nonce: a member that holds the line already keeps it at its position. */
const waitingAgain = (
  { chain }: RoomSnapshot,
  { n, instance, mid, sentAt: made, content }: StoredMessage,
): OutboxItem => ({
  n, instance, mid, made, content, sealed: null, acknowledged: false, only: null, writtenAt: chain.size, confirmed: true,
}); // prettier-ignore

/** Its counter goes all the same, so that nobody misses a message. */
export const asVoid = ({ again: _past, ...item }: OutboxItem): OutboxItem => ({
  ...item, content: { type: 'void' }, sealed: null, acknowledged: false, only: null, confirmed: true,
}); // prettier-ignore

function markLost(draft: RoomDraft, { index }: LogRecord, line: StoredMessage): void {
  const items = draft.log.at(index)?.items ?? [];
  const lost = Math.max(0, draft.chain.size - admissionsAfter(draft, index));
  const marked = items.map((item): StoredItem => (item === line ? { ...line, lost } : item));
  draft.apply(replaceItems(index, marked));
}

/** Entries of the chain that were read after a record: at least those that admitted somebody. */
function admissionsAfter({ log }: RoomSnapshot, index: number): number {
  let after = 0;
  for (const { at, items } of log.oldestFirst(index + 1)) {
    if (at?.relayed?.kind === 'roster' && items.some(({ type }) => type === 'system')) after += 1;
  }
  return after;
}

/** A lost line of this device is in the log again, unchanged. */
export function unmarkLost(draft: RoomDraft, n: number): void {
  for (const { record, item } of ownLine(draft, n)) {
    if (item.lost === undefined) continue;
    const { lost: _back, ...line } = item;
    const found = record.items.map((other): StoredItem => (other === item ? line : other));
    draft.apply(replaceItems(record.index, found));
  }
}

/**
 * How long after it was written a message that the relay has not acknowledged is on its way, in milliseconds: one that meets
 * a rotation there is sealed for the epoch that this begins, like one that is written a moment later. The relay decides
 * what it acknowledges, and when: without a bound it would choose the epoch of every line.
 */
const ON_ITS_WAY_MS = 60_000;

/** A clock that went back makes nothing younger. `now`: Unix ms of this device. */
export const isOnItsWay = ({ only, acknowledged, made }: OutboxItem, now: number): boolean =>
  only === null && !acknowledged && now >= made && now - made < ON_ITS_WAY_MS;

/**
 * The epoch that a message was last sealed for: once that has ended it is sealed for no other before {@link carryOver} has
 * decided. Null: it goes in any.
 */
const boundTo = ({ only, sealed }: OutboxItem): number | null => only ?? sealed?.epoch ?? null;

/**
 * Whether a message is bound to an epoch that has ended, or to a key that is gone: it is not sealed before
 * {@link carryOver} has decided.
 */
export function isPast(snapshot: RoomSnapshot, item: OutboxItem): boolean {
  const bound = boundTo(item);
  if (item.again !== undefined && !holdsKey(snapshot, item.again)) return true;
  return bound !== null && bound !== snapshot.core.epoch;
}

/**
 * Decides on a message that is bound to an epoch that has ended, and that the log did not hold at its end. One that is on
 * its way is sealed for the current epoch. Any other goes inside one epoch later, for those who were there. Later a line is shown as lost, at its old position or at the end, and
 * its counter is sent as a void.
 */
export function carryOver(draft: RoomDraft, item: OutboxItem, now: number): void {
  const { again: before, ...rest } = item;
  const waits = { ...rest, sealed: null, acknowledged: false, only: null };
  const { content } = item;
  if (isForAll(content) || isOnItsWay(item, now)) {
    draft.apply(putOutbox(waits));
    return;
  }
  const stood = lineUnder(draft, item);
  const epoch = before ?? boundTo(item);
  const isDeleted = deletedBy(draft, stood?.record.index ?? firstOf(draft, epoch)).has(item.n);
  if (epoch !== null && !isDeleted && goesAgain(draft, epoch, content)) {
    draft.apply(putOutbox({ ...waits, only: draft.core.epoch, again: epoch, confirmed: true }));
    return;
  }
  if (isLine(content) && !isDeleted) {
    const { n, instance, mid, made: sentAt, writtenAt: lost } = item;
    const line: StoredMessage = {
      type: 'message',
      sender: draft.core.me,
      instance,
      n,
      mid,
      sentAt,
      content,
      lost,
    };
    if (stood === null) draft.apply(append(null, now, [line]));
    else markLost(draft, stood.record, stood.item);
  }
  draft.apply(putOutbox(asVoid(item)));
}

/** Index of the first record of an epoch, or of the oldest whose key is kept. Throws NotLoaded. */
function firstOf(snapshot: RoomSnapshot, epoch: number | null): number {
  const { core, log } = snapshot;
  const floor = (epoch === null ? null : snapshot.key(epoch))?.floor ?? core.keys[0]?.floor;
  let first = log.end;
  for (const { index, at } of log.newestFirst()) {
    if (at !== null && floor !== undefined && comparePositions(at.position, floor) <= 0) break;
    first = index;
  }
  return first;
}

/** The record of the local log that holds a requeued message. */
function lineUnder(snapshot: RoomSnapshot, { instance, n, mid }: OutboxItem) {
  const [stood] = lineAt(snapshot, { sender: snapshot.core.me, instance, n });
  return stood !== undefined && equalBytes(stood.item.mid, mid) ? stood : null;
}

/**
 * Members that were admitted after a line was written and before it was sent: the user is asked first. Names go to
 * new members in any case; a reaction or a marker reveals nothing to a member that has not read its target.
 */
export function admittedSince(snapshot: RoomSnapshot, item: OutboxItem): readonly MemberId[] {
  const text = isLine(item.content) || item.content.type === 'edit';
  // A message sealed in the current epoch has been sent: the same bytes are repeated.
  const sealed = item.sealed?.epoch === snapshot.core.epoch;
  return text && !item.confirmed && !sealed ? newcomersSince(snapshot, item.writtenAt) : [];
}

/**
 * The other members that were admitted by the entries of the chain from an index on. A member that writes before that
 * index has read its own admission already.
 */
export const newcomersSince = (snapshot: RoomSnapshot, length: number): readonly MemberId[] =>
  [...snapshot.roster.members.values()].flatMap(({ memberId, admit }) =>
    memberId !== snapshot.core.me && (snapshot.chainIndex(admit) ?? 0) >= length ? [memberId] : [],
  );

/** Whether a member of now came after an epoch, and does not read what is sealed for that one alone. */
export const cameSince = ({ roster }: RoomSnapshot, epoch: number): boolean =>
  [...roster.members.values()].some((member) => member.epoch > epoch);

/** Counters of this member's lines that it has deleted, in the records from an index on and in what waits. */
function deletedBy({ core, log, outbox }: RoomSnapshot, from: number): ReadonlySet<number> {
  const deleted = new Set<number>();
  const note = (said: AnyContent): void => {
    const content = knownContent(said);
    if (content?.type !== 'delete' || content.to.sender !== core.me) return;
    if (equalBytes(content.to.instance, core.instance)) deleted.add(content.to.n);
  };
  for (const { items } of log.oldestFirst(from)) {
    for (const item of items) if (item.type === 'message' && item.sender === core.me) note(item.content);
  }
  for (const { content } of outbox.values()) note(content);
  return deleted;
}
