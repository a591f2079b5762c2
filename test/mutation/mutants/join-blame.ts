/** Who is blamed, and what is lost, where a join does not go as it should (docs/protocol.md section 5). */
import type { Mutant } from '../mutant.js';

const BLAME = 'test/hostile/joins/join-blame.spec.ts';
const ROOM_ACTS = 'libs/client/src/account/room-acts.ts';
const ROOM_ACTS_SPEC = 'libs/client/src/account/room-acts.spec.ts';
const PROOF = 'libs/client/src/account/joining/join-proof.ts';
const LOG_END = 'libs/client/src/room/outgoing/log-queries.ts';
const LOG_END_SPEC = 'libs/client/src/room/outgoing/log-queries.spec.ts';
const ANSWERED =
  'G2 whoever was answered already, and finds no place when it confirms, is not told that its link goes on once there is one';
const UNREAD =
  'G14 G16 a newcomer who is proven admitted is a member while its log cannot be read: what it writes waits, and the room is not forgotten without a warning';

export const JOIN_BLAME_MUTANTS: readonly Mutant[] = [
  {
    name: 'an admission that the log lacks is the owner’s doing',
    breaks: ['G2', 'G14'],
    changes: [
      {
        file: PROOF,
        find: 'if (!admitted) throw new ClientError(ERROR_CODES.RELAY_LIED);',
        put: 'if (!admitted) throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);',
      },
    ],
    tests: [
      {
        path: BLAME,
        name: 'G2 G14 a log that ends before one’s own admission, which the chain has, is the relay’s contradiction: the owner is not blamed, and the join ends well by itself once the log is served',
      },
    ],
  },
  {
    name: 'a chain that ends before the head of a reply is the owner’s doing',
    breaks: ['G2', 'G14'],
    changes: [
      {
        file: PROOF,
        find: 'if (roster === undefined) throw new ClientError(ERROR_CODES.JOIN_REPLY_MISPLACED);',
        put: 'if (roster === undefined) throw new ClientError(ERROR_CODES.INVITE_REPLY_INVALID);',
      },
    ],
    tests: [
      {
        path: BLAME,
        name: 'G2 G14 a roster chain that ends before the head of the reply blames no owner alone: the join ends well by itself once the chain is served',
      },
    ],
  },
  {
    name: 'the log before one’s own admission has no bound in bytes',
    breaks: ['G14'],
    changes: [{ file: LOG_END, find: '!admitted && bytes > ADMISSION_BYTES', put: '!admitted && bytes < 0' }],
    tests: [
      {
        path: LOG_END_SPEC,
        name: 'of large entries is read for so many bytes',
      },
    ],
  },
  {
    name: 'who has not read its admission yet is on no roster',
    breaks: ['G14', 'G16'],
    changes: [
      {
        file: 'libs/client/src/view/summary.ts',
        find: "live && state.core.stage === 'member' &&",
        put: "(live || !live) && state.core.stage === 'member' &&",
      },
    ],
    tests: [
      { path: ROOM_ACTS_SPEC, name: 'a room is forgotten only once it is over' },
      { path: BLAME, name: UNREAD },
    ],
  },
  {
    name: 'a newcomer is asked before what it has written itself goes to it',
    breaks: ['G18'],
    changes: [
      { file: 'libs/client/src/room/log/lost.ts', find: 'memberId !== snapshot.core.me && ', put: '' },
    ],
    tests: [{ path: BLAME, name: UNREAD }],
  },
  {
    name: 'whoever was answered is turned away for want of a place as one who was not',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: "this.joins.markDropped(draft, inviteId, 'other')",
        put: "this.joins.markDropped(draft, inviteId, 'full')",
      },
    ],
    tests: [{ path: BLAME, name: ANSWERED }],
  },
  {
    name: 'the line of a join that was answered says that nothing was given out',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner-joins.ts',
        find: "invite.replies.length > 0 ? 'joinEnded' : 'inviteRefused'",
        put: "'inviteRefused'",
      },
    ],
    tests: [{ path: BLAME, name: ANSWERED }],
  },
  {
    name: 'a new membership is written among the records of a damaged one',
    breaks: ['G16'],
    changes: [{ file: ROOM_ACTS, find: 'rooms.has(key) || damaged.has(key)', put: 'rooms.has(key)' }],
    tests: [
      {
        path: ROOM_ACTS_SPEC,
        name: 'a new membership is written under no key that has records, be they readable or damaged',
      },
    ],
  },
  {
    name: 'any answer makes what is refused for ever be asked for at once again',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/outgoing/lane.ts',
        find: 'if (due === null || due.kind === this.#failing) {',
        put: 'if (due === null || due.kind !== null) {',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/outgoing/lane.spec.ts',
        name: 'asks less and less often while the request itself is refused for ever, whatever else is answered in between',
      },
    ],
  },
  {
    name: 'a joiner enters with the key of an epoch that was over by its admission',
    breaks: ['G2', 'G14'],
    changes: [
      {
        file: 'libs/client/src/account/joining/join-proof.ts',
        find: 'if (epoch !== reply.epoch) throw',
        put: 'if (epoch < reply.epoch) throw',
      },
    ],
    tests: [
      {
        path: 'test/hostile/owner/owner-lies.spec.ts',
        name: 'G2 G14 the key of an epoch that is over by the admission ends in that failure too: nobody is locked in',
      },
    ],
  },
];
