/** Applies a message of the log (docs/protocol.md section 6). */
import {
  ALARM_CODES, comparePositions, decodeMessageClear, equalBytes, ERROR_CODES, type Body, type Bytes, type Entry, type MemberId, type Position,
} from '@0fc/protocol'; // prettier-ignore
import { openMessage, type OpenedMessage } from '@0fc/crypto/keys';
import { ClientError } from '../../contract/errors.js';
import { knownContent } from '../../vault/content.js';
import {
  dropOutbox,
  putOutbox,
  setSender,
  RETIRED_KEPT,
  type RoomDraft,
  type RoomSnapshot,
} from '../state/draft.js';
import type { EpochKey, SenderRecord, StoredItem } from '../../vault/records.js';
import { closedItem, insideOf, otherUnderCounter, type Inside } from './again.js';
import { checkSeen } from './fork.js';
import { noteRestored } from './generations.js';
import { alarm, system } from './items.js';
import { unmarkLost } from './lost.js';
import { applyNames } from './profiles.js';

/** Number of ranges of missed counters that are kept of each sender. */
const MISSING_KEPT = 64;

/**
 * The items for an entry of kind message: the message, alarms, or both. `before`: the position that it follows.
 * Called again for a message that waited for its key, once the key is there (section 7).
 */
export function decryptMessage(draft: RoomDraft, entry: Entry, before: Position): readonly StoredItem[] {
  const { core } = draft;
  const { sender } = entry;
  // The closing is the last entry of a log: after it nobody is a member.
  const over = draft.roster.closed && core.logLength === draft.chain.size;
  const present = !over && draft.roster.members.has(sender);
  const key = draft.roster.members.get(sender)?.key ?? keyBeforeDeparture(draft, sender);
  const senderKey = over ? null : key;
  // An honest relay accepts messages of members only; it is to blame for a removed member's message.
  if (senderKey === null) return [alarm(ALARM_CODES.ALARM_BAD_SIGNATURE, sender)];
  let opened: OpenedMessage;
  let inside: Inside;
  let epochKey: EpochKey;
  try {
    const epoch = decodeMessageClear(entry.clear);
    const known = draft.key(epoch);
    // An honest relay accepts only the epoch of the log.
    if (epoch !== core.logEpoch && known === null) return unopened(draft, entry, epoch);
    if (epoch !== core.logEpoch) return [alarm(ALARM_CODES.ALARM_UNREADABLE, sender, { epoch })];
    const roomKey = known?.key ?? null;
    if (known === null || roomKey === null) return unopened(draft, entry, epoch, before);
    epochKey = known;
    opened = openMessage({ roomKey, roomId: core.roomId, epoch, sender, senderKey, payload: entry.payload });
    inside = insideOf(draft, opened, senderKey);
  } catch (error) {
    const forged = ClientError.from(error).code === ERROR_CODES.BAD_SIGNATURE;
    return [alarm(forged ? ALARM_CODES.ALARM_BAD_SIGNATURE : ALARM_CODES.ALARM_UNREADABLE, sender)];
  }
  const { container } = opened;
  const { content, again, closed } = inside;
  const body = { ...opened.body, content };
  const repeat = checkCounter(draft, body, again);
  if (repeat !== null) {
    if (repeat.every(({ type }) => type === 'repeat')) notePlace(draft, body, entry.position);
    // A message that is known already has left the outbox; a refused one was not delivered.
    if (sender === core.me && repeat.every(({ type }) => type === 'repeat')) {
      settleOutbox(draft, body);
      if (body.content.type !== 'void') unmarkLost(draft, body.n);
    }
    return repeat;
  }
  if (sender === core.me) settleOutbox(draft, body);
  if (!present) return [alarm(ALARM_CODES.ALARM_BAD_SIGNATURE, sender)];
  draft.apply(setSender(sender, { epoch: Math.max(body.epoch, draft.sender(sender).epoch ?? 0) }));
  const late = isLate(draft, body);
  const orderUnknown = isOrderUnknown(draft, body);
  const items: StoredItem[] = [
    ...noteCounter(draft, body, entry.position),
    ...checkSeen(draft, body, before, epochKey.floor),
  ];
  // A message that waited for its key precedes what was missed since.
  if (comparePositions(entry.position, core.position) >= 0)
    draft.apply(setSender(sender, { missedAt: draft.core.missed }));
  const { instance, n, mid, sentAt } = body;
  items.unshift({
    type: 'message',
    sender,
    instance,
    n,
    mid,
    sentAt,
    content,
    ...(late ? { late: true } : {}),
    ...(again === undefined ? {} : { again }),
    ...(sender === core.me ? { sealedIn: body.epoch } : {}),
    ...(orderUnknown ? { orderUnknown: true } : {}),
  });
  if (closed === true) items.push(closedItem(body));
  noteChange(draft, body);
  const named = core.roomName?.name ?? null;
  applyNames(draft, body, container);
  const name = draft.core.roomName?.name ?? null;
  // The first name is not shown as a change: it belongs to the new room.
  if (named !== null && name !== null && name !== named)
    items.push(system('name', { actor: sender, text: name }));
  return items;
}

/**
 * The key of a departed member, while the log lacks the entry of its departure: a relay that went back serves it as a
 * member, and its earlier messages are repeated. New messages of it do not count.
 */
function keyBeforeDeparture({ core, chain, roster }: RoomSnapshot, sender: MemberId): Bytes | null {
  return core.logLength < chain.size ? (roster.former.get(sender)?.key ?? null) : null;
}

/** A message that cannot be opened: kept until the requested key arrives, or shown as missed. */
function unopened(
  { core }: RoomSnapshot,
  entry: Entry,
  epoch: number,
  before?: Position,
): readonly StoredItem[] {
  if (before !== undefined && epoch === core.epoch) {
    const { wrap: _none, ...bare } = entry;
    return [{ type: 'sealed', entry: bare, before }];
  }
  // An honest relay serves such a message only where this client has skipped epochs, or the relay has lost some.
  if (!core.skipped && core.losses.length === 0) {
    return [alarm(ALARM_CODES.ALARM_UNREADABLE, entry.sender, { epoch })];
  }
  return [system('missed', { numbers: { from: entry.position.s, to: entry.position.s } })];
}

/** Drops a duplicate (G5); the same counter for another message is an alarm. Null: the message is new. */
function checkCounter(
  draft: RoomDraft,
  body: Body<'message'>,
  again: number | undefined,
): readonly StoredItem[] | null {
  const mid = draft.messageAt(body)?.mid ?? null;
  if (mid !== null) {
    if (!equalBytes(mid, body.mid)) {
      return [alarm(ALARM_CODES.ALARM_DUPLICATE_N, body.sender, { n: body.n })];
    }
    const other = otherUnderCounter(draft, body);
    if (other !== null) return [other];
    noteRestored(draft);
    noteFound(draft, body);
    const { sender, instance, n } = body;
    const own = sender === draft.core.me ? { sealedIn: body.epoch } : {};
    return [{ type: 'repeat', sender, instance, n, ...(again === undefined ? {} : { again }), ...own }];
  }
  const last = countedHere(draft, body.sender);
  // At or below the last counter, and unknown: it was shown as missed and is accepted now; or it is from before the
  // floor of this member and resent after a loss (section 6); else its counter is used twice.
  const late = last !== null && equalBytes(last.instance, body.instance) && body.n <= last.n;
  if (late && draft.core.losses.length === 0 && !isMissing(draft, body)) {
    return [alarm(ALARM_CODES.ALARM_DUPLICATE_N, body.sender, { n: body.n })];
  }
  return null;
}

/** The last counter of a sender from a message that this client has read, not from the join reply; null: none. */
function countedHere(snapshot: RoomSnapshot, sender: MemberId): SenderRecord['counter'] {
  const { counter, handedOn = false } = snapshot.sender(sender);
  return handedOn ? null : counter;
}

/**
 * Whether a message is the first one of its sender on this client, and its counter does not follow the one in the
 * join reply: owner or sender may be wrong, and no alarm accuses either.
 */
function isOrderUnknown(snapshot: RoomSnapshot, { sender, instance, n }: Body<'message'>): boolean {
  const { counter, handedOn = false } = snapshot.sender(sender);
  return handedOn && n !== expectedAfter(counter, instance);
}

const expectedAfter = (last: SenderRecord['counter'], instance: Bytes): number =>
  last !== null && equalBytes(last.instance, instance) ? last.n + 1 : 1;

/** Stores the new position of the last message of a sender, which is in the log again. */
function notePlace(draft: RoomDraft, { sender, instance, n }: Body<'message'>, at: Position): void {
  const { counter } = draft.sender(sender);
  if (counter?.n === n && equalBytes(counter.instance, instance)) draft.apply(setSender(sender, { at }));
}

function noteCounter(draft: RoomDraft, body: Body<'message'>, at: Position): readonly StoredItem[] {
  const { sender, instance, n } = body;
  const { counter: last, retired, missing, handedOn = false } = draft.sender(sender);
  const items: StoredItem[] = [];
  if (retired.some((old) => equalBytes(old.instance, instance)))
    return [alarm(ALARM_CODES.ALARM_OLD_INSTANCE, sender, { n })];
  const same = last !== null && equalBytes(last.instance, instance);
  const expected = expectedAfter(last, instance);
  if (n < expected && !handedOn) {
    noteFound(draft, body);
    return [];
  }
  // Entries that were shown as missed may hold so many of its messages; a larger gap means that more were withheld.
  if (n > expected && n > expected + missedSince(draft, sender) && !handedOn)
    items.push(alarm(ALARM_CODES.ALARM_MESSAGE_GAP, sender, { from: expected, to: n - 1 }));
  // Bounded: else a member that changes its instance with every message would make the record grow without end for
  // all others.
  const replaced = last === null || same || handedOn ? retired : [...retired.slice(1 - RETIRED_KEPT), last];
  const before = same ? missing : [];
  const skipped = n > expected ? [...before, { from: expected, to: n - 1 }] : before;
  draft.apply(
    setSender(sender, {
      counter: { instance, n },
      at,
      retired: replaced,
      missing: skipped.slice(-MISSING_KEPT),
      ...(handedOn ? { handedOn: false } : {}),
    }),
  );
  return items;
}

/** Whether its sender has written later messages that are here. */
function isLate(snapshot: RoomSnapshot, { sender, instance, n }: Body<'message'>): boolean {
  const counter = countedHere(snapshot, sender);
  const { retired } = snapshot.sender(sender);
  return [...(counter === null ? [] : [counter]), ...retired].some(
    (one) => equalBytes(one.instance, instance) && n <= one.n,
  );
}

/** An effect on a message that is not known yet is looked up once that message is. */
function noteChange(draft: RoomDraft, { content }: Body<'message'>): void {
  const known = knownContent(content);
  if (known?.type !== 'edit' && known?.type !== 'delete' && known?.type !== 'reaction') return;
  const { sender, instance, n } = known.to;
  const counter = countedHere(draft, sender);
  const { retired, changedAhead } = draft.sender(sender);
  const [last] = [...(counter === null ? [] : [counter]), ...retired].filter((one) =>
    equalBytes(one.instance, instance),
  );
  if (n > Math.max(last?.n ?? 0, changedAhead) && draft.roster.members.has(sender))
    draft.apply(setSender(sender, { changedAhead: n }));
}

/** Whether a counter was shown as missed: its message is accepted whenever it arrives. */
function isMissing(snapshot: RoomSnapshot, { sender, instance, n }: Body<'message'>): boolean {
  const { counter, missing } = snapshot.sender(sender);
  const same = counter !== null && equalBytes(counter.instance, instance);
  return same && missing.some(({ from, to }) => from <= n && n <= to);
}

/** Removes the counter of a message that has arrived from the missed ones. */
function noteFound(draft: RoomDraft, body: Body<'message'>): void {
  if (!isMissing(draft, body)) return;
  const { n } = body;
  const missing = draft.sender(body.sender).missing.flatMap(({ from, to }) =>
    n < from || n > to
      ? [{ from, to }]
      : [
          { from, to: n - 1 },
          { from: n + 1, to },
        ].filter((range) => range.from <= range.to),
  );
  draft.apply(setSender(body.sender, { missing }));
}

/** Number of entries shown as missed since the last known message of a sender: trimmed, or without a key. */
const missedSince = (snapshot: RoomSnapshot, sender: MemberId): number =>
  snapshot.core.missed - snapshot.sender(sender).missedAt;

/** Removes an own message that is in the log from the outbox, under whatever counter it waited. */
function settleOutbox(draft: RoomDraft, body: Body<'message'>): void {
  for (const waiting of draft.outbox.values()) {
    if (!equalBytes(waiting.mid, body.mid)) continue;
    if (waiting.n === body.n && equalBytes(waiting.instance, body.instance))
      draft.apply(dropOutbox(waiting.n));
    // The device that this one was imported from has sent it: the counter here must not stay a gap.
    else draft.apply(putOutbox({ ...waiting, content: { type: 'void' }, sealed: null, acknowledged: false }));
  }
}
