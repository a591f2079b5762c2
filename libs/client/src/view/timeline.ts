/** The open room's conversation, item by item, as the page shows it. */
import { clampTime, displayName, type MemberId } from '@0fc/protocol';
import type { TimelineItem, TimelineMessage, TimelineSystem } from '../contract/api.js';
import { admittedSince, cameSince, newcomersSince } from '../room/log/lost.js';
import type { Conversation } from '../room/conversation/conversation.js';
import type { ConversationMessage } from '../room/conversation/lines.js';
import { isSettled, knownContent, messageIdOf, targetKey } from '../vault/content.js';
import { ITEMS_PER_RECORD, type LogRecord, type StoredItem } from '../vault/records.js';
import type { RoomState } from '../room/state/state.js';
import { drawnName, type MemberIdentities } from './member-identities.js';
import { isRelayTimeDoubtful, isSentTimeDoubtful } from './times.js';

/** What the timeline is made from. */
export interface Source {
  readonly state: RoomState;
  readonly conversation: Conversation;
  readonly identities: MemberIdentities;
  /** members whose name another one's looks like */
  readonly confusable: ReadonlySet<MemberId>;
  /** clock of this device, Unix ms: decides which times of others are doubtful */
  readonly now: number;
  /** the membership has ended: waiting messages are not sent */
  readonly ended: boolean;
}

export const sourceOf = (
  state: RoomState,
  conversation: Conversation,
  identities: MemberIdentities,
  now: number,
  ended: boolean,
): Source => ({ state, conversation, identities, confusable: identities.confusable(state), now, ended });

type Place = Pick<TimelineSystem, 'id' | 'order' | 'time' | 'timeDoubtful'>;

/** Most of a quoted message that a reply carries, in code points. */
const QUOTE_CHARS = 280;

/** Stored items that are never shown: a message that waits for its key, a repetition. */
const SILENT: ReadonlySet<StoredItem['type']> = new Set(['sealed', 'repeat']);

/** True where the record has anything that {@link itemsOf} shows. */
export const isShown = (conversation: Conversation, record: LogRecord): boolean =>
  record.items.some((item) =>
    item.type === 'message' ? conversation.target(item) !== null : !SILENT.has(item.type),
  );

/** Everything the page shows of one log record, in order. */
export function itemsOf(source: Source, record: LogRecord): readonly TimelineItem[] {
  return record.items.flatMap((item, at): readonly TimelineItem[] => {
    const order = record.index * ITEMS_PER_RECORD + at;
    const place = {
      id: `${String(record.index)}.${String(at)}`,
      order,
      time: clampTime(record.time),
      timeDoubtful: isRelayTimeDoubtful(record.time, source.now),
    };
    switch (item.type) {
      case 'message': {
        const message = source.conversation.target(item);
        return message === null ? [] : [messageOf(source, message)];
      }
      case 'alarm':
        return [
          {
            type: 'alarm',
            ...place,
            code: item.code,
            params: { ...item.numbers, member: source.identities.nameFor(source.state, item.member) },
            settled: isSettled(item),
          },
        ];
      case 'system':
        return [systemOf(source, item, place)];
      case 'repeat':
      case 'sealed':
        return []; // shown once its key is here, or as missed
    }
  });
}

/** What waits in the outbox, last in the conversation. */
export const pendingItems = (source: Source): readonly TimelineMessage[] =>
  source.conversation.pending.map((message) => messageOf(source, message));

function systemOf(
  { state, identities }: Source,
  item: Extract<StoredItem, { type: 'system' }>,
  place: Place,
): TimelineSystem {
  const { me } = state.core;
  return {
    type: 'system',
    ...place,
    event: item.event as TimelineSystem['event'],
    params: {
      ...item.numbers,
      actor: identities.nameFor(state, item.actor),
      actorMe: item.actor === me ? 1 : 0,
      member: identities.nameFor(state, item.member),
      ...(item.text === '' ? {} : { name: displayName(item.text) }),
    },
    me: (item.member ?? item.actor) === me,
  };
}

function messageOf(source: Source, message: ConversationMessage): TimelineMessage {
  const { state, conversation, identities, now } = source;
  const { me, verified } = state.core;
  const inMemory = message.at !== null && message.at.index >= state.log.loaded;
  const relayed =
    message.at === null ? null : ((inMemory ? state.log.at(message.at.index)?.time : null) ?? message.sentAt);
  const annotations = conversation.annotationsOf(message);
  const named = (members: readonly MemberId[]): readonly string[] =>
    members.map((member) => identities.nameFor(state, member));
  const readers = conversation.readersOf(message);
  return {
    type: 'message',
    id: message.id,
    order: message.order,
    time: clampTime(message.sentAt),
    timeDoubtful: isSentTimeDoubtful(message.sentAt, relayed, now),
    sender: message.sender,
    senderName: drawnName(state, message.sender),
    fingerprint: identities.fingerprint(message.sender),
    confusable: source.confusable.has(message.sender),
    verified: verified.includes(message.sender),
    mine: message.sender === me,
    text: annotations.deleted ? '' : textOf(source, message),
    state: stateOf(source, message, readers),
    newcomers: newcomersTo(source, message).map((member) => identities.nameFor(state, member)),
    late: message.late,
    again: message.again !== null && cameSince(state, message.again),
    orderUnknown: message.orderUnknown,
    readBy: readers.length,
    readers: named(readers),
    unsupported: message.text === null && !annotations.deleted,
    replyTo: annotations.deleted ? null : quoteOf(source, message),
    reactions: annotations.reactions.map(({ emoji, members }) => ({
      emoji,
      count: members.length,
      mine: members.includes(me),
      names: named(members),
    })),
    edited: message.text !== null && (message.edited || annotations.text !== null) && !annotations.deleted,
    deleted: annotations.deleted,
  };
}

function stateOf(
  { state, conversation, ended }: Source,
  message: ConversationMessage,
  readers: readonly MemberId[],
): TimelineMessage['state'] {
  if (message.lost !== null) return 'lost';
  if (ended && conversation.itemsOf(message).length > 0) return 'unsent';
  if (conversation.itemsOf(message).some((item) => admittedSince(state, item).length > 0)) return 'waiting';
  if (conversation.isWaiting(message)) return 'sending';
  return readers.length > 0 ? 'read' : 'relayed';
}

/** Who could not have read a line when it was written, and would now. */
function newcomersTo(
  { state, conversation, ended }: Source,
  message: ConversationMessage,
): readonly MemberId[] {
  if (message.lost !== null) return newcomersSince(state, message.lost);
  if (ended) return [];
  return [...new Set(conversation.itemsOf(message).flatMap((item) => admittedSince(state, item)))];
}

/** Ids of own lines whose sender is asked before they, or an edit of them, go; oldest first. */
export function heldLines({
  state,
  conversation,
  ended,
}: Pick<Source, 'state' | 'conversation' | 'ended'>): readonly string[] {
  if (ended) return [];
  const asked = [...state.outbox.values()]
    .filter((item) => admittedSince(state, item).length > 0)
    .sort((a, b) => a.n - b.n);
  const lines = asked.flatMap((item) => {
    const content = knownContent(item.content);
    const line =
      content?.type === 'edit'
        ? conversation.target(content.to)
        : conversation.find(messageIdOf(state.core.me, item.mid));
    return line?.id ?? [];
  });
  return [...new Set(lines)];
}

/** An edit of a content that this client cannot show has nothing to edit here. */
const textOf = ({ conversation }: Source, message: ConversationMessage): string =>
  message.text === null ? '' : (conversation.annotationsOf(message).text ?? message.text);

function quoteOf(source: Source, message: ConversationMessage): TimelineMessage['replyTo'] {
  const { state, conversation, identities } = source;
  if (message.replyTo === null || targetKey(message.replyTo) === message.key) return null;
  const target = conversation.target(message.replyTo);
  const senderName = identities.nameFor(state, message.replyTo.sender);
  if (target === null) return { id: null, senderName, text: '' };
  const text = conversation.annotationsOf(target).deleted ? '' : textOf(source, target);
  return { id: target.id, senderName, text: shortened(text) };
}

function shortened(text: string): string {
  const points = [...text.slice(0, 2 * QUOTE_CHARS)];
  return points.length <= QUOTE_CHARS && text.length <= 2 * QUOTE_CHARS
    ? text
    : `${points.slice(0, QUOTE_CHARS).join('')}…`;
}
