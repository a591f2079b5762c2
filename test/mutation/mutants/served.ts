/** Who may speak to the relay, and what of a lie a browser keeps (docs/decisions/0038 and 0039). */
import type { Mutant } from '../mutant.js';

const HOSTS_SPEC = 'test/integration/relay-hosts.spec.ts';
const EDGE_SPEC = 'apps/relay/src/gateway/edge.spec.ts';
const KEPT = 'apps/web/src/app/core/kept-files.ts';
const KEPT_SPEC = 'apps/web/src/app/core/kept-files.spec.ts';
const MALFORMED = 'apps/relay/src/http/malformed.ts';

export const SERVED_MUTANTS: readonly Mutant[] = [
  {
    name: 'the relay answers under any name',
    breaks: ['G12', 'W11'],
    changes: [
      {
        file: 'apps/relay/src/gateway/hosts.ts',
        find: 'return everyHost(request, (name) => this.#includes(name));',
        put: 'return everyHost(request, () => true);',
      },
    ],
    tests: [
      { path: EDGE_SPEC, name: 'elsewhere are those that are named, and nothing else' },
      { path: HOSTS_SPEC, name: 'has no word on which host it is by other headers' },
    ],
  },
  {
    name: 'a target in absolute form may name any host',
    breaks: ['G12', 'W11'],
    changes: [
      {
        file: 'apps/relay/src/gateway/hosts.ts',
        find: "[headers.host ?? '', ABSOLUTE.exec(url)?.[1]]",
        put: "[headers.host ?? '', undefined]",
      },
    ],
    tests: [{ path: EDGE_SPEC, name: 'of a target in absolute form count as well' }],
  },
  {
    name: 'a socket may be opened under any name',
    breaks: ['G12', 'W11'],
    changes: [
      {
        file: 'apps/relay/src/gateway/relay-io.adapter.ts',
        find: 'server.engine.use(hosts);',
        put: 'void hosts;',
      },
    ],
    tests: [{ path: HOSTS_SPEC, name: 'has no word on which host it is by other headers' }],
  },
  {
    name: 'a page of another scheme is the relay’s own',
    breaks: ['G12', 'W11'],
    changes: [
      {
        file: 'apps/relay/src/gateway/origin.ts',
        find: "return origin === originOf(other, host) ? 'SCHEME' : 'ORIGIN';",
        put: "return origin === originOf(other, host) ? null : 'ORIGIN';",
      },
    ],
    tests: [{ path: HOSTS_SPEC, name: 'takes pages of its own origin alone: scheme, host and port' }],
  },
  {
    name: 'cookies of a neighbour that are too large stay',
    breaks: ['G16', 'W11'],
    changes: [{ file: MALFORMED, find: '    \'Clear-Site-Data: "cookies"\',\n', put: '' }],
    tests: [{ path: HOSTS_SPEC, name: 'are cleared in whatever pieces the request comes' }],
  },
  {
    name: 'any page can have a user’s cookies deleted, by a long address',
    breaks: ['G16', 'W11'],
    changes: [
      {
        file: MALFORMED,
        find: 'starts.get(socket)?.start.hasLongCookies === true',
        put: 'starts.has(socket)',
      },
    ],
    tests: [
      {
        path: HOSTS_SPEC,
        name: 'are left alone where it is the address that is too long: any page can bring that about',
      },
    ],
  },
  {
    name: 'a body may pass for the beginning of a request',
    breaks: ['G16', 'W11'],
    changes: [{ file: MALFORMED, find: 'this.#known = false;', put: 'void headers;' }],
    tests: [{ path: HOSTS_SPEC, name: 'are left alone behind a body, which could look like a request' }],
  },
  {
    name: 'the service worker that a lie left behind stays',
    breaks: ['G1'],
    changes: [
      {
        file: 'apps/relay/src/http/middleware.ts',
        find: 'if (isRead(request) && asksForServiceWorker(request)) answerServiceWorker(request, response);',
        put: 'if (asksForServiceWorker(request)) refuse(response, 404);',
      },
    ],
    tests: [
      {
        path: 'test/integration/web-files.spec.ts',
        name: 'asked for as /sw.js, is one that takes itself away',
      },
    ],
  },
  {
    name: 'the worker is started with whatever the browser has kept under its name',
    breaks: ['G1'],
    changes: [
      {
        file: KEPT,
        find: "{ cache, integrity, redirect: 'error', signal }",
        put: "{ cache, redirect: 'error' }",
      },
    ],
    tests: [{ path: KEPT_SPEC, name: 'are asked for once, as they are kept, with what the page names' }],
  },
  {
    name: 'a server that stalls is waited for without end',
    breaks: ['G1'],
    changes: [{ file: KEPT, find: "error.name === 'TimeoutError'", put: "error.name === 'none'" }],
    tests: [
      {
        path: KEPT_SPEC,
        name: 'are waited for no longer than is bearable, from a server that answers and then stalls',
      },
    ],
  },
  {
    name: 'what a browser has kept is not loaded again',
    breaks: ['G1'],
    changes: [
      { file: KEPT, find: "const WAYS = ['default', 'reload']", put: "const WAYS = ['default', 'default']" },
    ],
    tests: [{ path: KEPT_SPEC, name: 'are loaded past what is kept where that is one of other content' }],
  },
  {
    name: 'a worker may come under any policy',
    breaks: ['G1'],
    changes: [
      { file: KEPT, find: 'response.ok && this.#comesWithPolicy(path, response)', put: 'response.ok' },
    ],
    tests: [
      { path: KEPT_SPEC, name: 'are loaded past what is kept where that is one without its policy' },
      { path: KEPT_SPEC, name: 'are loaded past what is kept where that is one under another policy' },
    ],
  },
];
