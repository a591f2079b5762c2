/** What stops no room and no join, whatever is sent, refused or not written (docs/protocol.md sections 1 and 9). */
import type { Mutant } from '../mutant.js';

const NUMBERS = 'test/hostile/keys/numbers.spec.ts';
const FULL_DISK = 'test/hostile/disk/full-disk.spec.ts';
const FLOODS = 'test/hostile/floods/floods-client.spec.ts';
const STUCK = 'test/hostile/keys/stuck-epoch.spec.ts';
const JOINS = 'test/hostile/joins/joins-lies.spec.ts';
const DRAFT_SPEC = 'libs/client/src/room/state/draft.spec.ts';
const FLOOD_SPEC = 'libs/client/src/room/state/alarm-flood.spec.ts';
const READER = 'libs/client/src/room/outgoing/log-reader.ts';
const PAGE = 'libs/client/src/room/log/page.ts';
const REFUSALS = 'libs/client/src/room/outgoing/refusals.ts';
const REQUESTS = 'test/hostile/refusals/every-request.spec.ts';
const REPEATED =
  'G16 with STORE_FULL: each is repeated by itself until it is carried out, and each act has its end';
const STATE = 'libs/client/src/room/state/state.ts';
const ALARM_FLOOD = 'libs/client/src/room/state/alarm-flood.ts';
const JOINER = 'libs/client/src/account/joining/joiner.ts';

export const STANDING_MUTANTS: readonly Mutant[] = [
  {
    name: 'a bare number of the relay’s is that of the newest prekey',
    breaks: ['G9', 'G14'],
    changes: [
      {
        file: 'libs/protocol/src/catalogue/shapes.ts',
        find: 'prekey: v.nullable(container),',
        put: 'prekey: v.nullable(v.custom<Uint8Array>(() => true)),',
      },
      {
        file: 'libs/client/src/room/member/prekeys.ts',
        find: 'numberIn(() => checkPrekey(me, container));',
        put: `typeof container === 'number' ? container : numberIn(() => checkPrekey(me, container));`,
      },
    ],
    tests: [
      {
        path: NUMBERS,
        name: 'G9 G14 as the relay invents it for a member, 9007199254740990, is a lie: nothing moves, and the room goes on once it ends',
      },
    ],
  },
  {
    name: 'the relay counts the messages of an epoch',
    breaks: ['G9', 'G11'],
    changes: [
      {
        file: PAGE,
        find: "if (!reply.live) return 'more';",
        put: "if (!reply.live) return 'more';\n  draft.apply(set({ epochMessages: reply.epochMessages }));",
      },
    ],
    tests: [
      {
        path: NUMBERS,
        name: 'G9 is the owner’s own: a relay that says none, and cuts it now and then, holds no rotation back',
      },
      {
        path: NUMBERS,
        name: 'G11 G16 is the owner’s own: a relay that says a million, and cuts it, brings about no storm of rotations',
      },
    ],
  },
  {
    name: 'content may be too deep to be kept, and takes its page with it',
    breaks: ['G6', 'G10', 'G16'],
    changes: [
      {
        file: 'libs/protocol/src/content.ts',
        find: 'nests(value, LIMITS.contentDepth)',
        put: 'nests(value, 64)',
      },
      {
        file: 'libs/client/src/room/log/entry.ts',
        find: 'if (error instanceof NotLoaded) throw error;',
        put: 'if (error !== null) throw error;',
      },
    ],
    tests: [
      {
        path: 'test/hostile/input/nesting.spec.ts',
        name: 'G6 G16 nested to the codec’s limit, of type hologram, is shown in its place, stops nobody, and is there after a restart',
      },
      {
        path: 'test/hostile/input/nesting.spec.ts',
        name: 'G10 nested to the codec’s limit does not keep its sender from being removed',
      },
    ],
  },
  {
    name: 'memory runs ahead of the disk',
    breaks: ['G14', 'G16'],
    changes: [
      {
        file: STATE,
        find: 'const records = [...draft.records(), ...(await draft.indexRecords(this.#keys))];',
        put: 'const records = [...draft.records(), ...(await draft.indexRecords(this.#keys))];\n    for (const change of draft.changes) applyChange(this.tables, change, null);',
      },
      { file: STATE, find: '      await this.#reloadIfPossible(draft.changedIndexes);\n', put: '' },
      {
        file: STATE,
        find: '    for (const change of draft.changes) applyChange(this.tables, change, null);\n    this.#bound',
        put: '    this.#bound',
      },
    ],
    tests: [
      { path: DRAFT_SPEC, name: 'leaves memory as it was, as the vault is' },
      {
        path: FULL_DISK,
        name: 'G14 G16 a line that arrives loses nothing, and the room goes on by itself',
      },
    ],
  },
  {
    name: 'memory stays behind what a failed write left on the disk',
    breaks: ['G14', 'G16'],
    changes: [{ file: STATE, find: '      await this.#reloadIfPossible(draft.changedIndexes);\n', put: '' }],
    tests: [
      {
        path: DRAFT_SPEC,
        name: 'but is on the disk all the same leaves memory as the disk is, and the views know of it',
      },
    ],
  },
  {
    name: 'a vault that was full once ends the room',
    breaks: ['G14', 'G16'],
    changes: [
      {
        file: REFUSALS,
        find: "new Set([...OTHER_RELAY, 'REPLACED', 'BAD_KEY'])",
        put: "new Set([...OTHER_RELAY, 'REPLACED', 'BAD_KEY', 'VAULT_FULL', 'VAULT_UNAVAILABLE'])",
      },
    ],
    tests: [
      {
        path: FULL_DISK,
        name: 'G14 G16 a line that arrives loses nothing, and the room goes on by itself',
      },
    ],
  },
  {
    name: 'a room that a relay lied to waits for its user',
    breaks: ['G9', 'G14'],
    changes: [
      {
        file: REFUSALS,
        find: "new Set([...OTHER_RELAY, 'REPLACED', 'BAD_KEY'])",
        put: "new Set([...OTHER_RELAY, 'REPLACED', 'BAD_KEY', 'RELAY_LIED'])",
      },
    ],
    tests: [
      {
        path: NUMBERS,
        name: 'G9 G14 as the relay invents it for the owner, 9007199254740990, is a lie: nothing moves, and the room goes on once it ends',
      },
    ],
  },
  {
    name: 'a store that was full once ends the room',
    breaks: ['G16'],
    changes: [
      {
        file: REFUSALS,
        find: "new Set([...OTHER_RELAY, 'REPLACED', 'BAD_KEY'])",
        put: "new Set([...OTHER_RELAY, 'REPLACED', 'BAD_KEY', 'STORE_FULL'])",
      },
      { file: REFUSALS, find: "  STORE_FULL: 'retry',\n", put: '' },
    ],
    tests: [
      {
        path: 'test/hostile/refusals/full-store.spec.ts',
        name: 'G16 with STORE_FULL: the page says so, and all that was asked for is done by itself',
      },
    ],
  },
  {
    name: 'a reply to a join that is refused is not repeated',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/invites.ts',
        find: 'if (reply === undefined) return null;',
        put: 'if (reply === undefined) return null;\n    this.#unanswered.delete(inviteId);',
      },
    ],
    tests: [{ path: REQUESTS, name: REPEATED }],
  },
  {
    name: 'an invite whose registration is refused is not registered again',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/invites.ts',
        find: 'const registered = this.#registered;',
        put: 'const registered = this.#registered;\n    registered.add(inviteId);',
      },
    ],
    tests: [{ path: REQUESTS, name: REPEATED }],
  },
  {
    name: 'a key that was refused once is not granted',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/member/key-requests.ts',
        find: 'if (body === null) {',
        put: 'if (body !== null) settle();\n      if (body === null) {',
      },
    ],
    tests: [{ path: REQUESTS, name: REPEATED }],
  },
  {
    name: 'a join that is refused waits for the next session',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/outgoing/lane.ts',
        find: 'this.#resume = null;\n      void this.signal();',
        put: 'if ("record" in this.#sender) return;\n      this.#resume = null;\n      void this.signal();',
      },
    ],
    tests: [{ path: REQUESTS, name: REPEATED }],
  },
  {
    name: 'a room that was to be brought back is forgotten at the first refusal',
    breaks: ['G16'],
    changes: [
      {
        file: READER,
        find: 'this.#restoreRequested = code === ERROR_CODES.OFFLINE || isRetryable(code);',
        put: 'this.#restoreRequested = code === ERROR_CODES.OFFLINE;',
      },
    ],
    tests: [
      {
        path: REQUESTS,
        name: 'G16 is brought back by one act, though the first attempts meet with STORE_FULL',
      },
    ],
  },
  {
    name: 'what is told of joins has the lane of the owner’s commands',
    breaks: ['G10', 'G2'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'const work = this.#work(state);',
        put: `const told = await this.invites.next();
      if (told !== null) return told;
      const work = this.#work(state);`,
      },
    ],
    tests: [{ path: REQUESTS, name: 'G10 of joins, invite, holds no removal up' }],
  },
  {
    name: 'every request for a key is answered',
    breaks: ['G16', 'W11'],
    changes: [
      {
        file: 'libs/client/src/room/member/key-requests.ts',
        find: 'if (known === undefined && answers.length >= GRANTS_AN_EPOCH) return null;',
        put: '',
      },
    ],
    tests: [
      {
        path: FLOODS,
        name: 'G16 W11 with requests for a key that nothing is wrong with gets few answers, and few lines tell of it',
      },
    ],
  },
  {
    name: 'every leap of a presence is answered',
    breaks: ['G16', 'W11'],
    changes: [
      {
        file: 'libs/client/src/room/member/signals.ts',
        find: ' && this.#mayAnswer(sender, now)) this.soon();',
        put: ') this.soon();',
      },
    ],
    tests: [
      {
        path: FLOODS,
        name: 'G16 W11 with presence whose counter leaps is not answered by everybody each time',
      },
    ],
  },
  {
    name: 'every generation has a record of its own',
    breaks: ['G6'],
    changes: [
      {
        file: ALARM_FLOOD,
        find: 'return newest?.at?.relayed === null && starts.length >= ALARMS_APART ? newest.index : null;',
        put: 'return starts.length < 0 ? (newest?.index ?? null) : null;',
      },
    ],
    tests: [{ path: FLOODS, name: 'G6 with generations that lose nothing leaves few records behind' }],
  },
  {
    name: 'pages that bring nothing are read without end',
    breaks: ['G6', 'G16'],
    changes: [
      {
        file: READER,
        find: 'if (empty >= EMPTY_PAGES) throw new ClientError(ERROR_CODES.RELAY_LIED);',
        put: '',
      },
    ],
    tests: [
      {
        path: FLOODS,
        name: 'G6 G16 with pages that bring nothing and have no end is asked no more than now and then, and is found out',
      },
    ],
  },
  {
    name: 'the ninth fork is counted under another’s name',
    breaks: ['G7'],
    changes: [
      {
        file: ALARM_FLOOD,
        find: ' && (a.code !== ALARM_CODES.ALARM_FORK || a.member === b.member);',
        put: ';',
      },
    ],
    tests: [
      {
        path: FLOOD_SPEC,
        name: 'G7: of forks keep the name of each member, however many have another history',
      },
      {
        path: 'test/hostile/talk/names.spec.ts',
        name: 'G7 about different histories of many members name each of them',
      },
    ],
  },
  {
    name: 'an end of the log that nothing explains is passed over',
    breaks: ['G11', 'G16'],
    changes: [
      {
        file: READER,
        find: 'if (!isExplained(this.#room.state, end)) {\n        await',
        put: 'if (end === null) {\n        await',
      },
    ],
    tests: [
      {
        path: STUCK,
        name: 'G11 G16 with a bit of its clear part flipped on the way to a member keeps nobody in the old epoch once the relay is honest',
      },
      {
        path: STUCK,
        name: 'G11 G16 with a bit of its payload flipped on the way to its owner keeps nobody in the old epoch once the relay is honest',
      },
    ],
  },
  {
    name: 'nobody goes back from a generation that never was',
    breaks: ['G11', 'G16'],
    changes: [
      {
        file: PAGE,
        find: "if (reply.generations.length === 0 && goBackTo(draft, reply.tip, now)) return 'more';",
        put: '',
      },
    ],
    tests: [
      {
        path: STUCK,
        name: 'G11 G16 after a made-up generation to a member keeps nobody in the old epoch once the relay is honest',
      },
      {
        path: STUCK,
        name: 'G11 G16 after a made-up generation to a new owner keeps nobody in the old epoch once the relay is honest',
      },
    ],
  },
  {
    name: 'a rotation that comes back replaces the one that is here',
    breaks: ['G11', 'G16'],
    changes: [
      {
        file: 'libs/client/src/room/log/rotation.ts',
        find: '{ ...known, entry: { ...known.entry, position: entry.position } }',
        put: '{ ...known, entry }',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/rotation.spec.ts',
        name: 'comes back with another payload: an alarm, nothing of it is kept, and the true one can still be restored',
      },
      {
        path: 'test/hostile/losses/restored-changed.spec.ts',
        name: 'G11 G16 with a changed payload is an alarm, and the true one brings the room back after a true loss',
      },
    ],
  },
  {
    name: 'a joiner is a member on the relay’s word',
    breaks: ['G2', 'G14'],
    changes: [
      {
        file: 'libs/client/src/account/joining/join-steps.ts',
        find: 'if (!members.has(me) && !former.has(me)) throw new ClientError(ERROR_CODES.RELAY_LIED);',
        put: '',
      },
    ],
    tests: [
      {
        path: JOINS,
        name: 'G2 G14 said by the relay alone, at any time, admits nobody and deletes nothing: the join goes on to its end',
      },
    ],
  },
  {
    name: 'a refusal ends a join',
    breaks: ['G2', 'G11'],
    changes: [
      {
        file: JOINER,
        find: 'if (code !== null) this.#resumption.later(code);',
        put: '',
      },
    ],
    tests: [
      {
        path: JOINS,
        name: 'G2 G11 in reply to joinConfirm, BAD_ENTRY, after it was carried out, ends no join: the joiner comes in by itself, under the same key',
      },
    ],
  },
  {
    name: 'a refused join cannot go on by the same link',
    breaks: ['G2', 'G14'],
    changes: [
      {
        file: JOINER,
        find: '    this.#resumption.reset();\n    this.#lane.reset();\n    this.start();',
        put: '',
      },
      {
        file: JOINER,
        find: 'if (code !== null) this.#resumption.later(code);',
        put: '',
      },
    ],
    tests: [
      {
        path: JOINS,
        name: 'G2 G14 “dropped”, of a join that was not, keeps the key: the same link goes on with it',
      },
    ],
  },
  {
    name: 'an answer that was begun goes out after the invite is revoked',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/room/owner/invites.ts',
        find: "if (invite?.stage !== 'asked') return;",
        put: 'if (invite === undefined || invite.joiner === null) return;',
      },
    ],
    tests: [
      {
        path: JOINS,
        name: 'G2 is not answered afterwards, however slow the owner’s disk was, and whatever the relay carried out',
      },
    ],
  },
  {
    name: 'an owner without the key cannot end its room',
    breaks: ['G14', 'G16'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: "if (core.tasks.close) return { kind: 'close' };",
        put: '',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/owner/cold-rotation.spec.ts',
        name: 'an owner without the key closes its room all the same, with no rotation before',
      },
    ],
  },
];
