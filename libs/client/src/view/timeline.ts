/** The open room's conversation, item by item, as the page shows it. */
import { clampTime, displayName, type MemberId } from '@0fc/protocol';
import type { TimelineItem, TimelineMessage, TimelineSystem } from '../contract/api.js';
import { admittedSince, newcomersSince } from '../room/log/lost.js';
import type { Conversation } from '../room/conversation/conversation.js';
import type { ConversationMessage } from '../room/conversation/lines.js';
import { messageIdOf } from '../room/log/items.js';
import { knownContent, targetKey } from '../vault/content.js';
import { isSettled } from '../vault/counts.js';
import { ITEMS_PER_RECORD, type LogRecord, type StoredItem } from '../vault/records.js';
import type { RoomState } from '../room/state/state.js';
import { drawnName, type MemberIdentities } from './member-identities.js';
import { isRelayTimeDoubtful, isSentTimeDoubtful } from './times.js';

/** What the timeline is made from. */
export interface Source {
  readonly state: RoomState;
  readonly conversation: Conversation;
  readonly faces: MemberIdentities;
  /** members whose name another one's looks like */
  readonly confusable: ReadonlySet<MemberId>;
  /** this device's clock, Unix ms: by it times of others are told to be doubtful */
  readonly now: number;
  /** nothing goes out any more: what waits is not sent */
  readonly over: boolean;
}

export const sourceOf = (
  state: RoomState,
  conversation: Conversation,
  faces: MemberIdentities,
  now: number,
  over: boolean,
): Source => ({ state, conversation, faces, confusable: faces.confusable(state), now, over });

type Place = Pick<TimelineSystem, 'id' | 'order' | 'time' | 'timeDoubtful'>;

/** Most of a quoted message that a reply carries, in code points. */
const QUOTE_CHARS = 280;

/** Stored, and never a line: what waits for its key, what stands elsewhere already. */
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
        const said = source.conversation.target(item);
        return said === null ? [] : [messageOf(source, said)];
      }
      case 'alarm':
        return [
          {
            type: 'alarm',
            ...place,
            code: item.code,
            params: { ...item.numbers, member: source.faces.nameFor(source.state, item.member) },
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
  source.conversation.pending.map((said) => messageOf(source, said));

function systemOf(
  { state, faces }: Source,
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
      actor: faces.nameFor(state, item.actor),
      actorMe: item.actor === me ? 1 : 0,
      member: faces.nameFor(state, item.member),
      ...(item.text === '' ? {} : { name: displayName(item.text) }),
    },
    me: (item.member ?? item.actor) === me,
  };
}

function messageOf(source: Source, said: ConversationMessage): TimelineMessage {
  const { state, conversation, faces, now } = source;
  const { me, verified } = state.core;
  const inMemory = said.at !== null && said.at.index >= state.log.loaded;
  const relayed =
    said.at === null ? null : ((inMemory ? state.log.at(said.at.index)?.time : null) ?? said.sentAt);
  const fate = conversation.fateOf(said);
  const named = (members: readonly MemberId[]): readonly string[] =>
    members.map((member) => faces.nameFor(state, member));
  const readers = conversation.readersOf(said);
  return {
    type: 'message',
    id: said.id,
    order: said.order,
    time: clampTime(said.sentAt),
    timeDoubtful: isSentTimeDoubtful(said.sentAt, relayed, now),
    sender: said.sender,
    senderName: drawnName(state, said.sender),
    fingerprint: faces.fingerprint(said.sender),
    confusable: source.confusable.has(said.sender),
    verified: verified.includes(said.sender),
    mine: said.sender === me,
    text: fate.deleted ? '' : textOf(source, said),
    state: stateOf(source, said, readers),
    newcomers: newcomersTo(source, said).map((member) => faces.nameFor(state, member)),
    late: said.late,
    orderUnknown: said.orderUnknown,
    readBy: readers.length,
    readers: named(readers),
    unsupported: said.text === null && !fate.deleted,
    replyTo: fate.deleted ? null : quoteOf(source, said),
    reactions: fate.reactions.map(({ emoji, members }) => ({
      emoji,
      count: members.length,
      mine: members.includes(me),
      names: named(members),
    })),
    edited: said.text !== null && fate.text !== null && !fate.deleted,
    deleted: fate.deleted,
  };
}

function stateOf(
  { state, conversation, over }: Source,
  said: ConversationMessage,
  readers: readonly MemberId[],
): TimelineMessage['state'] {
  if (said.lost !== null) return 'lost';
  if (over && conversation.itemsOf(said).length > 0) return 'unsent';
  if (conversation.itemsOf(said).some((item) => admittedSince(state, item).length > 0)) return 'waiting';
  if (conversation.isWaiting(said)) return 'sending';
  return readers.length > 0 ? 'read' : 'relayed';
}

/** Who could not have read a line when it was written, and would now. */
function newcomersTo({ state, conversation, over }: Source, said: ConversationMessage): readonly MemberId[] {
  if (said.lost !== null) return newcomersSince(state, said.lost);
  if (over) return [];
  return [...new Set(conversation.itemsOf(said).flatMap((item) => admittedSince(state, item)))];
}

/** Ids of own lines whose sender is asked before they, or an edit of them, go; oldest first. */
export function heldLines({
  state,
  conversation,
  over,
}: Pick<Source, 'state' | 'conversation' | 'over'>): readonly string[] {
  if (over) return [];
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
const textOf = ({ conversation }: Source, said: ConversationMessage): string =>
  said.text === null ? '' : (conversation.fateOf(said).text ?? said.text);

function quoteOf(source: Source, said: ConversationMessage): TimelineMessage['replyTo'] {
  const { state, conversation, faces } = source;
  if (said.replyTo === null || targetKey(said.replyTo) === said.key) return null;
  const target = conversation.target(said.replyTo);
  const senderName = faces.nameFor(state, said.replyTo.sender);
  if (target === null) return { id: null, senderName, text: '' };
  const text = conversation.fateOf(target).deleted ? '' : textOf(source, target);
  return { id: target.id, senderName, text: shortened(text) };
}

function shortened(text: string): string {
  const points = [...text.slice(0, 2 * QUOTE_CHARS)];
  return points.length <= QUOTE_CHARS && text.length <= 2 * QUOTE_CHARS
    ? text
    : `${points.slice(0, QUOTE_CHARS).join('')}…`;
}
