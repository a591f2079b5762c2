/** A relay key that changes (docs/protocol.md section 3.1; G13). */
import type { Mutant } from '../mutant.js';

const VERIFY = 'libs/crypto/src/verify/succession.ts';
const VERIFY_SPEC = 'libs/crypto/src/verify/succession.spec.ts';
const FOLLOW = 'libs/client/src/account/relay-succession.ts';
const PIN = 'libs/client/src/account/relay-pin.ts';
const KEY_SPEC = 'test/hostile/keys/relay-key.spec.ts';
const RUN_SPEC = 'test/integration/relay-succession.spec.ts';
const PINS_SPEC = 'test/integration/relay-pins.spec.ts';
const HALF = 'of one key only, of another, or of two halves of two, does not hold';
const REPIN = 'G13 takes the key that is proved and has the typed fingerprint, and no other';

export const SUCCESSION_MUTANTS: readonly Mutant[] = [
  {
    name: 'a succession needs the old key’s signature alone',
    breaks: ['G13'],
    changes: [
      {
        file: VERIFY,
        find: 'const again = verifiedBody(byNew, (signed) => signed.new);',
        put: "const again = decodeBody(containerBody(byNew), 'relay-succession').body;",
      },
    ],
    tests: [{ path: VERIFY_SPEC, name: HALF }],
  },
  {
    name: 'a succession needs the new key’s signature alone',
    breaks: ['G13'],
    changes: [
      {
        file: VERIFY,
        find: 'const body = verifiedBody(byOld, ({ old }) => old);',
        put: "const { body } = decodeBody(containerBody(byOld), 'relay-succession');",
      },
    ],
    tests: [
      { path: VERIFY_SPEC, name: HALF },
      {
        path: KEY_SPEC,
        name: 'G13 a statement by one key, elsewhere, of another, one of two, round, garbage: leads nobody anywhere, and is told by its reason',
      },
    ],
  },
  {
    name: 'a succession counts at any address',
    breaks: ['G13', 'G4'],
    changes: [{ file: VERIFY, find: 'one.origin === origin && ', put: '' }],
    tests: [
      {
        path: VERIFY_SPEC,
        name: 'ends at the address: a statement of another one leads nowhere, and says why',
      },
    ],
  },
  {
    name: 'of two successors of one key the first is followed',
    breaks: ['G13'],
    changes: [
      {
        file: VERIFY,
        find: 'if (first !== null && other !== undefined) throw new SuccessionFork([first, other.new]);',
        put: 'if (first === other?.new) throw new SuccessionFork([first, other.new]);',
      },
    ],
    tests: [
      { path: VERIFY_SPEC, name: 'stops where a key on it has two successors; the same one twice is one' },
    ],
  },
  {
    name: 'a key of the relay that was left is followed again',
    breaks: ['G13'],
    changes: [
      {
        file: FOLLOW,
        find: 'successors.find((key) => pin.hasLeft(key));',
        put: 'successors.find(() => false);',
      },
      { file: PIN, find: ' || successors.some((one) => this.hasLeft(one)))', put: ')' },
    ],
    tests: [
      {
        path: KEY_SPEC,
        name: 'G13 a thief of the old key leads nobody back or elsewhere once it was left',
      },
    ],
  },
  {
    name: 'a statement moves the pin before the relay has proved the key',
    breaks: ['G13'],
    changes: [
      { file: FOLLOW, find: 'if (!(await this.#advance(successors, named.key))) return standing;', put: '' },
    ],
    tests: [
      {
        path: KEY_SPEC,
        name: 'G13 moves nothing until the relay proves it: one that is announced costs nobody the key of now',
      },
    ],
  },
  {
    name: 'an announced succession covers for a key of somebody else',
    breaks: ['G13'],
    changes: [
      {
        file: FOLLOW,
        find: 'return (recent || successors.length > 0) && equalBytes(served, pin.key);',
        put: 'return successors.length > 0 || (recent && equalBytes(served, pin.key));',
      },
    ],
    tests: [
      {
        path: KEY_SPEC,
        name: 'G13 that is announced does not cover for a key that it does not lead to',
      },
    ],
  },
  {
    name: 'nobody asks whether a relay’s key has a signed successor',
    breaks: ['G13', 'G16'],
    changes: [
      {
        file: 'libs/client/src/link/connection.ts',
        find: 'if (suspicion === ERROR_CODES.RELAY_KEY_MISMATCH) this.#stopForKey();',
        put: 'if (suspicion === ERROR_CODES.BAD_KEY) this.#stopForKey();',
      },
    ],
    tests: [
      {
        path: KEY_SPEC,
        name: 'G13 is followed by who is there and by who was away over two of them, and shown once',
      },
    ],
  },
  {
    name: 'a change of the relay’s key is shown at each start',
    breaks: ['G13'],
    changes: [
      {
        file: PIN,
        find: 'followed: { ...followed, shown: true }',
        put: 'followed: { ...followed, shown: false }',
      },
    ],
    tests: [
      {
        path: KEY_SPEC,
        name: 'G13 is followed by who is there and by who was away over two of them, and shown once',
      },
    ],
  },
  {
    name: 'the user’s own act pins whatever key the relay names',
    breaks: ['G13'],
    changes: [{ file: FOLLOW, find: 'if (other !== fingerprint) throw refused;', put: '' }],
    tests: [{ path: KEY_SPEC, name: REPIN }],
  },
  {
    name: 'the user’s own act pins a key that the relay does not prove',
    breaks: ['G13'],
    changes: [{ file: FOLLOW, find: 'await this.#prove(key).catch(', put: 'await Promise.resolve().catch(' }],
    tests: [{ path: KEY_SPEC, name: REPIN }],
  },
  {
    name: 'a key that the user has left vouches for invites',
    breaks: ['G13'],
    changes: [
      {
        file: PIN,
        find: "const predecessors = (record.left ?? []).filter(({ by }) => by === 'succession');",
        put: 'const predecessors = record.left ?? [];',
      },
    ],
    tests: [
      { path: KEY_SPEC, name: 'G13 is not undone by the thief that it was made for: only by the user' },
    ],
  },
  {
    name: 'an invite that names an earlier key of the relay lets nobody in',
    breaks: ['G13', 'G16'],
    changes: [
      {
        file: PIN,
        find: 'return at === -1 ? null : [old, ...successors.slice(0, at)];',
        put: 'return null;',
      },
    ],
    tests: [
      {
        path: KEY_SPEC,
        name: 'G13 of the key that an invite names lets a newcomer in, and who never knew the old one',
      },
    ],
  },
  {
    name: 'a build with an earlier key of the relay contradicts the pin that followed it',
    breaks: ['G13', 'G16'],
    changes: [
      {
        file: PIN,
        find: 'if (compiled === null || confirmed || this.hasLeft(compiled)) return;',
        put: 'if (compiled === null || confirmed) return;',
      },
    ],
    tests: [{ path: PINS_SPEC, name: 'of the key that was left goes on with the pin that followed it' }],
  },
  {
    name: 'a relay starts with statements that lead elsewhere',
    breaks: ['G13', 'G16'],
    changes: [{ file: 'apps/relay/src/config/succession.ts', find: 'if (at === -1)', put: 'if (at < -1)' }],
    tests: [
      {
        path: RUN_SPEC,
        name: 'end the start of the relay in one line that names them and the remedy',
      },
    ],
    built: true,
  },
  {
    name: 'a change of the relay’s key that was interrupted begins with yet another key',
    breaks: ['G13', 'G16'],
    changes: [
      {
        file: 'apps/relay/src/operators/succeed.ts',
        find: 'const next = await nextKey(`${path}.next`);',
        put: "const next = await nextKey(`${path}.next${text === '' ? '' : '2'}`);",
      },
    ],
    tests: [
      {
        path: RUN_SPEC,
        name: 'once more after an interruption goes on with the key that was begun with',
      },
    ],
    built: true,
  },
];
