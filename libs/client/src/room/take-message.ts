/** Taking in one message of the log (docs/protocol.md section 6). */
import {
  ALARM_CODES, anyContent, comparePositions, content as contentSchema, decodeMessageClear, equalBytes, ERROR_CODES, parse,
  type Body, type Bytes, type Content, type Entry, type MemberId, type Position,
} from '@0fc/protocol'; // prettier-ignore
import { openMessage } from '@0fc/crypto/keys';
import { ClientError } from '../errors.js';
import { noteRestored } from './generations.js';
import { alarm, system } from './items.js';
import type { EpochKey, StoredItem } from './records.js';
import { compareSeen, forkItems } from './seen.js';
import { upsert, type RoomState } from './state.js';

/** Older instances that are remembered of each sender; what was taken in of others is known by its mid. */
const RETIRED_KEPT = 32;

/** The items that an entry of kind message becomes: the message, alarms, or both. `before`: the position it follows. */
export function takeMessage(state: RoomState, entry: Entry, before: Position): readonly StoredItem[] {
  state.core.epochMessages += 1;
  return openItems(state, entry, before);
}

/** A message that waited for its key, now that it is there (section 7). */
export function openItems(state: RoomState, entry: Entry, before: Position): readonly StoredItem[] {
  const { core } = state;
  const { sender } = entry;
  const present = state.roster.members.has(sender);
  const senderKey = state.roster.members.get(sender)?.key ?? keyBeforeDeparture(state, sender);
  // The relay counts as sender only members; a removed one's message is the relay's doing.
  if (senderKey === null) return [alarm(ALARM_CODES.ALARM_BAD_SIGNATURE, sender)];
  let opened: { readonly body: Body<'message'>; readonly container: Bytes };
  let epochKey: EpochKey;
  try {
    const epoch = decodeMessageClear(entry.clear);
    const known = state.key(epoch);
    // The relay takes only the epoch of the log: anything else did not come from an honest one.
    if (epoch !== core.logEpoch && known === null) return unopened(state, entry, epoch);
    if (epoch !== core.logEpoch) return [alarm(ALARM_CODES.ALARM_UNREADABLE, sender, { epoch })];
    const roomKey = known?.key ?? null;
    if (known === null || roomKey === null) return unopened(state, entry, epoch, before);
    epochKey = known;
    opened = openMessage({ roomKey, roomId: core.roomId, epoch, sender, senderKey, payload: entry.payload });
  } catch (error) {
    const forged = ClientError.from(error).code === ERROR_CODES.BAD_SIGNATURE;
    return [alarm(forged ? ALARM_CODES.ALARM_BAD_SIGNATURE : ALARM_CODES.ALARM_UNREADABLE, sender)];
  }
  const { body, container } = opened;
  if (sender === core.me) settleOutbox(state, body);
  const repeat = checkCounter(state, body);
  if (repeat !== null) return repeat;
  if (!present) return [alarm(ALARM_CODES.ALARM_BAD_SIGNATURE, sender)];
  const items: StoredItem[] = [
    ...noteCounter(state, body),
    ...checkSeen(state, body, before, epochKey.floor),
  ];
  const { instance, n, mid, sentAt } = body;
  items.unshift({ type: 'message', sender, instance, n, mid, sentAt, content: body.content });
  const named = core.roomName?.name ?? null;
  followContent(state, body, container);
  const name = core.roomName?.name ?? null;
  // Its first name is no change: the room comes with it.
  if (named !== null && name !== null && name !== named)
    items.push(system('name', { actor: sender, text: name }));
  return items;
}

/**
 * Of one who has gone, while the log lacks the entry that says so: a relay that went back serves it
 * as the member that it was, and what it had sent before comes again. Nothing new of it counts.
 */
function keyBeforeDeparture({ core, chain, roster }: RoomState, sender: MemberId): Bytes | null {
  return core.logLength < chain.length ? (roster.former.get(sender)?.key ?? null) : null;
}

/** What cannot be opened here: kept for the key that has been asked for, or shown as missed. */
function unopened(state: RoomState, entry: Entry, epoch: number, before?: Position): readonly StoredItem[] {
  const { core } = state;
  if (before !== undefined && epoch === core.epoch) {
    const { wrap: _none, ...bare } = entry;
    return [{ type: 'sealed', entry: bare, before }];
  }
  // Only where this client has skipped epochs, or the relay lost some, is that an honest relay's doing.
  if (!core.skipped && core.losses.length === 0) {
    return [alarm(ALARM_CODES.ALARM_UNREADABLE, entry.sender, { epoch })];
  }
  return [system('missed', { numbers: { from: entry.position.s, to: entry.position.s } })];
}

/** A duplicate is dropped (G5); the same counter for another message is an alarm. Null: it is new. */
function checkCounter(state: RoomState, body: Body<'message'>): readonly StoredItem[] | null {
  const mid = state.midOf(body.sender, body.instance, body.n);
  if (mid !== null) {
    if (!equalBytes(mid, body.mid)) {
      return [alarm(ALARM_CODES.ALARM_DUPLICATE_N, body.sender, { n: body.n })];
    }
    noteRestored(state);
    return [{ type: 'repeat', sender: body.sender, instance: body.instance, n: body.n }];
  }
  const last = state.core.counters.find((counter) => counter.sender === body.sender);
  // Not above the last, and yet not held here: told as missed, or from before this member's history began. After
  // a loss its sender says it again (section 6); else it is told out of its order, or its number is used twice.
  const late = last !== undefined && equalBytes(last.instance, body.instance) && body.n <= last.n;
  if (late && state.core.losses.length === 0) {
    return [alarm(ALARM_CODES.ALARM_DUPLICATE_N, body.sender, { n: body.n })];
  }
  return null;
}

function noteCounter(state: RoomState, body: Body<'message'>): readonly StoredItem[] {
  const { core } = state;
  const { sender, instance, n } = body;
  const last = core.counters.find((counter) => counter.sender === sender);
  const items: StoredItem[] = [];
  const retired = core.retired.some((old) => old.sender === sender && equalBytes(old.instance, instance));
  if (retired) return [alarm(ALARM_CODES.ALARM_OLD_INSTANCE, sender, { n })];
  const same = last !== undefined && equalBytes(last.instance, instance);
  const expected = same ? last.n + 1 : 1;
  if (n < expected) return [];
  // What was told as missed already may have had so many of them; more were withheld.
  if (n > expected && n > expected + missedSince(state, sender))
    items.push(alarm(ALARM_CODES.ALARM_MESSAGE_GAP, sender, { from: expected, to: n - 1 }));
  if (last !== undefined && !same) retire(core, last);
  upsert(core.counters, (counter) => counter.sender === sender, { sender, instance, n });
  return items;
}

/** Entries that were told as missed since the last message of a sender that is here: trimmed, or without a key. */
function missedSince({ log }: RoomState, sender: MemberId): number {
  let missed = 0;
  for (const { items } of log.toReversed()) {
    for (const item of items) {
      if (item.type === 'message' && item.sender === sender) return missed;
      if (item.type !== 'system' || item.event !== 'missed') continue;
      const { from = 0, to = -1 } = item.numbers;
      missed += Math.max(0, to - from + 1);
    }
  }
  return missed;
}

/** Bounded, or a member that changes its instance with every message would swell the record of all others. */
function retire(core: RoomState['core'], last: RoomState['core']['counters'][number]): void {
  const others = core.retired.filter((old) => old.sender !== last.sender);
  const own = core.retired.filter((old) => old.sender === last.sender).slice(1 - RETIRED_KEPT);
  core.retired = [...others, ...own, { ...last }];
}

/** G6, G7: what the sender had when it sealed this, against what was taken in here. */
function checkSeen(
  state: RoomState,
  body: Body<'message'>,
  before: Position,
  floor: Position,
): readonly StoredItem[] {
  const { core } = state;
  const { sender, seen } = body;
  const items: StoredItem[] = [];
  const last = core.seen.find((known) => known.memberId === sender);
  const fell = last !== undefined && comparePositions(seen.position, last.position) < 0;
  // Before the rotation that began the epoch, it could not have had the key.
  if (fell || comparePositions(seen.position, floor) < 0) {
    items.push(alarm(ALARM_CODES.ALARM_SEEN_REGRESSED, sender, { position: seen.position.s }));
  }
  if (!fell)
    upsert(core.seen, (known) => known.memberId === sender, { memberId: sender, position: seen.position });
  const compared = compareSeen(state, seen, { kind: 'message', at: body.sentAt }, before);
  if (compared === 'ahead' || compared === 'differs') items.push(...forkItems(state, sender, seen.position));
  return items;
}

/** One's own message is in the log: it waits no longer, under whatever counter it waited. */
function settleOutbox(state: RoomState, body: Body<'message'>): void {
  for (const waiting of state.outbox.values()) {
    if (!equalBytes(waiting.mid, body.mid)) continue;
    if (waiting.n === body.n && equalBytes(waiting.instance, body.instance)) state.dropOutbox(waiting.n);
    // Sent by the device that this one was exported from: its counter here must not stay a gap.
    else state.putOutbox({ ...waiting, content: { type: 'void' }, sealed: null });
  }
}

/** The content as version 1 knows it; null: it takes a newer client. */
export function knownContent(content: unknown): Content | null {
  try {
    return parse(contentSchema, content);
  } catch (error) {
    if (ClientError.from(error).code !== ERROR_CODES.MALFORMED) throw error;
    return null;
  }
}

/** Names: a profile only of oneself (the signature says so), the room's name only by the owner (G3). */
export function followContent(state: RoomState, body: Body<'message'>, proof: Bytes): void {
  const content = knownContent(parse(anyContent, body.content));
  if (content?.type === 'profile') setName(state, body.sender, content.name, proof);
  if (content?.type === 'roomName' && body.sender === state.roster.owner) {
    state.core.roomName = { name: content.name, proof };
  }
}

function setName(state: RoomState, memberId: MemberId, name: string, proof: Bytes): void {
  upsert(state.core.people, (person) => person.memberId === memberId, { memberId, name, proof });
}
