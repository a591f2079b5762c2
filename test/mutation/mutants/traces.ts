/** What a browser keeps of what is typed and shown (docs/decisions/0040). */
import type { Mutant } from '../mutant.js';

const SCREENS_SPEC = 'apps/web/src/app/features/screens.spec.ts';
const NEW_INVITE = 'apps/web/src/app/features/members/new-invite.ts';

export const TRACE_MUTANTS: readonly Mutant[] = [
  {
    name: 'a passphrase that is shown is a field that the browser completes, and so writes down',
    breaks: ['G14'],
    changes: [
      {
        file: 'apps/web/src/app/core/components/passphrase-field.ts',
        find: "if (this.shown()) return 'off';",
        put: '',
      },
    ],
    tests: [
      {
        path: SCREENS_SPEC,
        name: 'a passphrase has a name for password managers while it is hidden, and none once it is shown',
      },
    ],
  },
  {
    name: 'an invite is offered as its link first',
    breaks: ['G14'],
    changes: [{ file: NEW_INVITE, find: '[text]="asText(invite.link)"', put: '[text]="invite.link"' }],
    tests: [
      {
        path: SCREENS_SPEC,
        name: 'makes an invite, shows the count to the next key, decides joins and renews',
      },
    ],
  },
  {
    name: 'what nobody is to be told is told after an import',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/account/sharing.ts',
        find: 'this.#now = data === null ? SHARED : { ...SHARED, ...decodeRecord(sharingRecord, data) };',
        put: 'this.#now = SHARED;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/account/sharing.spec.ts',
        name: 'is to share everything where nothing was chosen, and what was chosen after a restart',
      },
    ],
  },
];
