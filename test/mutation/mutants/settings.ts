/** What an owner may do with a room's settings (docs/protocol.md section 4). */
import type { Mutant } from '../mutant.js';

const SETTINGS = 'libs/client/src/room/log/settings.ts';
const SETTINGS_SPEC = 'libs/client/src/room/log/settings.spec.ts';
const LIES = 'test/hostile/owner/owner-lies-settings.spec.ts';

export const SETTINGS_MUTANTS: readonly Mutant[] = [
  {
    name: 'a settings change says nothing of what was changed beside rotation and approval',
    breaks: ['G11'],
    changes: [
      {
        file: SETTINGS,
        find: 'SETTINGS_FIELDS.filter((name) => a[name] !== b[name]);',
        put: "SETTINGS_FIELDS.filter((name) => a[name] !== b[name] && (name === 'rotateEvery' || name === 'approval'));",
      },
    ],
    tests: [{ path: SETTINGS_SPEC, name: 'says every value that changed, with what it was, and no other' }],
  },
  {
    name: 'nobody is warned of a room that is full by its settings',
    breaks: ['G11'],
    changes: [{ file: SETTINGS, find: 'now.maxMembers <= members', put: 'now.maxMembers < 2' }],
    tests: [
      {
        path: LIES,
        name: 'who lowers every setting: each is said with what it was, warned of, and put right by the next owner',
      },
    ],
  },
  {
    name: 'the owner may not change every field of the settings',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: '{ ...wishedSettings(draft), ...settings }',
        put: '{ ...settings, ...roster.settings }',
      },
    ],
    tests: [{ path: LIES, name: 'who changes one setting: nothing is said of the others, and they stay' }],
  },
  {
    name: 'a change of the settings that waits is not shown',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/view/room-view.ts',
        find: 'settingsWished: sameSettings(wished, roster.settings) ? null : wished,',
        put: 'settingsWished: null,',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/view/room-view.spec.ts',
        name: 'shows the settings as they are, and as they are to be while that waits',
      },
    ],
  },
  {
    name: 'a signed change of the settings cannot be taken back',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'core.pending === null && sameSettings(wished, roster.settings)',
        put: 'sameSettings(wished, roster.settings)',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/owner/owner.spec.ts',
        name: 'and is signed already comes first, and what takes it back after it',
      },
    ],
  },
  {
    name: 'a change of the settings that was taken back is signed',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/room/owner/owner.ts',
        find: 'settings !== null && !sameSettings(settings, roster.settings)',
        put: 'settings !== null',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/owner/owner.spec.ts',
        name: 'and was taken back while it was signed is not signed again once it is void',
      },
    ],
  },
  {
    name: 'the member command asks for settings that nobody named',
    breaks: ['G11'],
    changes: [
      {
        file: 'libs/client/src/node/member/room-commands.ts',
        find: 'client.changeSettings(roomId, changes)',
        put: 'client.changeSettings(roomId, { ...settings, ...changes })',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/node/member/settings.spec.ts',
        name: 'names what is to change, and nothing that may be waiting; it ends once the log says so',
      },
    ],
  },
  {
    name: 'approval that is switched on does not hold for who has asked',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/room/log/roster-effects.ts',
        find: 'if (change.settings.approval) askAgain(draft);',
        put: 'void askAgain;',
      },
    ],
    tests: [
      { path: LIES, name: 'who begins to approve: whoever has asked and was not answered is asked about' },
    ],
  },
  {
    name: 'whoever waits enters once approval is switched off',
    breaks: ['G2'],
    changes: [
      {
        file: 'libs/client/src/room/owner/invites.ts',
        find: '(full || approved)',
        put: '(full || approved || !state.roster.settings.approval)',
      },
      {
        file: 'libs/client/src/room/owner/invites.ts',
        find: 'if (!invite.approved) return;',
        put: 'if (!invite.approved && draft.roster.settings.approval) return;',
      },
    ],
    tests: [
      {
        path: LIES,
        name: 'who stops approving: whoever waits goes on waiting for a word, and who asks later enters',
      },
    ],
  },
];
