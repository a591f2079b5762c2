/** What an operator sets, and what a relay that is met for the first time serves (docs/protocol.md sections 3 to 5). */
import type { Mutant } from '../mutant.js';

const LIMITS_SPEC = 'test/integration/operator-limits.spec.ts';
const PINS_SPEC = 'test/integration/relay-pins.spec.ts';
const PIN = 'libs/client/src/account/relay-pin.ts';
const LATE = 'libs/client/src/account/deferred-pin.ts';
const LATE_SPEC = 'libs/client/src/account/deferred-pin.spec.ts';
const BOUNDS_SPEC = 'test/hostile/joins/first-relay-bounds.spec.ts';
const READING_SPEC = 'libs/client/src/room/outgoing/log-queries.spec.ts';
const REFUSED_SPEC = 'test/hostile/owner/owner-refused.spec.ts';
const OWNER = 'libs/client/src/room/owner/owner.ts';
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
        file: 'libs/client/src/account/create-room.ts',
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
        file: 'apps/relay/src/rooms/commands/roster-changes.ts',
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
        file: 'apps/relay/src/rooms/commands/rooms.ts',
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
        file: 'apps/relay/src/rooms/commands/roster-changes.ts',
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
        find: "return ROOM_REFUSALS.includes(code) ? 'unexpected' : 'waits';",
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
        find: "return ROOM_REFUSALS.includes(code) ? 'unexpected' : 'waits';",
        put: "await this.#room.write((draft) => {\n      draft.apply(set({ pending: null }));\n    });\n    return 'settled';",
      },
      {
        file: OWNER,
        find: '#refused(code: ErrorCode): RefusalOutcome {',
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
        file: 'libs/client/src/room/owner/invites.ts',
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
  {
    name: 'a key that is compiled in is not kept',
    breaks: ['G13'],
    changes: [
      {
        file: PIN,
        find: 'await this.#keep(vault);',
        put: '',
      },
    ],
    tests: [
      {
        path: PINS_SPEC,
        name: 'is the vault’s from then on: a build without one goes on with it, whatever config.json says',
      },
    ],
  },
  {
    name: 'pins that differ keep the vault shut',
    breaks: ['G13', 'G14'],
    changes: [
      {
        file: PIN,
        find: 'this.#conflict = compiled;',
        put: 'throw new ClientError(ERROR_CODES.RELAY_KEY_MISMATCH);',
      },
    ],
    tests: [
      {
        path: PINS_SPEC,
        name: 'and then another one: rooms and joins each say so, are read and not connected; the first build goes on',
      },
    ],
  },
  {
    name: 'a join of another relay is not told apart',
    breaks: ['G13'],
    changes: [
      {
        file: PIN,
        find: 'return invite === null || this.#fits(invite) ?',
        put: 'return invite?.length !== 0 ?',
      },
    ],
    tests: [{ path: PINS_SPEC, name: 'that a stored join does not fit costs that join alone' }],
  },
  {
    name: 'a damaged draft keeps the vault shut',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/account/drafts.ts',
        find: 'await vault.listReadable(STORES.app, PREFIX, PREFIX + KEYS_END)',
        put: 'await vault.listFrom(STORES.app, PREFIX)',
      },
    ],
    tests: [{ path: PINS_SPEC, name: 'draft: costs nothing but itself' }],
  },
  {
    name: 'a config.json is read to its end, wherever that is',
    breaks: ['G13'],
    changes: [
      {
        file: 'libs/client/src/link/relay-address.ts',
        find: 'if (length > CONFIG_BYTES) {',
        put: 'if (length < 0) {',
      },
    ],
    tests: [{ path: BOUNDS_SPEC, name: 'G13 a config.json without end is left after its first bytes' }],
  },
  {
    name: 'of a chain that does not prove itself the rest is read',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/outgoing/log-queries.ts',
        find: 'roster = await proved(hash, roomId, roster, container);',
        put: 'roster = await proved(hash, roomId, roster, container).catch(() => roster);',
      },
    ],
    tests: [
      {
        path: BOUNDS_SPEC,
        name: 'G11 a chain without end is left at the first page that does not prove itself, and so at every start',
      },
      {
        path: BOUNDS_SPEC,
        name: 'G11 G16 a member who has missed a trimmed range reads one page of a chain without end, and goes on',
      },
      {
        path: READING_SPEC,
        name: 'of a chain with an entry that does not prove itself nothing behind that is asked for',
      },
    ],
  },
  {
    name: 'a chain that comes page by page in time holds whoever reads it for hours',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/outgoing/log-queries.ts',
        find: 'if (deadline.passed) throw',
        put: 'if (deadline.passed && pages < 0) throw',
      },
    ],
    tests: [
      {
        path: READING_SPEC,
        name: 'a chain that comes in time, all but its end, does not hold a joiner for long',
      },
    ],
  },
  {
    name: 'a relay that answers nothing is shown as there',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/link/connection.ts',
        find: 'if (!came) this.#unanswered = kind;',
        put: 'if (!came) this.#unanswered = null;',
      },
    ],
    tests: [
      {
        path: BOUNDS_SPEC,
        name: 'G14 G16 a relay that never answers claim is shown to the joiner as not there, and the join can be abandoned',
      },
    ],
  },
  {
    name: 'a config.json is read wherever it is said to be',
    breaks: ['G13'],
    changes: [
      {
        file: 'libs/client/src/node/client.ts',
        find: "redirect: 'error'",
        put: "redirect: 'follow'",
      },
    ],
    tests: [
      { path: BOUNDS_SPEC, name: 'G13 a config.json that is said to be elsewhere is not looked for there' },
    ],
  },
  {
    name: 'a relay’s key that comes later replaces the one that is pinned',
    breaks: ['G13'],
    changes: [
      {
        file: PIN,
        find: 'this.queue.enqueue(async () => this.#pin ?? this.#ask(vault, invite))',
        put: 'this.#ask(vault, invite)',
      },
    ],
    tests: [
      { path: LATE_SPEC, name: 'is the first that came: a later one replaces nothing, and is had by nobody' },
    ],
  },
  {
    name: 'attempts to find out a relay’s key run beside one another',
    breaks: ['G13'],
    changes: [
      {
        file: LATE,
        find: 'this.#attempt ??= this.#try().finally(() => {',
        put: 'this.#attempt = this.#try().finally(() => {',
      },
    ],
    tests: [{ path: LATE_SPEC, name: 'are one: rooms and joins are started once' }],
  },
  {
    name: 'a key that is found out by another act starts no room that was barred',
    breaks: ['G13'],
    changes: [{ file: PIN, find: 'this.#pinned();', put: '' }],
    tests: [
      {
        path: PINS_SPEC,
        name: 'and is found out late by a room that is made: rooms and joins go on, each once',
      },
    ],
  },
  {
    name: 'a room that was closed without its chain fails whoever asks for it',
    breaks: ['G11'],
    changes: [
      {
        file: 'apps/relay/src/store/redis/scripts/read-chain.lua',
        find: "if refusal and call('EXISTS', CHAIN) == 0 then length = 0 end",
        put: '',
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/store/redis/redis-server.spec.ts',
        name: 'a room that an earlier version closed, without its chain: who was in it is served none, and no fault',
      },
    ],
  },
];
