/** What an operator sets, and what a relay that is met for the first time serves (docs/protocol.md sections 3 to 5). */
import type { Mutant } from '../mutant.js';

const LIMITS_SPEC = 'test/integration/operator-limits.spec.ts';
const REFUSED_SPEC = 'test/hostile/owner-refused.spec.ts';
const OWNER = 'libs/client/src/room/owner.ts';
const KEPT = 'a room made under a larger limit keeps its places, and its owner goes on changing the rest';
const LOST = 'a room made under a larger limit comes back to a relay that has lost it';
const SIGNED =
  'one that was signed, and that the relay takes no more of by now, is carried out; what waits behind it too';
const WISHED =
  'one that was wished for without a link, and that the relay takes no more of, is shown as refused';

export const OPERATOR_MUTANTS: readonly Mutant[] = [
  {
    name: 'a room is made without regard to the limits of its relay',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/begin.ts',
        find: 'maxMembers: Math.min(asked.maxMembers, maxMembers)',
        put: 'maxMembers: Math.max(asked.maxMembers, maxMembers)',
      },
    ],
    tests: [{ path: LIMITS_SPEC, name: 'a room is made within 100, the most that the relay allows' }],
  },
  {
    name: 'a relay refuses every change of a room with more places than it allows by now',
    breaks: ['G11', 'G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/handlers/roster.ts',
        find: 'Math.max(before.settings.maxMembers, context.limits.maxMembers)',
        put: 'context.limits.maxMembers',
      },
      { file: OWNER, find: 'this.#restored = pending;', put: '' },
    ],
    tests: [{ path: LIMITS_SPEC, name: KEPT }],
  },
  {
    name: 'a lost room comes back only within the limits of this day',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/handlers/rooms.ts',
        find: '!restored && roster.settings.maxMembers',
        put: 'roster.settings.maxMembers',
      },
    ],
    tests: [{ path: LIMITS_SPEC, name: LOST }],
  },
  {
    name: 'a lost room comes back only within the quota of this day',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/handlers/roster.ts',
        find: 'restored ? LIMITS.settingsEntries : settings.entries',
        put: 'settings.entries',
      },
    ],
    tests: [{ path: LIMITS_SPEC, name: LOST }],
  },
  {
    name: 'a signed entry that is refused is never brought another way',
    breaks: ['G11', 'G16'],
    changes: [{ file: OWNER, find: 'this.#restored = pending;', put: '' }],
    tests: [{ path: LIMITS_SPEC, name: SIGNED }],
  },
  {
    name: 'a refused command of the owner stops the room',
    breaks: ['G11', 'G16'],
    changes: [
      {
        file: OWNER,
        find: "return GONE.includes(code) ? 'unexpected' : 'waits';",
        put: "return 'unexpected';",
      },
    ],
    tests: [
      {
        path: REFUSED_SPEC,
        name: 'G11 G16 with BAD_ENTRY stops no room, at no start, is shown, and is done once it is taken: nothing else was signed on its head',
      },
    ],
  },
  {
    name: 'a refused command of the owner is dropped, and another one signed on its head',
    breaks: ['G7', 'G11'],
    changes: [
      {
        file: OWNER,
        find: "return GONE.includes(code) ? 'unexpected' : 'waits';",
        put: "await this.#room.write((draft) => {\n      draft.apply(set({ pending: null }));\n    });\n    return 'settled';",
      },
      {
        file: OWNER,
        find: '#refused(code: ErrorCode): Outcome {',
        put: 'async #refused(code: ErrorCode): Promise<Outcome> {',
      },
    ],
    tests: [
      {
        path: REFUSED_SPEC,
        name: 'G11 G16 with BAD_ENTRY stops no room, at no start, is shown, and is done once it is taken: nothing else was signed on its head',
      },
    ],
  },
  {
    name: 'a wish that the relay takes no more waits for ever, and says nothing',
    breaks: ['G16'],
    changes: [{ file: OWNER, find: 'await this.#giveUpSettings();', put: '' }],
    tests: [{ path: LIMITS_SPEC, name: WISHED }],
  },
  {
    name: 'an invite beyond the limit is made all the same',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/room/owner-answers.ts',
        find: 'if (refusal !== null) throw refusal;',
        put: '',
      },
    ],
    tests: [
      {
        path: LIMITS_SPEC,
        name: 'one more than the relay allows is refused before anything is made of it, and has its place once another ends',
      },
    ],
  },
];
