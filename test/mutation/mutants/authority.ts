/** Who may change the room (docs/protocol.md section 4, G11). */
import type { Mutant } from '../mutant.js';

const ROSTER = 'libs/crypto/src/verify/roster.ts';
const ROSTER_SPEC = 'libs/crypto/src/verify/roster.spec.ts';
const ROTATION = 'libs/crypto/src/verify/rotation.ts';
const ROTATION_SPEC = 'libs/crypto/src/keys/rotation.spec.ts';
const ENTRY_TEST = 'libs/client/src/room/log/entry.spec.ts';
const ENTRY_SPEC = 'test/hostile/joins/guarantees-entry.spec.ts';

export const AUTHORITY_MUTANTS: readonly Mutant[] = [
  {
    name: 'the signature of a roster entry is not verified',
    breaks: ['G11'],
    changes: [
      {
        file: ROSTER,
        find: 'const signed = verifyContainer(memberOf(roster, roster.owner).key, container);',
        put: 'const signed = containerBody(container);',
      },
    ],
    tests: [{ path: ROSTER_SPEC, name: 'by a member, by a stranger: refused' }],
  },
  {
    name: 'an entry may stand on any head',
    breaks: ['G5', 'G11'],
    changes: [
      {
        file: ROSTER,
        find: "if (!equalBytes(entry.body.head, roster.head)) throw new CryptoError('STALE_HEAD', 'another head');",
        put: '',
      },
    ],
    tests: [
      { path: ROSTER_SPEC, name: 'a second time: refused, because the head has moved' },
      { path: ENTRY_TEST, name: 'an entry that does not stand on the head is shown and not applied' },
    ],
  },
  {
    name: 'an entry may name another owner',
    breaks: ['G11'],
    changes: [
      { file: ROSTER, find: "if (entry.body.owner !== roster.owner) throw bad('another owner');", put: '' },
    ],
    tests: [
      {
        path: ROSTER_SPEC,
        name: 'on another head, for another room, in another owner’s name: refused',
      },
    ],
  },
  {
    name: 'who was removed may be admitted again',
    breaks: ['G10', 'G11'],
    changes: [
      {
        file: ROSTER,
        find: "if (next.former.has(memberId)) throw new CryptoError('WAS_MEMBER', 'admitted again');",
        put: '',
      },
    ],
    tests: [{ path: ROSTER_SPEC, name: 'of a member, a former member, or into a full room is refused' }],
  },
  {
    name: 'an acceptance makes any number of hand-overs',
    breaks: ['G5', 'G11'],
    changes: [
      {
        file: ROSTER,
        find: "if (roster.acceptances.includes(toBase64Url(body.nonce))) throw bad('acceptance used before');",
        put: '',
      },
    ],
    tests: [
      { path: ROSTER_SPEC, name: 'uses an acceptance once: the room does not go out again on an old one' },
    ],
  },
  {
    name: 'the signature of an acceptance is not verified',
    breaks: ['G11'],
    changes: [{ file: ROSTER, find: 'verifyContainer(memberOf(roster, body.new).key, container);', put: '' }],
    tests: [{ path: ROSTER_SPEC, name: 'needs the new owner’s consent to this very hand-over' }],
  },
  {
    name: 'the signature of a request to leave is not verified',
    breaks: ['G3', 'G11'],
    changes: [
      {
        file: ROSTER,
        find: "decodeBody(verifyContainer(member.key, container), 'leaveRequest')",
        put: "decodeBody(containerBody(container), 'leaveRequest')",
      },
    ],
    tests: [
      { path: ROSTER_SPEC, name: 'leave needs the leaver’s own request, for this room and this admission' },
    ],
  },
  {
    name: 'the signature of a rotation is not verified',
    breaks: ['G11', 'W2'],
    changes: [
      {
        file: ROTATION,
        find: "import { verifyContainer } from './container.js';",
        put: "import { containerBody } from './container.js';",
      },
      {
        file: ROTATION,
        find: 'verifyContainer(memberOf(roster, roster.owner).key, clear)',
        put: 'containerBody(clear)',
      },
    ],
    tests: [{ path: ROTATION_SPEC, name: 'is refused from anybody but the owner of the moment' }],
  },
  {
    name: 'a rotation may skip epochs',
    breaks: ['G11'],
    changes: [
      {
        file: ROTATION,
        find: "if (body.newEpoch > epoch + 1) throw new CryptoError('EPOCH_AHEAD', 'rotation skips an epoch');",
        put: '',
      },
    ],
    tests: [
      { path: ROTATION_SPEC, name: 'is refused for another room, epoch, head or payload, and after close' },
    ],
  },
  {
    name: 'a rotation may stand on any head',
    breaks: ['G5', 'G10', 'G11'],
    changes: [
      {
        file: ROTATION,
        find: "if (!equalBytes(body.head, roster.head)) throw new CryptoError('STALE_HEAD', 'rotation on another head');",
        put: '',
      },
    ],
    tests: [
      { path: ROTATION_SPEC, name: 'is refused for another room, epoch, head or payload, and after close' },
    ],
  },
  {
    name: 'a rotation need not give every member a key',
    breaks: ['G11'],
    changes: [
      {
        file: ROTATION,
        find: "if (seen.size !== roster.members.size) throw new CryptoError('BAD_WRAPS', 'member without a wrap');",
        put: '',
      },
    ],
    tests: [{ path: ROTATION_SPEC, name: 'accounts for every member exactly once' }],
  },
  {
    name: 'a replayed roster entry is passed over in silence',
    breaks: ['G5', 'G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/roster.ts',
        find: 'if (known < core.logLength) return [',
        put: 'if (known < core.logLength) return []; if (known < 0) return [',
      },
    ],
    tests: [
      {
        path: 'test/hostile/talk/guarantees-talk.spec.ts',
        name: 'G5 a line, a roster entry, a rotation that come again have no effect',
      },
    ],
  },
  {
    name: 'an owner that says two things is not shown',
    breaks: ['G7', 'G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/roster.ts',
        find: 'return [alarm(ALARM_CODES.ALARM_OWNER_EQUIVOCATED, ',
        put: 'return [alarm(ALARM_CODES.ALARM_BAD_ROSTER, ',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/generations.spec.ts',
        name: 'with two entries on one head is shown, and the first stays',
      },
    ],
  },
  {
    name: 'the relay’s word voids what the owner has signed',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'if (await this.#isGone(pending)) {',
        // It was sent before, and is to be sent again.
        put: `const asked = ((globalThis as never as { asked?: WeakSet<object> }).asked ??= new WeakSet());
        if (asked.has(pending) && !this.#sent.has(pending))
          await this.#room.write((draft) => { draft.apply(set({ pending: null })); });
        asked.add(pending);
        if (await this.#isGone(pending)) {`,
      },
    ],
    tests: [
      {
        path: ENTRY_SPEC,
        name: 'G11 the relay’s word voids nothing that the owner has signed, and brings no second entry on one head',
      },
    ],
  },
  {
    name: 'the owner sends what it has not stored',
    breaks: ['G11', 'W10'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'if (made !== null) draft.apply(set({ pending: made }));',
        put: `const early = made === null ? null : commandOf(draft, made, false);
      if (early !== null) await this.#room.connection.request(early.kind, early.body as never);
      if (made !== null) draft.apply(set({ pending: made }));`,
      },
    ],
    tests: [{ path: ENTRY_SPEC, name: 'G11 what the owner signs is on its disk before the relay has it' }],
  },
  {
    name: 'an acceptance counts for a later offer',
    breaks: ['G5', 'G11'],
    changes: [
      {
        file: 'libs/client/src/room/member/ownership-transfer.ts',
        find: ' || !equalBytes(body.nonce, ownershipTransfer.nonce))',
        put: ')',
      },
    ],
    tests: [{ path: ENTRY_SPEC, name: 'G11 an acceptance counts for the offer that stands, once' }],
  },
  {
    name: 'the relay takes an entry on any head',
    breaks: ['G11'],
    changes: [
      {
        file: 'apps/relay/src/store/sqlite/roster.ts',
        find: "if (row.owner !== command.signer || !equalBytes(row.head, command.before)) return refuse('STALE_HEAD');",
        put: "if (row.owner !== command.signer) return refuse('STALE_HEAD');",
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts',
        name: 'an entry compares the head; the same again stands where it is',
      },
    ],
  },
  {
    name: 'the relay asks nobody’s role',
    breaks: ['G11', 'G12', 'W3'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/dispatch.ts',
        find: "if (!row.from.includes(role)) throw new Refusal('FORBIDDEN');",
        put: '',
      },
    ],
    tests: [
      {
        path: 'test/hostile/talk/weaknesses-talk.spec.ts',
        name: 'W3 is what the session proved: a stranger drains no log, admits nobody, and is not the owner',
      },
      {
        path: ENTRY_SPEC,
        name: 'G11 no member, no former owner and no relay admits, removes, rotates, hands over or closes',
      },
    ],
  },
  {
    name: 'a departure names who signed that it is done',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/departed.ts',
        find: 'departure(how, actor, draft.core.me)',
        put: 'system(how, { actor, member: draft.core.me })',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/departed.spec.ts',
        name: 'a departure is the same line in the log, served alone, and in the chain',
      },
    ],
  },
];
