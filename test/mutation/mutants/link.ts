/** Who is on the other end (docs/protocol.md section 3; G5, G12, G13). */
import type { Mutant } from '../mutant.js';

const LINK = 'libs/crypto/src/link/link.ts';
const LINK_SPEC = 'libs/crypto/src/link/link.spec.ts';
const PIN = 'libs/client/src/account/relay-pin.ts';
const ENTRY_SPEC = 'test/hostile/joins/guarantees-entry.spec.ts';

export const LINK_MUTANTS: readonly Mutant[] = [
  {
    name: 'a claimed key is an identity before it is proved',
    breaks: ['G12', 'W3'],
    changes: [
      { file: LINK, find: 'return this.#established ? this.#peer : null;', put: 'return this.#peer;' },
    ],
    tests: [{ path: LINK_SPEC, name: 'G12: gives no identity before the peer has proved its key' }],
  },
  {
    name: 'a room may be made in the name of another key',
    breaks: ['G12'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/rooms.ts',
        find: "if (roster.owner !== peer.memberId) throw new Refusal('FORBIDDEN');",
        put: '',
      },
    ],
    tests: [
      {
        path: 'test/integration/relay.spec.ts',
        name: 'is created once, by the key that its genesis names',
      },
    ],
    built: true,
  },
  {
    name: 'a frame may come twice, or not at all',
    breaks: ['G5', 'G6'],
    changes: [
      {
        file: 'libs/protocol/src/frames.ts',
        find: 'if (n !== last + 1) throw',
        put: 'if (n < 0) throw',
      },
    ],
    tests: [
      { path: LINK_SPEC, name: 'G5: an exact replay, which Themis takes, is refused and kills the link' },
      { path: LINK_SPEC, name: 'G6: a frame left out, or two in the wrong order, are refused' },
    ],
  },
  {
    name: 'any key may answer as the relay',
    breaks: ['G13'],
    changes: [
      {
        file: LINK,
        find: "if (!equalBytes(id, relayKey)) throw new CryptoError('RELAY_KEY_MISMATCH', 'not the pinned relay');",
        put: '',
      },
    ],
    tests: [{ path: LINK_SPEC, name: 'G13: fails with another relay than the pinned one' }],
  },
  {
    name: 'an invite that names another relay is taken',
    breaks: ['G13', 'W13'],
    changes: [
      {
        file: PIN,
        find: 'const direct = invite === null || equalBytes(invite, candidate.hash);',
        put: 'const direct = true;',
      },
      {
        file: PIN,
        find: 'if (invite !== null && !(await this.recognises(vault, invite)))',
        put: 'if (invite?.length === 0)',
      },
    ],
    tests: [
      {
        path: ENTRY_SPEC,
        name: 'G13 neither config.json nor an invite replaces a pin, and both fingerprints are told',
      },
    ],
  },
  {
    name: 'a relay’s hello may name another key than it proved',
    breaks: ['G13'],
    changes: [
      {
        file: 'libs/client/src/link/link-session.ts',
        find: 'if (!equalBytes(hello.relay, this.#options.relayKey)) throw lie();',
        put: '',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/link/connection.spec.ts',
        name: 'an event before the hello, and a hello of another relay, end the attempt',
      },
    ],
  },
];
