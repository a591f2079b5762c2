/** What the page is told of a room: plain data made from the room's state. */
import type { MemberId } from '@0fc/protocol';
import type {
  InviteView, MemberView, RoomSummary, RoomView, TimelineItem, TimelineMessage, TimelineSystem,
} from './api.js'; // prettier-ignore
import type { LogRecord, OutboxItem, OwnerInvite, StoredItem, StoredMessage } from './room/records.js';
import { messageIdOf } from './room/items.js';
import type { Room } from './room/room.js';
import { knownContent } from './room/take-message.js';

/** Fingerprints by member: computed once, they never change inside a room (section 10). */
export type Fingerprints = ReadonlyMap<string, string>;

/** Items of one log record sort behind it and before the next. */
const ITEMS_PER_RECORD = 16;
const PENDING_ORDER = 2 ** 52;

export function summaryOf(room: Room): RoomSummary {
  const { core, roster } = room.state;
  const last = lastMessage(room);
  return {
    roomId: core.roomId,
    name: core.roomName?.name ?? '',
    stage: core.stage,
    owner: room.state.isOwner,
    unread: unreadOf(room),
    last,
    time: core.lastTime,
    alarms: alarmsOf(room),
    rotationDue: core.epochMessages >= roster.settings.rotateEvery,
    connection: room.connectionState,
    stopped: room.stopped,
  };
}

const textOf = (message: { readonly content: unknown }): string | null => {
  const content = knownContent(message.content);
  return content?.type === 'text' || content?.type === 'reply' ? content.text : null;
};

/** True for what stands in the conversation as a message of its own. */
const shown = (message: StoredMessage): boolean =>
  knownContent(message.content) === null || textOf(message) !== null;

function lastMessage(room: Room): RoomSummary['last'] {
  const { log, core } = room.state;
  const waiting = [...room.state.outbox.values()].filter((item) => textOf(item) !== null).at(-1);
  if (waiting !== undefined) {
    return {
      sender: room.state.nameOf(core.me),
      mine: true,
      text: textOf(waiting) ?? '',
      time: waiting.made,
    };
  }
  for (let at = log.length - 1; at >= 0; at--) {
    for (const item of log[at]?.items ?? []) {
      if (item.type !== 'message') continue;
      const text = textOf(item);
      if (text !== null) {
        return {
          sender: room.state.nameOf(item.sender),
          mine: item.sender === core.me,
          text,
          time: item.sentAt,
        };
      }
    }
  }
  return null;
}

function unreadOf(room: Room): number {
  const { log, core } = room.state;
  let unread = 0;
  for (let at = log.length - 1; at >= 0; at--) {
    const record = log[at];
    if (record === undefined || record.index < core.readIndex) break;
    unread += record.items.filter(
      (item) => item.type === 'message' && item.sender !== core.me && shown(item),
    ).length;
  }
  return unread;
}

const alarmsOf = (room: Room): number =>
  room.state.log.reduce(
    (sum, record) => sum + record.items.filter((item) => item.type === 'alarm').length,
    0,
  );

export function roomViewOf(room: Room, fingerprints: Fingerprints): RoomView {
  const { state } = room;
  const { core, roster } = state;
  const members = [...roster.members.values()].map(({ memberId }): MemberView => ({
    memberId,
    name: state.nameOf(memberId),
    fingerprint: fingerprints.get(memberId) ?? '',
    owner: memberId === roster.owner,
    me: memberId === core.me,
    verified: false,
    here: memberId === core.me && room.live,
    lastSeen: null,
    leaving: false,
  }));
  const key = state.key(core.epoch);
  return {
    roomId: core.roomId,
    name: core.roomName?.name ?? '',
    stage: core.stage,
    owner: state.isOwner,
    me: core.me,
    members,
    key:
      key === null
        ? null
        : {
            epoch: core.epoch,
            since: key.since,
            messages: core.epochMessages,
            rotateEvery: roster.settings.rotateEvery,
            rotating: core.pending !== null && core.pending.rotation !== null,
          },
    invites: [...state.invites.values()].flatMap(inviteViewOf),
    approvals: approvalsOf(room, fingerprints),
    connection: room.connectionState,
    stopped: room.stopped,
    catchingUp: room.connectionState === 'connected' && !room.live && room.stopped === null,
    typing: [],
    alarms: alarmsOf(room),
    ownerAwaySince: null,
    sendingPaused: core.paused,
  };
}

function inviteViewOf(invite: OwnerInvite): InviteView[] {
  if (invite.stage === 'dropping') return [];
  const { inviteId, made, expires, joiner, stage } = invite;
  return [
    {
      inviteId,
      made,
      expires,
      state: stage === 'asked' ? 'claimed' : stage,
      claimedBy: joiner?.name ?? null,
    },
  ];
}

function approvalsOf(room: Room, fingerprints: Fingerprints): RoomView['approvals'] {
  const { state } = room;
  if (!state.roster.settings.approval) return [];
  return [...state.invites.values()].flatMap((invite) =>
    invite.stage !== 'asked' || invite.approved || invite.joiner === null
      ? []
      : [
          {
            inviteId: invite.inviteId,
            name: invite.joiner.name,
            fingerprint: fingerprints.get(invite.inviteId) ?? '',
            invited: invite.made,
          },
        ],
  );
}

/** Everything the page shows of one log record, in order. */
export function itemsOf(room: Room, record: LogRecord, fingerprints: Fingerprints): readonly TimelineItem[] {
  return record.items.flatMap((item, at): readonly TimelineItem[] => {
    const order = record.index * ITEMS_PER_RECORD + at;
    const id = `${String(record.index)}.${String(at)}`;
    if (item.type === 'message') return shown(item) ? [messageOf(room, item, order, fingerprints)] : [];
    if (item.type === 'alarm') {
      const params = { ...item.numbers, member: nameFor(room, item.member, fingerprints) };
      return [{ type: 'alarm', id, order, time: record.time, code: item.code, params, settled: false }];
    }
    return [systemOf(room, item, { id, order, time: record.time }, fingerprints)];
  });
}

function nameFor(room: Room, member: MemberId | null, fingerprints: Fingerprints): string {
  if (member === null) return '';
  const name = room.state.nameOf(member);
  return name === '' ? (fingerprints.get(member) ?? '').slice(0, 8) : name;
}

function systemOf(
  room: Room,
  item: Extract<StoredItem, { type: 'system' }>,
  place: Pick<TimelineSystem, 'id' | 'order' | 'time'>,
  fingerprints: Fingerprints,
): TimelineSystem {
  const { me } = room.state.core;
  return {
    type: 'system',
    ...place,
    event: item.event as TimelineSystem['event'],
    params: {
      ...item.numbers,
      actor: nameFor(room, item.actor, fingerprints),
      actorMe: item.actor === me ? 1 : 0,
      member: nameFor(room, item.member, fingerprints),
      ...(item.text === '' ? {} : { name: item.text }),
    },
    me: (item.member ?? item.actor) === me,
  };
}

function messageOf(
  room: Room,
  item: StoredMessage,
  order: number,
  fingerprints: Fingerprints,
): TimelineMessage {
  const { state } = room;
  const text = textOf(item);
  return {
    type: 'message',
    id: messageIdOf(item.sender, item.mid),
    order,
    time: item.sentAt,
    sender: item.sender,
    senderName: state.nameOf(item.sender),
    fingerprint: fingerprints.get(item.sender) ?? '',
    verified: false,
    mine: item.sender === state.core.me,
    text: text ?? '',
    state: 'relayed',
    readBy: 0,
    unsupported: text === null,
  };
}

/** What waits in the outbox, last in the conversation. */
export function pendingItems(room: Room, fingerprints: Fingerprints): readonly TimelineMessage[] {
  const { core } = room.state;
  return [...room.state.outbox.values()].flatMap((item: OutboxItem) => {
    if (textOf(item) === null) return [];
    const message = { type: 'message', sender: core.me, sentAt: item.made, ...item } as const;
    return [{ ...messageOf(room, message, PENDING_ORDER + item.n, fingerprints), state: 'sending' as const }];
  });
}
