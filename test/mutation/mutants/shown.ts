/** What is shown of others, and what is sealed of what is typed. */
import type { Mutant } from '../mutant.js';

const PROFILES = 'libs/client/src/room/log/profiles.ts';
const PROFILES_SPEC = 'libs/client/src/room/log/profiles.spec.ts';
const SENTENCES = 'apps/web/src/app/core/sentences.ts';
const SENTENCES_SPEC = 'apps/web/src/app/core/i18n.spec.ts';
const SHOWN_SPEC = 'libs/client/src/view/shown.spec.ts';

export const SHOWN_MUTANTS: readonly Mutant[] = [
  {
    name: 'names are drawn with all that is hidden in them',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/view/member-identities.ts',
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
        file: 'libs/client/src/view/member-identities.ts',
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
        path: 'libs/client/src/account/checks.spec.ts',
        name: 'has an encoding, whatever it is: no half of a character reaches the outbox',
      },
    ],
  },
  {
    name: 'an older name that is handed on replaces a newer one',
    breaks: ['G3'],
    changes: [
      { file: PROFILES, find: 'compareNamePlacements(body, known) > 0;', put: 'known === null || true;' },
    ],
    tests: [
      {
        path: PROFILES_SPEC,
        name: 'does not replace a newer one of the log: by what its maker had read, or by its number',
      },
      {
        path: 'test/hostile/talk/handed-on-names.spec.ts',
        name: 'G3 and are older than those that are known replace nothing, whoever hands them on',
      },
    ],
  },
  {
    name: 'a newcomer gets no name of the room from who owned it before',
    breaks: ['G3'],
    changes: [
      {
        file: PROFILES,
        find: 'ownersOf(draft, body.epoch).includes(sender);',
        put: 'sender === draft.roster.owner;',
      },
    ],
    tests: [
      {
        path: PROFILES_SPEC,
        name: 'given by the earlier owner is its name for a newcomer too, until the new one gives it another',
      },
      {
        path: 'test/hostile/talk/names.spec.ts',
        name: 'G3 gets the room’s name, as its owner of that time gave it, and every member’s',
      },
    ],
  },
  {
    name: 'a former owner names the room in the epochs of another',
    breaks: ['G3'],
    changes: [
      {
        file: PROFILES,
        find: 'ownersOf(draft, body.epoch).includes(sender);',
        put: 'ownersOf(draft, 1).includes(sender) || sender === draft.roster.owner;',
      },
    ],
    tests: [
      {
        path: PROFILES_SPEC,
        name: 'is not one that a former owner signs for an epoch in which the room was another’s',
      },
    ],
  },
  {
    name: 'the member command prints what acts on a terminal',
    breaks: ['G3'],
    changes: [
      {
        file: 'libs/client/src/node/member/shell.ts',
        find: 'JSON.stringify(line).replace(UNSAFE, (sign) => sign.replace(/[^]/g, escaped));',
        put: "JSON.stringify(line).replace(UNSAFE, (sign) => (sign === '' ? escaped(sign) : sign));",
      },
    ],
    tests: [
      {
        path: 'libs/client/src/node/member/print.spec.ts',
        name: 'holds no control character, raw or of the second set, and parses to the same value',
      },
    ],
  },
  {
    name: 'what is put into a sentence of the page is read again',
    breaks: ['G3'],
    changes: [
      {
        file: SENTENCES,
        find: 'return value.replace(BLANK, (_blank, name: string) =>',
        put: `const again = (text: string): string => (text.search(BLANK) < 0 ? text : again(fill(text)));
    const fill = (text: string): string => text.replace(BLANK, (_blank, name: string) =>`,
      },
      { file: SENTENCES, find: '    );\n  }\n}', put: '    );\n    return again(value);\n  }\n}' },
    ],
    tests: [
      { path: SENTENCES_SPEC, name: 'is put in once, whole, and never read again: every sentence in en' },
    ],
  },
  {
    name: 'what every object has is put into sentences',
    breaks: ['G3'],
    changes: [{ file: SENTENCES, find: 'Object.hasOwn(params, name) ?', put: 'name in params ?' }],
    tests: [
      {
        path: SENTENCES_SPEC,
        name: 'is an own one: what every object has is none, and a blank without a value stays empty',
      },
    ],
  },
];
