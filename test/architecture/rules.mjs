/**
 * Who may import whom, for dependency-cruiser. Each rule's comment is its reason.
 *
 *   web (worker) → client → crypto → protocol      relay → crypto/{link,verify,node}, protocol
 *
 * test/architecture/rules.spec.ts runs these over the repository, and proves of each rule that it
 * reports the violation planted for it (plants.ts). A rule without a plant fails there.
 */

const spec = '\\.(spec|spec-support)\\.ts$';
const client = '^libs/client/src/';
/** What the vault holds, without the vault: schemas, keys and what follows from a record alone. */
const records = 'vault/(records|record-keys|content|index-keys)\\.ts$';
const relay = '^apps/relay/src/';
const platformDoor = '^libs/(crypto|client)/src/(node|browser)/';

/** @param {string[]} names @returns {string} packages by name, found in node_modules or not at all */
const packages = (...names) => `(^|node_modules/)(${names.join('|')})(/|$)`;

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
export const forbidden = [
  // Rule 1: the direction of the arrows.
  {
    name: 'protocol-stands-alone',
    comment: 'The protocol is what both sides agree on: it knows neither side, and no cryptography.',
    from: { path: '^libs/protocol/' },
    to: { path: '^(libs/(crypto|client)|apps)/' },
  },
  {
    name: 'crypto-needs-only-protocol',
    comment: 'Cryptography can be judged by itself, without the member that uses it.',
    from: { path: '^libs/crypto/' },
    to: { path: '^(libs/client|apps)/' },
  },
  {
    name: 'client-needs-only-libraries',
    comment: 'A member runs in any application: libraries do not import application code.',
    from: { path: '^libs/client/' },
    to: { path: '^apps/' },
  },
  {
    name: 'apps-stand-apart',
    comment: 'The relay and the web client meet on the wire, by the protocol, and nowhere else.',
    from: { path: '^apps/([^/]+)/' },
    to: { path: '^apps/', pathNot: '^apps/$1/' },
  },
  {
    name: 'packages-by-their-doors',
    comment: 'Inside a library is its own business: other packages take the doors in its exports.',
    from: { path: '^((?:libs|apps)/[^/]+)/' },
    to: {
      path: '^libs/',
      pathNot: [
        '^$1/',
        '^libs/protocol/src/(socket-io/)?index\\.ts$',
        '^libs/crypto/src/(link|verify|keys|node|browser)/index\\.ts$',
        '^libs/client/src/(index|contract/api|node/index|browser/index)\\.ts$',
      ],
    },
  },
  {
    name: 'relay-takes-only-its-doors',
    comment: 'The relay ends links and verifies signatures; it does nothing that a member does.',
    from: { path: '^apps/relay/src/', pathNot: spec },
    to: { path: '^libs/', pathNot: '^libs/(protocol/|crypto/src/(link|verify|node)/)' },
  },
  {
    name: 'relay-reaches-no-room-key',
    comment: 'That the relay cannot hold a room key is visible in the import graph, through any detour.',
    from: { path: '^apps/relay/src/', pathNot: spec },
    to: { path: '^libs/(crypto/src/keys|client/src)/', reachable: true },
  },
  {
    name: 'page-takes-only-the-api',
    comment: 'Keys live in the worker. The page has plain view state, types and error codes.',
    from: { path: '^apps/web/', pathNot: '^apps/web/src/app/worker/' },
    to: { path: '^libs/', pathNot: '^libs/(client/src/contract/api|protocol/src/index)\\.ts$' },
  },
  {
    name: 'page-takes-no-worker-code',
    comment: "The page may know the worker's types; its code would bring the keys onto the page.",
    from: { path: '^apps/web/src/', pathNot: ['^apps/web/src/app/worker/', spec] },
    to: { path: '^apps/web/src/app/worker/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'features-stand-apart',
    comment: 'A screen changes without a look at the others: what two of them need lives in core/ or ui/.',
    from: { path: '^apps/web/src/app/features/([^/]+)/' },
    to: { path: '^apps/web/src/app/features/', pathNot: '^apps/web/src/app/features/$1/' },
  },
  {
    name: 'core-knows-no-feature',
    comment: 'What every screen stands on knows none of them.',
    from: { path: '^apps/web/src/app/(core|ui)/', pathNot: spec },
    to: { path: '^apps/web/src/app/features/' },
  },
  {
    name: 'ui-is-given-all',
    comment:
      'What only draws knows no state of the app: it has inputs and outputs. It injects nothing: see injections.ts.',
    from: { path: '^apps/web/src/app/ui/' },
    to: { path: '^apps/web/src/app/(core|worker)/' },
  },
  {
    name: 'api-is-only-an-api',
    comment: 'What the page imports must not bring the rest of the client along.',
    from: { path: '^libs/client/src/contract/(api|timeline-items)\\.ts$' },
    to: {
      pathNot: '^libs/(protocol/src/index|client/src/contract/timeline)\\.ts$',
      dependencyTypesNot: ['type-only'],
    },
  },

  // Rule 2: libraries are independent of frameworks and platforms.
  {
    name: 'no-framework-in-libs',
    comment: 'Libraries outlive frameworks.',
    from: { path: '^libs/' },
    to: { path: packages('@nestjs/[^/]+', '@angular/[^/]+', 'rxjs') },
  },
  {
    name: 'no-node-in-shared-code',
    comment: 'Shared code runs in browsers too: it reaches the platform by ports (the DOM: see tsconfig).',
    from: { path: '^libs/', pathNot: ['^libs/[^/]+/src/node/', spec] },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'no-platform-door-in-shared-code',
    comment: 'Only applications and tests choose the platform.',
    from: { path: '^libs/', pathNot: [platformDoor, spec] },
    to: { path: platformDoor },
  },
  {
    name: 'one-platform-at-a-time',
    comment: 'A door for Node in a browser, or the reverse, fails only when it is deployed.',
    from: { path: '^libs/[^/]+/src/(node|browser)/' },
    to: { path: platformDoor, pathNot: '^libs/[^/]+/src/$1/' },
  },
  {
    name: 'web-is-a-browser',
    comment: 'The web client takes no door for Node.',
    from: { path: '^apps/web/src/' },
    to: { path: '^libs/[^/]+/src/node/' },
  },

  // Rule 3: the rooms of the client. Who writes room state is asked of the compiler (room-state.ts).
  {
    name: 'log-is-pure',
    comment: 'What an entry means follows from the entry and from what was known: nothing else takes part.',
    from: { path: `${client}room/log/`, pathNot: spec },
    to: {
      path: client,
      pathNot: `${client}(room/(log|state)/|${records}|contract/errors\\.ts$)`,
    },
  },
  {
    name: 'log-reaches-no-disk-and-no-wire',
    comment: 'Through any detour: what an entry yields is a value, before anything is stored or sent.',
    from: { path: `${client}room/log/`, pathNot: spec },
    to: { path: `${client}(vault/|link/|node/|browser/)`, pathNot: `${client}${records}`, reachable: true },
  },
  {
    name: 'state-knows-no-part',
    comment: 'What is known of a room is independent of who learns it and who shows it.',
    from: { path: `${client}room/state/`, pathNot: spec },
    to: {
      path: client,
      pathNot: `${client}(room/state/|${records}|(vault/(vault|serial-queue)|contract/(errors|ports))\\.ts$)`,
    },
  },
  {
    name: 'tables-stay-inside',
    comment: 'What can be written, and how it is read from the vault, only room/state itself has in hand.',
    from: { path: client, pathNot: [`${client}room/state/`, spec] },
    to: { path: `${client}room/state/(tables|record-index|immutable|log-table|load)\\.ts$` },
  },
  {
    name: 'view-sends-nothing',
    comment: 'Views are drawn from what is known: asking for more is the business of a room.',
    from: { path: `${client}view/`, pathNot: spec },
    to: { path: `${client}(vault/|link/|room/outgoing/)`, pathNot: `${client}${records}` },
  },

  {
    name: 'client-rests-on-its-contract',
    comment:
      'Types of the API, errors and ports are what all of the client has in common: they need none of it.',
    from: { path: `${client}contract/`, pathNot: spec },
    to: { path: client, pathNot: `${client}contract/` },
  },
  {
    name: 'link-knows-no-room',
    comment: 'A connection carries any request: it knows neither what is stored nor what a room is.',
    from: { path: `${client}link/`, pathNot: spec },
    to: { path: client, pathNot: `${client}(link|contract)/` },
  },
  {
    name: 'vault-knows-no-room',
    comment: 'Records, and how they are brought to a new form, are independent of who works with them.',
    from: { path: `${client}vault/`, pathNot: spec },
    to: { path: client, pathNot: `${client}(vault|contract)/` },
  },
  {
    name: 'room-knows-no-account',
    comment: 'A room lives by itself: which others there are, and how it is shown, is decided above it.',
    from: { path: `${client}room/`, pathNot: spec },
    to: { path: client, pathNot: `${client}(room|vault|link|contract)/` },
  },
  {
    name: 'view-knows-no-account',
    comment: 'A view is drawn from a room, whoever asks for it.',
    from: { path: `${client}view/`, pathNot: spec },
    to: { path: client, pathNot: `${client}(view|room|vault|contract)/` },
  },
  {
    name: 'account-knows-no-client',
    comment: 'What is unlocked does not know who unlocks it.',
    from: { path: `${client}account/`, pathNot: spec },
    to: { path: `${client}((client|index)\\.ts$|node/|browser/)` },
  },
  {
    name: 'outgoing-knows-no-part',
    comment: 'The one loop sends whatever is due; which parts of a room make it due is not its business.',
    from: { path: `${client}room/outgoing/`, pathNot: spec },
    to: { path: `${client}room/(member|owner|conversation)/` },
  },
  {
    name: 'conversation-only-reads',
    comment: 'What a person reads follows from the log and from what waits: nothing is sent for it.',
    from: { path: `${client}room/conversation/`, pathNot: spec },
    to: { path: `${client}room/(member|owner|outgoing)/` },
  },
  {
    name: 'member-and-owner-apart',
    comment: 'What every member does and what the owner does meet in what is known, and nowhere else.',
    from: { path: `${client}room/(member|owner)/`, pathNot: spec },
    to: { path: `${client}room/(member|owner)/`, pathNot: `${client}room/$1/` },
  },
  {
    name: 'room-is-put-together-once',
    comment: 'The parts of a room know what they need of it (outgoing/part.ts), and never the whole.',
    from: { path: `${client}room/[^/]+/`, pathNot: spec },
    to: { path: `${client}room/room\\.ts$` },
  },

  // Rule 4: the layers of the relay, and the keepers of two packages. The first four leave no circle of its folders.
  {
    name: 'port-knows-no-relay',
    comment:
      'The port says what a store owes the rooms: whoever implements or calls it knows it, and it nobody.',
    from: { path: `${relay}rooms/port/`, pathNot: spec },
    to: { path: relay, pathNot: `${relay}rooms/port/` },
  },
  {
    name: 'delivery-and-upkeep-stand-alone',
    comment: 'What a room sends by itself, and what is tidied behind it, needs the port and no command.',
    from: { path: `${relay}rooms/(delivery|upkeep)/`, pathNot: spec },
    to: { path: `${relay}rooms/`, pathNot: `${relay}rooms/($1|port)/` },
  },
  {
    name: 'rooms-know-no-edge',
    comment:
      'What a command does is independent of the socket it came by, of limits, and of the store it goes to.',
    from: { path: `${relay}rooms/`, pathNot: spec },
    to: { path: relay, pathNot: `${relay}rooms/` },
  },
  {
    name: 'limits-and-config-know-types',
    comment:
      'What is configured and what is counted needs only the types of the port, and nothing that runs.',
    from: { path: `${relay}(limits|config)/`, pathNot: spec },
    to: { path: relay, pathNot: `${relay}($1|rooms/port)/` },
  },
  {
    name: 'limits-and-config-run-no-port',
    comment: 'See limits-and-config-know-types.',
    from: { path: `${relay}(limits|config)/`, pathNot: spec },
    to: { path: `${relay}rooms/port/`, dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'store-knows-no-edge',
    comment: 'A store answers the rooms, whoever asked them.',
    from: { path: `${relay}store/`, pathNot: spec },
    to: { path: `${relay}(gateway|http|metrics|operators)/` },
  },
  {
    name: 'scripts-know-only-the-port',
    comment: 'A script, its keys and its answer mean the same whoever runs it, and over whatever connection.',
    from: { path: `${relay}store/redis/scripts/`, pathNot: spec },
    to: { path: relay, pathNot: `${relay}(store/redis/scripts|rooms/port)/` },
  },
  {
    name: 'connection-knows-no-store',
    comment:
      'A connection runs any script; what is asked by it, and what is heard beside it, is not its own.',
    from: { path: `${relay}store/redis/connection/`, pathNot: spec },
    to: { path: `${relay}store/`, pathNot: `${relay}store/redis/(connection|scripts)/` },
  },
  {
    name: 'feed-knows-no-store',
    comment: 'The store subscribes to the feed, which compares with it by a function that it is given.',
    from: { path: `${relay}store/redis/feed/`, pathNot: spec },
    to: { path: `${relay}store/`, pathNot: `${relay}store/redis/(feed|connection)/` },
  },
  {
    name: 'redis-in-its-place',
    comment:
      'Redis is one of two stores: only its store, with its feed and the adapter of sockets, speaks to it.',
    from: { path: '^(apps|libs)/', pathNot: `${relay}store/redis/` },
    to: { path: packages('ioredis', '@socket\\.io/redis-adapter') },
  },
  {
    name: 'themis-only-in-crypto',
    comment: 'All cryptography goes through libs/crypto, where it can be reviewed.',
    from: { pathNot: '^libs/crypto/' },
    to: { path: packages('wasm-themis', '@noble/[^/]+', 'hash-wasm') },
  },

  // Rule 5, and what makes the others mean something.
  {
    name: 'no-cycles',
    comment: 'Modules that need each other are one module, or lack a third.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'imports-resolve',
    comment: 'An import that leads nowhere would slip through every rule above.',
    from: { path: '^(libs|apps)/' },
    to: { couldNotResolve: true },
  },
];

export default {
  forbidden: forbidden.map((rule) => ({ ...rule, severity: 'error' })),
  options: {
    // Imports of types count: a layer that names the types of another depends on it.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.angular|coverage)/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@0fc/source', 'types', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
