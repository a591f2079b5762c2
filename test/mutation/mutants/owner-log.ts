/** What an owner's word in the log may come to at a member (docs/protocol.md sections 4, 5 and 7). */
import type { Mutant } from '../mutant.js';

const OWNER_SPEC = 'test/hostile/owner/owner-lies.spec.ts';
const MANY_SPEC = 'libs/client/src/room/log/many-rotations.spec.ts';
const HANDED_ON_SPEC = 'libs/client/src/room/log/handed-on.spec.ts';
const misplaced = (what: string): string =>
  `G2 G14 ${what} ends in a failure that names the reply: no room is entered, nothing sent, the join can be given up`;
const LIMITS_SPEC = 'test/integration/relay-owner-limits.spec.ts';
const SIGNER_SPEC = 'libs/client/src/room/log/signer.spec.ts';

export const OWNER_LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'the actor of a roster line is whom the relay names',
    breaks: ['G3', 'G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/roster.ts',
        find: 'const actor = await signerOf(hash, entry);',
        put: 'const actor = entry.sender;',
      },
    ],
    tests: [
      {
        path: SIGNER_SPEC,
        name: 'of other settings the actor is its owner, though the relay names a member',
      },
    ],
  },
  {
    name: 'an entry is a sign of life of whom the relay names',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/room/log/entry.ts',
        find: 'setSender(await signerOf(hash, entry), { lastEntry: entry.time })',
        put: 'setSender(entry.sender, { lastEntry: entry.time })',
      },
    ],
    tests: [
      { path: SIGNER_SPEC, name: 'of a rotation the actor is its owner, though the relay names a member' },
    ],
  },
  {
    name: 'a rotation has a line for each member without a key',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/log/rotation.ts',
        find: 'rotated(rotation, roster.owner, draft.core.me),',
        put: "...[null, ...rotation.unwrapped].map((member) => system(member === null ? 'rotated' : 'unwrapped', { actor: roster.owner })),",
      },
    ],
    tests: [{ path: MANY_SPEC, name: 'is one line with their number, however many they are' }],
  },
  {
    name: 'a record holds more items than its order has room for',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/state/tables.ts',
        find: 'if (record.items.length > ITEMS_PER_RECORD) throw new ClientError(ERROR_CODES.MALFORMED);',
        put: '',
      },
    ],
    tests: [
      {
        path: MANY_SPEC,
        name: 'of as many items as its order has room for is stored; of more it is refused, appended or replaced',
      },
    ],
  },
  {
    name: 'rotations in a row each have their line',
    breaks: ['G16'],
    changes: [
      {
        file: 'libs/client/src/room/state/alarm-flood.ts',
        find: "'rotated', 'rotatedCold', 'prekeyBehind'",
        put: "'prekeyBehind'",
      },
    ],
    tests: [
      {
        path: MANY_SPEC,
        name: 'with a key for this member are counted from the eighth on, up to the newest',
      },
    ],
  },
  {
    name: 'counted rotations have no place in the log',
    breaks: ['G3', 'G6'],
    changes: [
      {
        file: 'libs/client/src/room/state/tables.ts',
        find: "if (at !== null && items.some(({ type }) => type !== 'alarm'))",
        put: 'if (at !== null && items.length === 0)',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/counted-loss.spec.ts',
        name: 'that ends among counted rotations is followed after a restart too',
      },
    ],
  },
  {
    name: 'a loss of what has no record is none',
    breaks: ['G3', 'G6'],
    changes: [
      {
        file: 'libs/client/src/room/log/generations.ts',
        find: 'if (!goesBack) return;',
        put: 'if (lost.length === 0) return;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/counted-loss.spec.ts',
        name: 'of a rotation that lay in a trimmed range gives no alarm when that is back',
      },
    ],
  },
  {
    name: 'all of a trimmed range counts as still in the log',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/room/log/generations.ts',
        find: 'const whole = lost.length >= core.position.s - start.from.s;',
        put: 'const whole = true;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/counted-loss.spec.ts',
        name: 'of a rotation that lay in a trimmed range gives no alarm when that is back',
      },
    ],
  },
  {
    name: 'a rotation that is back in a trimmed range is passed over',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/room/log/rotation.ts',
        find: 'return rotationIn(clear).newEpoch <= core.logEpoch;',
        put: 'return rotationIn(clear).newEpoch <= core.epoch;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/counted-loss.spec.ts',
        name: 'a rotation that is back and lies in a trimmed range begins its epoch again',
      },
    ],
  },
  {
    name: 'wraps of old rotations are kept',
    breaks: ['G8'],
    changes: [
      {
        file: 'libs/client/src/room/log/rotation.ts',
        find: 'keepRotation(epoch - 2, { entry: bare, wraps: null })',
        put: 'keepRotation(epoch - 2, { ...older, wraps: null })',
      },
    ],
    tests: [{ path: MANY_SPEC, name: 'leave of the old ones what the chain needs, and no wrap' }],
  },
  {
    name: 'counters that an owner has handed on accuse their senders',
    breaks: ['G3', 'G5'],
    changes: [
      {
        file: 'libs/client/src/room/log/message.ts',
        find: 'return handedOn ? null : counter;',
        put: 'return counter;',
      },
    ],
    tests: [
      {
        path: HANDED_ON_SPEC,
        name: 'the highest one: all lines of its are drawn, no alarm, the first one marked where it does not follow',
      },
    ],
  },
  {
    name: 'a first line that does not follow is drawn without a mark',
    breaks: ['G6'],
    changes: [
      {
        file: 'libs/client/src/room/log/message.ts',
        find: 'return handedOn && n !== expectedAfter(counter, instance);',
        put: 'return false;',
      },
    ],
    tests: [
      {
        path: HANDED_ON_SPEC,
        name: 'a lower one: all lines of its are drawn, no alarm, the first one marked where it does not follow',
      },
    ],
  },
  {
    name: 'a room is entered wherever the owner’s reply says',
    breaks: ['G2', 'G14'],
    changes: [
      {
        file: 'libs/client/src/account/joining/join-steps.ts',
        find: 'if (begin !== null) await checkPlaced(hash, reply, begin);',
        put: 'if (begin !== null) await Promise.resolve(checkPlaced);',
      },
    ],
    tests: [{ path: OWNER_SPEC, name: misplaced('a floor beyond the end of the log') }],
  },
  {
    name: 'who is not on the roster must leave first',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/view/summary.ts',
        find: 'isUnlisted(room) || ',
        put: '',
      },
    ],
    tests: [
      { path: 'libs/client/src/account/room-acts.spec.ts', name: 'a room is forgotten only once it is over' },
    ],
  },
  {
    name: 'a head of before the rotation is taken',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/account/joining/join-proof.ts',
        find: '  await checkBegin(hash, reply, chain);\n',
        put: '  await Promise.resolve(checkBegin);\n',
      },
    ],
    tests: [{ path: OWNER_SPEC, name: misplaced('a head of before its rotation') }],
  },
  {
    name: 'an admission is brought back where nothing was lost',
    breaks: ['G2'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/restore.ts',
        find: "if (change.kind === 'admit' && !hasLost(room) && !ticketed) throw new Refusal('BAD_ENTRY');",
        put: '',
      },
    ],
    tests: [
      {
        path: LIMITS_SPEC,
        name: 'an admission that no join led to is brought back only where something was lost, and rotations without end neither',
      },
    ],
  },
  {
    name: 'rotations are restored without end once a store has lost something',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/limits/rotation-gate.ts',
        find: 'return bucket.take() ? 0 : bucket.waitMs();',
        put: 'return lost || bucket.take() ? 0 : bucket.waitMs();',
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/limits/rotation-gate.spec.ts',
        name: 'are bounded in a room (of which something was lost: true), and come back with time',
      },
    ],
  },
  {
    name: 'an owner rotates without end',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/roster-changes.ts',
        find: 'const retryMs = room.epochMessages > 0 ? 0 : context.mayRotate(roomId, false);',
        put: 'const retryMs = 0;',
      },
    ],
    tests: [
      {
        path: LIMITS_SPEC,
        name: 'rotations with nothing said between them are few, and no removal waits behind them',
      },
    ],
  },
];
