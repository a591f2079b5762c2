/** What a client believes of the log that the relay tells it (docs/protocol.md section 6). */
import type { Mutant } from '../mutant.js';

const TAKE_MESSAGE = 'libs/client/src/room/take-message.ts';
const TAKE = 'libs/client/src/room/take.ts';
const TAKE_SPEC = 'libs/client/src/room/take.spec.ts';

export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'a duplicate is shown again',
    breaks: ['G5', 'G16', 'W5'],
    changes: [
      {
        file: TAKE_MESSAGE,
        find: 'if (repeat !== null) return repeat;',
        put: 'if (repeat !== null && repeat[0]?.type !== "repeat") return repeat;',
      },
    ],
    tests: [{ path: TAKE_SPEC, name: 'of a message in a later place is dropped' }],
  },
  {
    name: 'one counter may carry two messages',
    breaks: ['G5'],
    changes: [
      { file: TAKE_MESSAGE, find: 'if (!equalBytes(mid, body.mid)) {', put: 'if (mid.length === 0) {' },
    ],
    tests: [{ path: TAKE_SPEC, name: 'of a counter for other content is an alarm' }],
  },
  {
    name: 'a jump of a sender’s counter is not told',
    breaks: ['G6', 'W5'],
    changes: [{ file: TAKE_MESSAGE, find: 'if (n > expected) items.push(', put: 'if (n < 0) items.push(' }],
    tests: [
      { path: TAKE_SPEC, name: 'of a sender’s message with the positions closed up is shown' },
      {
        path: 'test/hostile/guarantees-talk.spec.ts',
        name: 'G6 a line that is dropped is shown as a gap, also where the relay closes the numbers up',
      },
    ],
  },
  {
    name: 'a hole in the positions is passed over',
    breaks: ['G6'],
    changes: [
      {
        file: TAKE,
        find: 'if (entry.position.g !== core.position.g || entry.position.s !== core.position.s + 1) return',
        put: 'if (entry.position.g !== core.position.g) return',
      },
    ],
    tests: [{ path: TAKE_SPEC, name: 'of an entry is a gap, and then an alarm in its place' }],
  },
  {
    name: 'what a sender had seen is not compared',
    breaks: ['G7'],
    changes: [
      {
        file: 'libs/client/src/room/seen.ts',
        find: "return equalBytes(known, seen.t) ? 'same' : 'differs';",
        put: "return 'same';",
      },
    ],
    tests: [
      { path: TAKE_SPEC, name: 'shows at the first message from the other side, once per sender' },
      {
        path: 'test/hostile/guarantees-talk.spec.ts',
        name: 'G7 two members that were shown two histories notice at the first message across',
      },
    ],
  },
];
