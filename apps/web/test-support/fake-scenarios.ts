import type { AppView, RoomSummary, RoomView, TimelineItem } from '@0fc/client/api';

import { appView, at, member, members, rooms, roomView } from './fake-data';
import {
  everyAlarm,
  everyEvent,
  longTimeline,
  quotingTimeline,
  timeline,
  unsentTimeline,
} from './fake-timeline';

/** What the worker would tell at first: `?fake=<name>` in the address of the fake build. */
export interface Scenario {
  readonly app: AppView;
  readonly room: RoomView;
  /** everything in the vault; the page gets it in windows */
  readonly items: readonly TimelineItem[];
}

const here = 'room-rive';
const since = at(0, 4);
const guest: Partial<RoomView> = { owner: false, approvals: [], invites: [], me: 'ines', typing: [] };
const guestMembers = members.map((one) => ({ ...one, me: one.memberId === 'ines', leaving: false }));

const listed = (changes: Partial<RoomSummary>): Partial<AppView> => ({
  rooms: rooms.map((room) => (room.roomId === here ? { ...room, ...changes } : room)),
});

function make(
  room: Partial<RoomView> = {},
  app: Partial<AppView> = {},
  items: readonly TimelineItem[] = timeline,
): Scenario {
  return { app: appView(app), room: roomView(room), items };
}

const asGuest = (room: Partial<RoomView> = {}, list: Partial<RoomSummary> = {}): Scenario =>
  make({ ...guest, members: guestMembers, ...room }, listed({ owner: false, ...list }));

const stopped = (code: string, resumes = true): Scenario => {
  const reason = { connection: 'stopped', stopped: { code, params: {}, resumes } } as const;
  return asGuest(reason, reason);
};

const waiting = (code: string): Scenario => make({ waiting: code, typing: [] });

const offer = { memberId: 'amina', name: 'Amina Belkacem', since, accepted: false };

/** Lines whose time is marked: a message of others, one of one's own, an event, an alarm. */
const DOUBTFUL = new Set(['m3', 'm5', 's2', 'a1']);
/** What a translation that reads values again would never end to read. */
const BAIT = '{{name}} {{text}} {{common.you}}';

const SCENARIOS: Readonly<Record<string, () => Scenario>> = {
  absent: () => make({}, { vault: 'absent', rooms: [] }),
  locked: () => make({}, { vault: 'locked', rooms: [] }),
  elsewhere: () => make({}, { vault: 'elsewhere', rooms: [] }),
  empty: () => make({}, { rooms: [] }),
  rooms: () => make(),
  guest: () => asGuest(),
  offline: () => ({
    ...make({ connection: 'offline', typing: [] }),
    app: appView({ relay: { ...appView().relay, state: 'offline' } }),
  }),
  quiet: () =>
    make(
      {
        members: [member(0, { owner: true, me: true })],
        alarms: 0,
        approvals: [],
        invites: [],
        typing: [],
        unreadFrom: 1,
      },
      {},
      timeline.slice(0, 1),
    ),
  long: () => make({ alarms: 0, unreadFrom: 10_000, earlier: true }, {}, longTimeline(10_000)),
  quoting: () => make({ alarms: 0, unreadFrom: 10_010, earlier: true }, {}, quotingTimeline(900)),
  quotingfar: () => make({ alarms: 0, unreadFrom: 10_010, earlier: true }, {}, quotingTimeline(4_300)),
  events: () => make({ alarms: 0, unreadFrom: 100 }, {}, everyEvent),
  alarms: () => make({ alarms: everyAlarm.length, unreadFrom: 100 }, {}, everyAlarm),
  orderunknown: () =>
    make(
      { alarms: 0, unreadFrom: 100 },
      {},
      timeline.map((item) => (item.type === 'message' ? { ...item, orderUnknown: item.id === 'm3' } : item)),
    ),
  doubtful: () =>
    make(
      { unreadFrom: 100 },
      {},
      timeline.map((item) => ({ ...item, timeDoubtful: DOUBTFUL.has(item.id) })),
    ),
  bait: () =>
    make(
      {
        name: BAIT,
        members: members.map((one, at) => (at === 1 ? { ...one, name: BAIT } : one)),
        typing: [BAIT],
      },
      { rooms: rooms.map((room) => (room.roomId === here ? { ...room, name: BAIT } : room)) },
      timeline.map((item) => (item.type === 'message' ? { ...item, senderName: BAIT, text: BAIT } : item)),
    ),
  nameless: () =>
    asGuest({
      members: guestMembers.map((one, at) =>
        at === 1 ? { ...one, name: '' } : at === 2 ? { ...one, confusable: true } : one,
      ),
    }),
  departure: () => asGuest({ paused: 'departure' }),
  restore: () => asGuest({ paused: 'restore' }),
  unlisted: () => asGuest({ unlisted: true, members: guestMembers.filter(({ me }) => !me) }),
  nokey: () => asGuest({ paused: 'key', key: null }),
  unsent: () =>
    make({ alarms: 0, unreadFrom: 100, typing: [], approvals: [], held: ['w1', 'w2'] }, {}, unsentTimeline),
  storefull: () => waiting('STORE_FULL'),
  ratelimited: () => waiting('RATE_LIMITED'),
  relaybusy: () => waiting('TRY_AGAIN'),
  relayfault: () => waiting('INTERNAL'),
  staleepoch: () => waiting('STALE_EPOCH'),
  leaving: () =>
    asGuest({
      leaving: true,
      members: guestMembers.map((one) => ({ ...one, leaving: one.me })),
    }),
  closing: () => make({ closing: true }),
  away: () => asGuest({ ownerAwaySince: at(18, 11, 1) }),
  due: () =>
    make(
      { key: { epoch: 7, since, messages: 100, rotateEvery: 100, rotating: true } },
      listed({ rotationDue: true }),
    ),
  offered: () => asGuest({ ownershipTransfer: { role: 'offered', ...offer } }),
  offering: () =>
    make({
      ownershipTransfer: {
        role: 'offering',
        memberId: 'lucie',
        name: 'Lucie Marchand',
        since,
        accepted: false,
      },
    }),
  left: () => asGuest({ stage: 'left' }, { stage: 'left' }),
  removed: () => asGuest({ stage: 'removed' }, { stage: 'removed' }),
  closed: () => asGuest({ stage: 'closed' }, { stage: 'closed' }),
  gone: () => stopped('ROOM_UNKNOWN'),
  replaced: () => stopped('REPLACED', false),
  badkey: () => stopped('BAD_KEY', false),
  full: () => stopped('VAULT_FULL'),
  clock: () => stopped('CLOCK_WRONG'),
  lied: () => stopped('RELAY_LIED'),
  otherkey: () => stopped('RELAY_KEY_MISMATCH', false),
  saidclosed: () => stopped('ROOM_CLOSED'),
  twins: () =>
    make(
      { members: members.map((one, index) => ({ ...one, confusable: index === 1 || index === 2 })) },
      {},
      timeline.map((item) =>
        item.type === 'message' && item.verified
          ? { ...item, confusable: true, senderName: 'Jonas Weber' }
          : item,
      ),
    ),
  busy: () =>
    make({
      members: members.map((one, index) => ({
        ...one,
        removing: index === 3,
        oldPrekey: index === 4,
        receipt: index === 2 ? 'presence' : index === 5 ? 'none' : one.receipt,
      })),
    }),
  drafts: () => make({ draft: 'I can also bring' }, listed({ draft: 'I can also bring', unread: 0 })),
};

export const scenarioOf = (name: string): Scenario => (SCENARIOS[name] ?? make)();
