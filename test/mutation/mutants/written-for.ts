/** Whom a line is sealed for: those it was written for, and nobody else (docs/protocol.md sections 6 and 9, G18). */
import type { Mutant } from '../mutant.js';

const LOST = 'libs/client/src/room/log/lost.ts';
const OUTBOX = 'libs/client/src/room/member/outbox.ts';
const RESEALING = 'test/hostile/resealing.spec.ts';
const APPENDED = 'test/hostile/appended-or-not.spec.ts';
const REMOVAL = 'test/hostile/removal-lies.spec.ts';

export const WRITTEN_FOR_MUTANTS: readonly Mutant[] = [
  {
    name: 'what was lost in an earlier epoch is sealed for today’s',
    breaks: ['G18'],
    changes: [
      {
        file: LOST,
        find: '(sameEpoch && !deleted.has(item.n));',
        put: '!deleted.has(item.n);',
      },
    ],
    tests: [
      {
        path: RESEALING,
        name: 'G18 made up in one word gives no older line to who came since, was only answered, or stole a key',
      },
      {
        path: RESEALING,
        name: 'G18 of all that an old copy has not gives no older line to who came since, was only answered, or stole a key',
      },
    ],
  },
  {
    name: 'what was deleted and then lost is sealed again',
    breaks: ['G18'],
    changes: [{ file: LOST, find: '(sameEpoch && !deleted.has(item.n));', put: 'sameEpoch;' }],
    tests: [
      {
        path: RESEALING,
        name: 'G18 seals a line that was deleted for nobody again, not even in its own epoch',
      },
    ],
  },
  {
    name: 'a line that has waited goes to whoever has come in since',
    breaks: ['G18'],
    changes: [
      {
        file: OUTBOX,
        find: 'waiting.findIndex((item) => admittedSince(snapshot, item).length > 0);',
        put: '-1;',
      },
    ],
    tests: [
      {
        path: 'test/hostile/unsent.spec.ts',
        name: 'G18 and has waited over a rotation and an admission asks first, and is sent or discarded by hand',
      },
      {
        path: 'test/hostile/unsent.spec.ts',
        name: 'G18 and has waited over an admission alone asks first, and is sent or discarded by hand',
      },
    ],
  },
  {
    name: 'what was acknowledged is sealed for a later epoch',
    breaks: ['G18'],
    changes: [{ file: OUTBOX, find: 'await this.#giveUpPast();', put: '' }],
    tests: [
      {
        path: APPENDED,
        name: 'G18 and not stored, is sealed for no later epoch: it is shown to its sender as lost',
      },
    ],
  },
  {
    name: 'a message that was told as missed is a duplicate when it comes',
    breaks: ['G16', 'G6'],
    changes: [
      {
        file: 'libs/client/src/room/log/message.ts',
        find: 'if (late && draft.core.losses.length === 0 && !isMissing(draft, body)) {',
        put: 'if (late && draft.core.losses.length === 0) {',
      },
    ],
    tests: [
      {
        path: APPENDED,
        name: 'G16 and not stored, before one that is stored, comes late and to everybody once the relay is honest',
      },
    ],
  },
  {
    name: 'an owner that has stored a removal goes on sealing',
    breaks: ['G10', 'G18'],
    changes: [
      {
        file: 'libs/client/src/room/log/room-keys.ts',
        find: 'return !departing && tasks.removals.length === 0;',
        put: 'return !departing || tasks.removals.length >= 0;',
      },
    ],
    tests: [
      {
        path: REMOVAL,
        name: 'G10 G18 that the relay swallows: its owner seals nothing more for the removed from storing it on',
      },
    ],
  },
];
