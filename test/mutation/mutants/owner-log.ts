/** What an owner's word in the log may come to at a member (docs/protocol.md sections 4, 5 and 7). */
import type { Mutant } from '../mutant.js';

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
];
