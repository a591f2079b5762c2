/** What a client believes of the log that the relay tells it (docs/protocol.md section 6). */
import type { Mutant } from '../mutant.js';

const MESSAGE = 'libs/client/src/room/log/message.ts';
const ENTRY = 'libs/client/src/room/log/entry.ts';
const FORK = 'libs/client/src/room/log/fork.ts';
const SIGNALS = 'libs/client/src/room/member/signals.ts';
const SIGNALS_SPEC = 'libs/client/src/room/member/signals.spec.ts';
const ENTRY_TEST = 'libs/client/src/room/log/entry.spec.ts';

export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'a chain that is ahead of every rotation is an end like another',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/outgoing/log-queries.ts',
        find: ' && epochOfChain(state) <= state.core.epoch;',
        put: ';',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/trimmed.spec.ts',
        name: 'is no explained end, whatever the relay says: nothing is sealed or signed there',
      },
    ],
  },
  {
    name: 'a rotation leads to an epoch that the chain has named already',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/log/trimmed.ts',
        find: 'Math.max(core.epoch, epochOfChain(snapshot), ',
        put: 'Math.max(core.epoch, ',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/trimmed.spec.ts',
        name: 'G11: takes no rotation to an epoch that has been, though its owner has signed it',
      },
    ],
  },
  {
    name: 'a duplicate is shown again',
    breaks: ['G5', 'G16', 'W5'],
    changes: [
      {
        file: MESSAGE,
        find: '    return repeat;\n  }',
        put: "    if (repeat[0]?.type !== 'repeat') return repeat;\n  }",
      },
    ],
    tests: [{ path: ENTRY_TEST, name: 'of a message in a later place is dropped' }],
  },
  {
    name: 'one counter may carry two messages',
    breaks: ['G5'],
    changes: [{ file: MESSAGE, find: 'if (!equalBytes(mid, body.mid)) {', put: 'if (mid.length === 0) {' }],
    tests: [{ path: ENTRY_TEST, name: 'of a counter for other content is an alarm' }],
  },
  {
    name: 'a jump of a sender’s counter is not told',
    breaks: ['G6', 'W5'],
    changes: [
      {
        file: MESSAGE,
        find: 'items.push(alarm(ALARM_CODES.ALARM_MESSAGE_GAP,',
        put: 'if (n < 0) items.push(alarm(ALARM_CODES.ALARM_MESSAGE_GAP,',
      },
    ],
    tests: [{ path: ENTRY_TEST, name: 'of a sender’s message with the positions closed up is shown' }],
  },
  {
    name: 'a hole in the positions is passed over',
    breaks: ['G6'],
    changes: [
      {
        file: ENTRY,
        find: 'if (entry.position.g !== core.position.g || entry.position.s !== core.position.s + 1)',
        put: 'if (entry.position.g !== core.position.g)',
      },
    ],
    tests: [{ path: ENTRY_TEST, name: 'of an entry is a gap, and then an alarm in its place' }],
  },
  {
    name: 'what a sender had seen is not compared',
    breaks: ['G7'],
    changes: [
      {
        file: FORK,
        find: "return equalBytes(transcriptHash(known), seen.t) ? 'same' : 'differs';",
        put: "return 'same';",
      },
    ],
    tests: [
      { path: ENTRY_TEST, name: 'shows at the first message from the other side, once per sender' },
      {
        path: 'test/hostile/talk/guarantees-talk.spec.ts',
        name: 'G7 two members that were shown two histories notice at the first message across',
      },
    ],
  },
  {
    name: 'a sender that knows less than before is not shown',
    breaks: ['G7'],
    changes: [
      {
        file: FORK,
        find: 'if (fell || comparePositions(seen.position, floor) < 0) {',
        put: 'if (comparePositions(seen.position, floor) < 0) {',
      },
    ],
    tests: [{ path: ENTRY_TEST, name: 'a sender that has seen less than before is shown' }],
  },
  {
    name: 'an entry that is told again may be another',
    breaks: ['G6', 'G7'],
    changes: [
      {
        file: ENTRY,
        find: 'if (before === null || (await leadsTo(hash, before, entry, known))) return [];',
        put: 'if (before === null || known.length > 0) return [];',
      },
    ],
    tests: [{ path: ENTRY_TEST, name: 'two entries under one position are an alarm' }],
  },
  {
    name: 'an instance that was replaced goes on',
    breaks: ['G5'],
    changes: [
      {
        file: MESSAGE,
        find: 'if (retired.some((old) => equalBytes(old.instance, instance)))',
        put: 'if (n < 0)',
      },
    ],
    tests: [{ path: ENTRY_TEST, name: 'of an older instance is an alarm' }],
  },
  {
    name: 'the transcript does not cover the sender',
    breaks: ['G6', 'G7'],
    changes: [
      {
        file: 'libs/crypto/src/verify/transcript.ts',
        find: 'position.g, position.s, kind, sender, payload,',
        put: 'position.g, position.s, kind, payload,',
      },
    ],
    tests: [
      {
        path: 'libs/crypto/src/verify/transcript.spec.ts',
        name: 'differs with every field, and with what came before',
      },
    ],
  },
  {
    name: 'a signal counts as often as it comes',
    breaks: ['G5'],
    changes: [
      {
        file: SIGNALS,
        find: 'if (known !== undefined && body.counter <= known.counter) return;',
        put: '',
      },
    ],
    tests: [{ path: SIGNALS_SPEC, name: 'once: neither replayed nor with a counter that does not rise' }],
  },
  {
    name: 'a signal counts at any age',
    breaks: ['G5'],
    changes: [{ file: SIGNALS, find: 'if (Math.abs(now - body.sentAt) > SIGNAL_LIFE_MS) return;', put: '' }],
    tests: [
      { path: SIGNALS_SPEC, name: 'within thirty seconds of either clock' },
      {
        path: 'test/hostile/talk/guarantees-talk.spec.ts',
        name: 'G5 a signal that comes again within 30 s says nothing to who has a counter, and one older says nothing at all',
      },
    ],
  },
  {
    name: 'what a presence knows beyond the log is let pass',
    breaks: ['G6', 'G7'],
    changes: [
      {
        file: SIGNALS,
        find: "if (compared === 'ahead' || compared === 'differs') this.#showFork(sender, ahead.seen);",
        put: "if (compared === 'differs') this.#showFork(sender, ahead.seen);",
      },
    ],
    tests: [
      {
        path: SIGNALS_SPEC,
        name: 'what the log does not hold either was withheld or invented: an alarm, once',
      },
      {
        path: 'test/hostile/talk/guarantees-talk.spec.ts',
        name: 'G6 what was withheld at the end is noticed at the next sign of presence',
      },
    ],
  },
  {
    name: 'a line after the closing is a line',
    breaks: ['G11'],
    changes: [
      {
        file: MESSAGE,
        find: 'const over = draft.roster.closed && core.logLength === draft.chain.size;',
        put: 'const over = draft.roster.closed && core.logLength < 0;',
      },
    ],
    tests: [
      {
        path: 'test/hostile/input/untried.spec.ts',
        name: 'G11 G14 after the closing, whatever a relay goes on sending, entries and pushes, is neither shown nor in the way of forgetting',
      },
    ],
  },
];
