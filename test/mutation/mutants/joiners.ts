/** What somebody with only a link brings about, and what a joiner is told (docs/protocol.md section 5). */
import type { Mutant } from '../mutant.js';

const ANSWERS = 'libs/client/src/room/owner/invites.ts';
const OWNER_JOINS = 'libs/client/src/room/owner/owner-joins.ts';
const STAGES = 'libs/client/src/room/owner/invite-stages.ts';
const ACTS = 'libs/client/src/account/room-acts.ts';
const BEGIN = 'libs/client/src/account/create-room.ts';
const SPEC = 'test/hostile/joins/joiner-lies.spec.ts';
const DISPATCH = 'apps/relay/src/rooms/commands/dispatch.ts';
const STRANGERS = 'test/integration/relay-strangers.spec.ts';
const CHAIN = 'a joiner reads the chain from the reply on, until its join has ended';
const JOIN_STEPS = 'libs/client/src/account/joining/join-steps.ts';
const JOIN_LIES = 'test/hostile/joins/joins-lies.spec.ts';
const FIRST = 'test/hostile/joins/first-relay.spec.ts';

export const JOINER_MUTANTS: readonly Mutant[] = [
  {
    name: 'the key of a full room is given out',
    breaks: ['G2'],
    changes: [{ file: ANSWERS, find: 'if (isFull(draft)) {', put: 'if (draft.roster.members.size < 0) {' }],
    tests: [
      {
        path: SPEC,
        name: 'G2 gives no key to whoever comes with a link, says why on both sides, and admits with the same link later',
      },
    ],
  },
  {
    name: 'who was given the key and has not confirmed takes no place',
    breaks: ['G2'],
    changes: [
      {
        file: STAGES,
        find: 'return roster.members.size + answered.length >= roster.settings.maxMembers;',
        put: 'return roster.members.size + 0 * answered.length >= roster.settings.maxMembers;',
      },
    ],
    tests: [
      {
        path: SPEC,
        name: 'G2 counts who was answered and has not confirmed: of two at one place one gets a key',
      },
    ],
  },
  {
    name: 'bad proofs are counted without an end',
    breaks: ['G2'],
    changes: [{ file: STAGES, find: 'const BAD_PROOFS = 5;', put: 'const BAD_PROOFS = 50;' }],
    tests: [
      { path: SPEC, name: 'G2 write one line for an invite, with their number, and the fifth ends it' },
    ],
  },
  {
    name: 'every bad proof has a line of its own',
    breaks: ['G2', 'G6'],
    changes: [
      {
        file: OWNER_JOINS,
        find: 'draft.apply(badProofs === undefined ? append(null, now, [item]) : replaceItems(line, [item]));',
        put: 'draft.apply(line < 0 ? replaceItems(line, [item]) : append(null, now, [item]));',
      },
    ],
    tests: [
      { path: SPEC, name: 'G2 write one line for an invite, with their number, and the fifth ends it' },
    ],
  },
  {
    name: 'whoever was in a room before cannot come in again',
    breaks: ['G14'],
    changes: [{ file: ACTS, find: "if (stages.includes('member'))", put: 'if (stages.length > 0)' }],
    tests: [
      {
        path: SPEC,
        name: 'G10 G11 and was removed comes in again by a new link, as somebody new, and keeps the log of before',
      },
    ],
  },
  {
    name: 'a new membership takes the place of the log of before',
    breaks: ['G14'],
    changes: [
      {
        file: BEGIN,
        find: '...(join.membership === undefined ? {} : { membership: join.membership }),',
        put: '',
      },
    ],
    tests: [
      {
        path: SPEC,
        name: 'G10 G11 and was removed comes in again by a new link, as somebody new, and keeps the log of before',
      },
    ],
  },
  {
    name: 'a link may end at any time to come',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/account/invite-text.ts',
        find: 'if (link.expires > now + LIMITS.inviteLifetimeMs + LIMITS.inviteClockMs)',
        put: 'if (link.expires > now + LIMITS.inviteLifetimeMs * LIMITS.inviteClockMs)',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/account/invite-text.spec.ts',
        name: 'that ends later than any owner’s client makes one is refused, whatever the number',
      },
    ],
  },
  {
    name: 'whoever has asked to leave waits for the log to say so',
    breaks: ['G14'],
    changes: [{ file: ACTS, find: 'if (!hasEnded(room) && !leaves)', put: 'if (!hasEnded(room) || leaves)' }],
    tests: [
      {
        path: FIRST,
        name: 'G14 that the relay swallows keeps nobody: the room is forgotten at once, after being asked for that alone',
      },
    ],
  },
  {
    name: 'a line that waits in a room that has ended is on its way',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/view/timeline.ts',
        find: "if (ended && conversation.itemsOf(message).length > 0) return 'unsent';",
        put: '',
      },
    ],
    tests: [
      {
        path: FIRST,
        name: 'G16 is shown as not sent, with its text, where that is removed, and after a restart',
      },
    ],
  },
  {
    name: 'the relay’s “declined” ends a join for good',
    breaks: ['G2', 'G14'],
    changes: [
      {
        file: 'libs/client/src/account/account-joins.ts',
        find: 'if (running?.record.inviteId === inviteId) {',
        put: 'if (running?.record.inviteId === inviteId && running.record.failure === null) {',
      },
    ],
    tests: [
      {
        path: FIRST,
        name: 'G2 G14 said by the relay alone ends no join: the same link goes on with the same key and token',
      },
    ],
  },
  {
    name: 'a room that is closed is told apart from one that is not there',
    breaks: ['G11'],
    changes: [
      {
        file: DISPATCH,
        find: "if (code === 'ROOM_CLOSED' || code === 'ROOM_UNKNOWN') throw unknown;",
        put: '',
      },
    ],
    tests: [
      {
        path: STRANGERS,
        name: 'is not told apart from one that is not there, whatever is asked, by a code or anything beside it',
      },
    ],
  },
  {
    name: 'a stranger is told that a room is there',
    breaks: ['G11'],
    changes: [
      {
        file: DISPATCH,
        find: "if (found.ok && found.role !== 'stranger') throw error;",
        put: 'if (found.ok) throw error;',
      },
    ],
    tests: [
      {
        path: STRANGERS,
        name: 'is as good as not there for a joiner whose join has ended, on the same connection',
      },
    ],
  },
  {
    name: 'who has claimed a link reads the roster before its owner has answered',
    breaks: ['G2'],
    changes: [
      {
        file: 'apps/relay/src/store/sqlite/read.ts',
        find: "if (reader !== undefined && !departed && !isAnswered(tx, roomId, reader)) return refuse('FORBIDDEN');",
        put: '',
      },
    ],
    tests: [{ path: 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts', name: CHAIN }],
  },
  {
    name: 'Redis shows the roster to who has only claimed a link',
    breaks: ['G2'],
    changes: [
      {
        file: 'apps/relay/src/store/redis/scripts/read-chain.lua',
        find: "if not known and not answered(who) then return {'FORBIDDEN'} end",
        put: '',
      },
    ],
    tests: [{ path: 'apps/relay/src/store/redis/redis-room-store.spec.ts', name: CHAIN }],
  },
  {
    name: 'a joiner reads the roster as a member does',
    breaks: ['G2'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/rooms.ts',
        find: "role === 'departed' || role === 'joiner' ? peer.memberId : undefined",
        put: "role === 'departed' ? peer.memberId : undefined",
      },
    ],
    tests: [
      {
        path: 'test/integration/relay.spec.ts',
        name: 'one of two claimants wins, and the joiner and the owner hear each step',
      },
    ],
  },
  {
    name: 'a joiner that was once called a member asks for no answer any more',
    breaks: ['G14'],
    changes: [{ file: JOIN_STEPS, find: 'this.#isMember = false;', put: 'this.#unknown += 0;' }],
    tests: [
      {
        path: JOIN_LIES,
        name: 'G2 G14 ALREADY_MEMBER in reply to one claim is no more than the word of one session: the joiner comes in by itself',
      },
    ],
  },
  {
    name: 'the reply that a joiner has confirmed is no use beside what the relay has',
    breaks: ['G14'],
    changes: [{ file: JOIN_STEPS, find: 'await this.#enter(confirmed);', put: 'throw error;' }],
    tests: [
      {
        path: JOIN_LIES,
        name: 'G2 G14 brings its joiner in, whatever the relay makes of it afterwards',
      },
    ],
  },
];
