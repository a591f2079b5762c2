import type { RelayRow, TimelineAlarm, TimelineItem, TimelineSystem } from '@0fc/client/api';
import { ALARM_CODES } from '@0fc/protocol';

import { at, members, message } from './fake-data';

export const timeline: readonly TimelineItem[] = [
  {
    type: 'system',
    id: 's0',
    order: 0,
    time: at(18, 4, 1),
    timeDoubtful: false,
    event: 'created',
    params: { actor: 'Amina Belkacem' },
    me: true,
  },
  message(
    'm1',
    1,
    at(18, 10, 1),
    1,
    'L’avocate a rappelé. Audience confirmée jeudi 9 h 30, salle 4. https://tribunal.example/role?salle=4',
  ),
  message('m2', 2, at(18, 11, 1), 1, 'Il nous faut quelqu’un qui parle arabe sur place.', { edited: true }),
  {
    type: 'system',
    id: 's1',
    order: 3,
    time: at(0, 2),
    timeDoubtful: false,
    event: 'admitted',
    params: { member: 'Tomás Prado', actor: 'Amina Belkacem' },
    me: false,
  },
  message('m3', 4, at(0, 5), 3, 'سأكون هناك قبل الموعد بنصف ساعة.', {
    reactions: [
      { emoji: '👍', count: 3, mine: true, names: ['Amina Belkacem', 'Jonas Weber', 'Tomás Prado'] },
      { emoji: '🙏', count: 1, mine: false, names: ['Lucie Marchand'] },
    ],
  }),
  {
    type: 'system',
    id: 's2',
    order: 5,
    time: at(0, 6),
    timeDoubtful: false,
    event: 'removed',
    params: { member: 'Karim Aziz', actor: 'Amina Belkacem' },
    me: false,
  },
  {
    type: 'system',
    id: 's3',
    order: 6,
    time: at(0, 6),
    timeDoubtful: false,
    event: 'rotated',
    params: { epoch: 7, actor: 'Amina Belkacem' },
    me: true,
  },
  message('m4', 7, at(0, 7), 2, 'I can drive. Two seats left, leaving from the north exit at 8:15.'),
  message('m5', 8, at(0, 8), 0, 'Take me, please. I’ll bring the printed statements.', {
    replyTo: {
      id: 'm4',
      senderName: 'Jonas Weber',
      text: 'I can drive. Two seats left, leaving from the north exit at 8:15.',
    },
  }),
  {
    type: 'alarm',
    id: 'a1',
    order: 9,
    time: at(0, 9),
    timeDoubtful: false,
    code: 'ALARM_FORK',
    params: { member: 'Jonas Weber' },
    settled: false,
  },
  message('m6', 10, at(0, 10), 4, 'Merci de m’accueillir. Je peux tenir l’entrée à partir de 8 h.'),
  message('m7', 11, at(0, 11), 4, `Le mot le plus long : ${'anticonstitutionnellement'.repeat(4)}`),
  message('m8', 12, at(0, 11), 0, 'We can do it tonight at 7, Tomás?', {
    state: 'sending',
    readBy: 0,
    readers: [],
  }),
];

const unread = { readBy: 0, readers: [] } as const;

/** Lines that the relay lost, that wait for their sender, that wait behind them, and one that came late. */
export const unsentTimeline: readonly TimelineItem[] = [
  ...timeline.filter(({ type }) => type !== 'alarm').slice(0, -1),
  message('late', 13, at(0, 12), 2, 'The north exit is closed on Thursday.', { late: true, again: true }),
  message('x1', 14, at(0, 13), 0, 'The lawyer’s number is on the list.', {
    ...unread,
    state: 'lost',
    newcomers: ['Tomás Prado'],
  }),
  message('x2', 15, at(0, 13), 0, 'I’ll be there at eight.', { ...unread, state: 'lost' }),
  message('w1', 2 ** 52 + 1, at(0, 14), 0, 'Her address is in the file, second drawer.', {
    ...unread,
    state: 'waiting',
    newcomers: ['Tomás Prado', 'Noé'],
  }),
  message('w2', 2 ** 52 + 2, at(0, 14), 0, 'Keep it to yourselves.', {
    ...unread,
    state: 'waiting',
    newcomers: ['Noé'],
  }),
  message('w3', 2 ** 52 + 3, at(0, 15), 0, 'Welcome, both of you.', { ...unread, state: 'sending' }),
];

const EVENTS: readonly (readonly [TimelineSystem['event'], TimelineSystem['params']?])[] = [
  ['created'],
  ['admitted'],
  ['removed'],
  ['leaving'],
  ['left'],
  ['transferred'],
  ['settings'],
  [
    'settings',
    {
      rotateEvery: 2, rotateEveryWas: 100, maxMembers: 2, maxMembersWas: 256, maxMembersLow: 1, history: 0, historyWas: 100_000,
      historyLow: 1, approval: 0, approvalWas: 1, joinDeadline: 60_000, joinDeadlineWas: 86_400_000, joinDeadlineLow: 1,
    },
  ], // prettier-ignore
  ['closed'],
  ['rotated', { epoch: 8 }],
  ['rotated', { epoch: 8, unwrapped: 1, mine: 0 }],
  ['rotated', { epoch: 8, unwrapped: 220, mine: 0 }],
  ['rotated', { epoch: 8, unwrapped: 220, mine: 1 }],
  ['rotated', { epoch: 380, times: 372 }],
  ['rotatedCold', { epoch: 8 }],
  ['missed', { from: 12, to: 40 }],
  ['closedAgain', { epoch: 7 }],
  ['joinDropped'],
  ['joinEnded'],
  ['name', { name: 'Collectif Rive Gauche' }],
  ['inviteRefused'],
  ['inviteRefused', { tries: 3 }],
  ['inviteBurnt', { tries: 5 }],
  ['inviteAltered'],
  ['inviteFull', { members: 256 }],
  ['keyAsked', { epoch: 8 }],
  ['keyGranted', { epoch: 8 }],
  ['keyGiven', { epoch: 8 }],
  ['imported'],
  ['prekeyBehind'],
  ['unwrapped', { epoch: 8 }],
  ['offered'],
  ['offerWithdrawn'],
  ['joinExpired'],
  ['settingsRefused', { max: 1_000 }],
  ['placesRefused', { max: 100 }],
];

/** Each event once, as somebody else's and as one's own. */
export const everyEvent: readonly TimelineItem[] = EVENTS.flatMap(([event, params], index) =>
  [false, true].map((me, half): TimelineSystem => ({
    type: 'system',
    id: `e${String(index)}${me ? 'me' : ''}`,
    order: index * 2 + half,
    time: at(0, index),
    timeDoubtful: false,
    event,
    params: { actor: 'Amina Belkacem', member: 'Tomás Prado', ...params },
    me,
  })),
);

export const everyAlarm: readonly TimelineAlarm[] = Object.values(ALARM_CODES).map(
  (code, index): TimelineAlarm => ({
    type: 'alarm',
    id: `alarm-${code}`,
    order: index,
    time: at(0, index),
    timeDoubtful: false,
    code,
    params: { member: 'Jonas Weber', from: 12, to: 40, restored: 3, report: 3141592653 },
    settled: index % 4 === 3,
  }),
);

export const longTimeline = (count: number): readonly TimelineItem[] =>
  Array.from({ length: count }, (_, n) =>
    message(`l${String(n)}`, n, Date.now() - (count - n) * 60_000, n % 6, `Message ${String(n)}`),
  );

/** Answers, at the end of a long conversation, to what is near, far, farther and not there. */
export const quotingTimeline = (count: number): readonly TimelineItem[] => [
  ...longTimeline(count),
  ...[`l${String(count - 500)}`, 'l7', 'lost', null].map((id, n) =>
    message(`q${String(n)}`, count + n, Date.now(), n % 2, `Answer ${String(n)}`, {
      replyTo: {
        id,
        senderName: id === null ? 'Jonas Weber' : 'Lucie Marchand',
        text: id === null ? '' : 'Quoted',
      },
    }),
  ),
];

const hex = (n: number): string =>
  Array.from({ length: 16 }, (_, k) => ((n * 131 + k * 37 + 61) % 256).toString(16).padStart(2, '0')).join(
    '',
  );

const UNPLACED: ReadonlySet<string> = new Set(['sending', 'waiting', 'lost']);

/** The same conversation as the relay holds it: what is not in the log has no row. */
export function relayRows(items: readonly TimelineItem[]): readonly RelayRow[] {
  let generation = 1;
  let inGeneration = 0;
  return items.flatMap((item): RelayRow[] => {
    if (item.type === 'alarm' || (item.type === 'message' && UNPLACED.has(item.state))) return [];
    const rotation = item.type === 'system' && item.event === 'rotated';
    if (rotation) {
      generation += 1;
      inGeneration = 0;
    }
    inGeneration += 1;
    const sender = item.type === 'message' ? item.sender : 'amina';
    const says = item.type === 'message' ? item.text : '';
    return [
      {
        position: { g: generation, s: inGeneration },
        kind: item.type === 'message' ? 'message' : rotation ? 'rotation' : 'roster',
        sender,
        time: item.time,
        timeDoubtful: item.timeDoubtful,
        clearBytes: rotation ? 310 : item.type === 'message' ? 118 : 203,
        payloadBytes: 256 * Math.ceil((says.length + 90) / 256) + 44,
        sample: hex(item.order),
        senderName: members.find(({ memberId }) => memberId === sender)?.name ?? '',
        says,
        what: item.type === 'message' ? 'text' : item.event,
      },
    ];
  });
}
