import type { AppView, JoinView, MemberView, RoomSummary, RoomView, TimelineMessage } from '@0fc/client/api';

/** A conversation like the design's: for specs and for looking at the screens. No real data. */
const today = new Date();
export const at = (hours: number, minutes: number, daysAgo = 0): number =>
  new Date(today.getFullYear(), today.getMonth(), today.getDate() - daysAgo, hours, minutes).getTime();

export const RELAY = '7F3A91C20B4ED815';
/** of a relay with another key */
export const OTHER_RELAY = '7F3A44D0E19B2C07';
export const SAFETY_NUMBER = '310477928156604419820573661190428853774021695530118742960357';

const people = [
  ['amina', 'Amina Belkacem', '3E91B07C5D22A84F'],
  ['lucie', 'Lucie Marchand', '91D47A0E66B1C3F0'],
  ['jonas', 'Jonas Weber', 'B6F23C1854E0A97D'],
  ['maryam', 'Maryam Haddad', '0A7DE5C3912B4F68'],
  ['tomas', 'Tomás Prado', 'D81B4F60A3C95E27'],
  ['ines', 'Inès Faure', '6E20A9F41D7CB835'],
] as const;

export const member = (index: number, changes: Partial<MemberView> = {}): MemberView => {
  const [memberId, name, fingerprint] = people[index] ?? people[0];
  return {
    memberId,
    name,
    fingerprint,
    confusable: false,
    owner: false,
    me: false,
    verified: false,
    online: false,
    lastSeen: at(0, 30),
    leaving: false,
    removing: false,
    receipt: 'log',
    oldPrekey: false,
    ...changes,
  };
};

export const members: readonly MemberView[] = [
  member(0, { owner: true, me: true, online: true }),
  member(1, { verified: true, online: true }),
  member(2, { verified: true }),
  member(3, { online: true }),
  member(4, { lastSeen: null }),
  member(5, { online: true, leaving: true }),
];

export const message = (
  id: string,
  order: number,
  time: number,
  who: number,
  text: string,
  changes: Partial<TimelineMessage> = {},
): TimelineMessage => {
  const [sender, senderName, fingerprint] = people[who] ?? people[0];
  return {
    type: 'message',
    id,
    order,
    time,
    timeDoubtful: false,
    sender,
    senderName,
    fingerprint,
    confusable: false,
    verified: who === 1 || who === 2,
    mine: who === 0,
    text,
    state: 'read',
    newcomers: [],
    late: false,
    again: false,
    orderUnknown: false,
    readBy: 4,
    readers: ['Lucie Marchand', 'Jonas Weber', 'Maryam Haddad', 'Inès Faure'],
    unsupported: false,
    replyTo: null,
    reactions: [],
    edited: false,
    deleted: false,
    ...changes,
  };
};

export const summary = (roomId: string, name: string, changes: Partial<RoomSummary> = {}): RoomSummary => ({
  roomId,
  name,
  stage: 'member',
  owner: false,
  unread: 0,
  last: null,
  time: at(0, 1),
  alarms: 0,
  rotationDue: false,
  connection: 'connected',
  stopped: null,
  draft: '',
  ...changes,
});

export const rooms: readonly RoomSummary[] = [
  summary('room-rive', 'Collectif Rive Droite', {
    owner: true,
    unread: 2,
    alarms: 1,
    time: at(0, 11),
    last: { sender: 'Tomás', mine: false, text: 'Merci, c’est noté. À jeudi alors.', time: at(0, 11) },
  }),
  summary('room-perm', 'Permanence juridique', {
    last: { sender: 'Amina', mine: true, text: 'I’ll send the form tonight', time: at(0, 1) },
  }),
  summary('room-night', 'Night shift', {
    unread: 12,
    time: at(0, 0),
    last: { sender: 'Ola', mine: false, text: 'Handover done, all quiet. Sleep well', time: at(0, 0) },
  }),
  summary('room-trad', 'Traduction ar–fr', {
    time: at(9, 0, 2),
    last: { sender: 'Maryam', mine: false, text: 'J’ai relu les deux premières pages', time: at(9, 0, 2) },
  }),
  summary('room-b', 'Source B', { time: at(9, 0, 3), stage: 'removed' }),
  summary('room-red', 'Rédaction, édition du samedi et suppléments', {
    time: at(9, 0, 9),
    rotationDue: true,
  }),
];

export const roomView = (changes: Partial<RoomView> = {}): RoomView => ({
  roomId: 'room-rive',
  name: 'Collectif Rive Droite',
  stage: 'member',
  owner: true,
  me: 'amina',
  members,
  key: { epoch: 7, since: at(0, 6), messages: 37, rotateEvery: 100, rotating: false },
  settings: { rotateEvery: 100, approval: true, history: 100_000, maxMembers: 256, joinDeadline: 86_400_000 },
  settingsWished: null,
  ownershipTransfer: null,
  leaving: false,
  closing: false,
  draft: '',
  unreadFrom: 10,
  earlier: false,
  invites: [
    { inviteId: 'i1', made: at(0, 3), expires: Date.now() + 3_600_000, state: 'claimed', claimedBy: 'Noé' },
    {
      inviteId: 'i2',
      made: at(18, 4, 1),
      expires: Date.now() + 3 * 3_600_000,
      state: 'open',
      claimedBy: null,
    },
  ],
  approvals: [
    {
      inviteId: 'i1',
      name: 'Noé',
      fingerprint: '4C1E09B7D3A2611F',
      safetyNumber: SAFETY_NUMBER,
      invited: at(0, 3),
    },
  ],
  connection: 'connected',
  stopped: null,
  catchingUp: false,
  unlisted: false,
  typing: ['Tomás'],
  alarms: 1,
  ownerAwaySince: null,
  paused: null,
  held: [],
  waiting: null,
  ...changes,
});

export const appView = (changes: Partial<AppView> = {}): AppView => ({
  vault: 'open',
  sharing: { receipts: true, typing: true, presence: true },
  relay: { fingerprint: RELAY, pinnedBy: 'vault', state: 'connected', barred: null, followed: null },
  rooms,
  joins: [],
  damaged: [],
  overwrites: true,
  ...changes,
});

export const joinView = (changes: Partial<JoinView> = {}): JoinView => ({
  roomId: 'room-join',
  inviteId: 'i9',
  displayName: 'Inès Faure',
  ownerFingerprint: '3E91B07C5D22A84F',
  myFingerprint: '6E20A9F41D7CB835',
  relayFingerprint: RELAY,
  safetyNumber: SAFETY_NUMBER,
  expires: Date.now() + 5 * 3_600_000,
  done: [],
  current: 'claim',
  connection: 'connected',
  failure: null,
  ...changes,
});
