/** What strangers and members may cost the relay, and what it must not write down (docs/protocol.md sections 3 and 4). */
import type { Mutant } from '../mutant.js';

const LINK_SPEC = 'libs/crypto/src/link/link.spec.ts';
const EDGE_SPEC = 'apps/relay/src/gateway/edge.spec.ts';
const GATE = 'apps/relay/src/gateway/handshake-gate.ts';
const SQLITE_SPEC = 'apps/relay/src/store/sqlite/sqlite-room-store.spec.ts';

export const FLOOD_MUTANTS: readonly Mutant[] = [
  {
    name: 'a frame may hold any number of values',
    breaks: ['G16', 'W11'],
    changes: [
      {
        file: 'libs/protocol/src/frames.ts',
        find: 'const items = countItems(data, LIMITS.frameItems);',
        put: 'const items = countItems(data, data.length);',
      },
    ],
    tests: [
      {
        path: 'libs/protocol/src/schema.spec.ts',
        name: 'hold no more values than a frame may, on either side',
      },
    ],
  },
  {
    name: 'Themis sees any handshake frame',
    breaks: ['G12', 'W11'],
    changes: [
      {
        file: 'libs/crypto/src/link/link.ts',
        find: 'if (!this.ready() || handshakeForm(body) !== this.#expected[this.#steps++])',
        put: 'if (!this.ready())',
      },
    ],
    tests: [
      { path: LINK_SPEC, name: 'cut anywhere' },
      { path: LINK_SPEC, name: 'with another length or another name in any container' },
      { path: LINK_SPEC, name: 'with a signature that is none' },
    ],
  },
  {
    name: 'whoever comes last is turned away, however many others wait from one address',
    breaks: ['G16', 'W11'],
    changes: [
      { file: GATE, find: 'if (queue.length > this.#length(most)) most = address', put: 'void queue' },
    ],
    tests: [{ path: EDGE_SPEC, name: 'goes round by address, and makes room for who has fewer there' }],
  },
  {
    name: 'an address has its turn for as long as any of it wait',
    breaks: ['G16', 'W11'],
    changes: [
      {
        file: GATE,
        find: 'this.#queues.delete(address);\n    if (queue.length > 0)',
        put: 'if (queue.length === 0) this.#queues.delete(address);\n    else',
      },
    ],
    tests: [{ path: EDGE_SPEC, name: 'goes round by address, and makes room for who has fewer there' }],
  },
  {
    name: 'settings may be changed without end',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/store/sqlite/roster.ts',
        find: "if (row.settings >= entries) return refuse('SETTINGS_LIMIT');",
        put: '',
      },
    ],
    tests: [{ path: SQLITE_SPEC, name: 'settings have a quota, which refuses them and nothing else' }],
  },
  {
    name: 'what is not the relay’s own goes on to the framework',
    breaks: ['G15'],
    changes: [
      {
        file: 'apps/relay/src/http/middleware.ts',
        find: 'else void answer(request, response);',
        put: 'else next();',
      },
    ],
    tests: [
      {
        path: 'test/integration/relay-paths.spec.ts',
        name: 'of any kind is never a fault, and never logged',
      },
    ],
    built: true,
  },
];
