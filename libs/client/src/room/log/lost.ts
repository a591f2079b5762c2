/**
 * Handles this member's own lines that the relay has lost, or claims to have lost (docs/protocol.md section 6, G18):
 * no line is sealed for members that it was not written for.
 *
 * A line that was lost in the epoch in which it was sealed is resent: whoever holds that epoch's key could have read
 * it. A line of an earlier epoch is not resent: it is shown as lost, its counter is sent as a void, and its sender
 * may send it again by hand. Names are exempt, since new members receive them in any case.
 */
import { comparePositions, equalBytes, type AnyContent, type MemberId, type Target } from '@0fc/protocol';
import { append, putOutbox, replaceItems, type RoomDraft, type RoomSnapshot } from '../state/draft.js';
import type { LogRecord, OutboxItem, StoredItem, StoredMessage } from '../../vault/records.js';
import { knownContent } from '../../vault/content.js';
import { isLine } from '../../vault/counts.js';

/** Contents that a new member receives in any case. */
const isName = (content: AnyContent): boolean => {
  const type = knownContent(content)?.type;
  return type === 'profile' || type === 'roomName';
};

/** Requeues the lost messages of this member. `lost`: the records that the relay's log no longer has. */
export function requeueLost(draft: RoomDraft, lost: readonly LogRecord[]): void {
  const { core } = draft;
  const own = ({ sender, instance }: Pick<StoredMessage, 'sender' | 'instance'>): boolean =>
    sender === core.me && equalBytes(instance, core.instance);
  /** counters of lost messages, each with whether it was sealed in the current epoch */
  const due = new Map<number, boolean>();
  for (const { at, items } of lost) {
    // Every position of an epoch follows the rotation that began it.
    const sameEpoch = at !== null && comparePositions(at.position, draft.current.floor) > 0;
    for (const item of items) {
      // A message that was resent after an earlier loss counts as the original.
      if ((item.type === 'message' || item.type === 'repeat') && own(item)) due.set(item.n, sameEpoch);
    }
  }
  if (due.size === 0) return;
  const lines = [...due].flatMap(([n, sameEpoch]) =>
    ownLine(draft, n).map((line) => ({ ...line, sameEpoch })),
  );
  const deleted = deletedBy(draft, Math.min(...lines.map(({ record }) => record.index)));
  for (const { record, item, sameEpoch } of lines.sort((a, b) => a.item.n - b.item.n)) {
    if (draft.outbox.has(item.n)) continue;
    const again = isName(item.content) || (sameEpoch && !deleted.has(item.n));
    const only = again && !isName(item.content) ? core.epoch : null;
    draft.apply(putOutbox({ ...waitingAgain(draft, item, again ? item.content : { type: 'void' }), only }));
    if (!again && isLine(item.content) && !deleted.has(item.n)) markLost(draft, record, item);
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

function lineAt(
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
  { n, instance, mid, sentAt: made }: StoredMessage,
  content: AnyContent,
): OutboxItem => ({
  n, instance, mid, made, content, sealed: null, acknowledged: false, only: null, writtenAt: chain.size, confirmed: true,
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
 * Gives up a line that the relay acknowledged in an ended epoch and that the log does not hold: it is shown as lost,
 * at its old position or at the end, and its counter is sent as a void.
 */
export function giveUp(draft: RoomDraft, item: OutboxItem, now: number): void {
  const { n, instance, mid, made: sentAt, content } = item;
  const sender = draft.core.me;
  const bare = { ...item, sealed: null, acknowledged: false, only: null };
  if (isName(content)) {
    draft.apply(putOutbox(bare));
    return;
  }
  if (isLine(content)) {
    const stood = lineUnder(draft, item);
    const line: StoredMessage = {
      type: 'message',
      sender,
      instance,
      n,
      mid,
      sentAt,
      content,
      lost: item.writtenAt,
    };
    if (stood === null) draft.apply(append(null, now, [line]));
    else markLost(draft, stood.record, stood.item);
  }
  draft.apply(putOutbox({ ...bare, content: { type: 'void' }, confirmed: true }));
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

/** Counters of this member's lines that it has deleted, in the records from an index on. */
function deletedBy({ core, log }: RoomSnapshot, from: number): ReadonlySet<number> {
  const deleted = new Set<number>();
  for (const { items } of log.oldestFirst(from)) {
    for (const item of items) {
      if (item.type !== 'message' || item.sender !== core.me) continue;
      const content = knownContent(item.content);
      if (content?.type !== 'delete' || content.to.sender !== core.me) continue;
      if (equalBytes(content.to.instance, core.instance)) deleted.add(content.to.n);
    }
  }
  return deleted;
}
