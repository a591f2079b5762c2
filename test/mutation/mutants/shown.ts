/** What is shown of others, and what is sealed of what is typed. */
import type { Mutant } from '../mutant.js';

const SHOWN_SPEC = 'libs/client/src/view/shown.spec.ts';

export const SHOWN_MUTANTS: readonly Mutant[] = [
  {
    name: 'names are drawn with all that is hidden in them',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/view/faces.ts',
        find: 'displayName(state.nameOf(member));',
        put: 'state.nameOf(member);',
      },
    ],
    tests: [
      { path: SHOWN_SPEC, name: 'are stripped of what is not seen, everywhere' },
      { path: SHOWN_SPEC, name: 'of nothing that is seen give way to the whole fingerprint: 64 bits' },
    ],
  },
  {
    name: 'the name of whoever asks to enter is drawn as it came',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/view/faces.ts',
        find: 'displayName(joiner.name) || fingerprint;',
        put: 'joiner.name;',
      },
    ],
    tests: [{ path: SHOWN_SPEC, name: 'of whoever asks to enter are stripped, or the fingerprint' }],
  },
  {
    name: 'times of others are shown as they came',
    breaks: ['G6'],
    changes: [
      {
        file: 'libs/protocol/src/times.ts',
        find: 'Math.min(Math.max(ms, TIMES.earliest), TIMES.latest);',
        put: 'ms;',
      },
    ],
    tests: [
      { path: SHOWN_SPEC, name: 'whatever the schema admits lies in 2020–2100 in every view' },
      {
        path: 'libs/protocol/src/times.spec.ts',
        name: 'lies between 2020 and 2100, whatever number it comes from',
      },
    ],
  },
  {
    name: 'half a character is sealed as it is',
    breaks: ['G16'],
    changes: [{ file: 'libs/protocol/src/text.ts', find: 'text.toWellFormed();', put: 'text;' }],
    tests: [
      {
        path: 'libs/client/src/checks.spec.ts',
        name: 'has an encoding, whatever it is: no half of a character reaches the outbox',
      },
    ],
  },
];
