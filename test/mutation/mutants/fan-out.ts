/** What a relay seals once for a room: for whom, until when, and in which order (docs/protocol.md section 3.2). */
import type { Mutant, NamedTest } from '../mutant.js';

const FAN_OUT = 'apps/relay/src/rooms/delivery/fan-out.ts';
const OUTBOUND = 'apps/relay/src/gateway/outbound.ts';
const SUBSCRIPTION = 'apps/relay/src/rooms/delivery/room-subscription.ts';

const fanOut = (name: string): NamedTest => ({ path: 'apps/relay/src/rooms/delivery/fan-out.spec.ts', name });
const feeds = (name: string): NamedTest => ({ path: 'apps/relay/src/gateway/feeds.spec.ts', name });
const subscription = (name: string): NamedTest => ({
  path: 'apps/relay/src/rooms/delivery/room-subscription.spec.ts',
  name,
});
const ends = (what: string): NamedTest => fanOut(`ends with ${what}: what comes after goes in another`);

const AT_RANDOM = feeds(
  'whoever is slow, away, answered or removed between: each gets what it is due, once and in order',
);

const WIRE = 'apps/relay/src/gateway/socket-wire.ts';
const wire = (name: string): NamedTest => ({ path: 'apps/relay/src/gateway/socket-wire.spec.ts', name });

export const FAN_OUT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a departure leaves the room’s feed to whoever went',
    breaks: ['G10'],
    changes: [{ file: FAN_OUT, find: "return event.role === 'departed';", put: 'return false;' }],
    tests: [ends('a departure')],
  },
  {
    name: 'a broken subscription leaves the room’s feed as it was',
    breaks: ['G10'],
    changes: [{ file: FAN_OUT, find: 'event.tip === null || event.resumed', put: 'event.tip === null' }],
    tests: [ends('a hole in what was heard')],
  },
  {
    name: 'a rotation leaves a stolen key of the feed its worth',
    breaks: ['G9'],
    changes: [{ file: FAN_OUT, find: "kind === 'rotation'", put: "kind === 'leaveRequest'" }],
    tests: [ends('a rotation')],
  },
  {
    name: 'a missing entry leaves the room’s feed as it was',
    breaks: ['G10'],
    changes: [
      {
        file: SUBSCRIPTION,
        find: "// Somebody's departure may be what is missing.\n    this.#fanOut?.cut();",
        put: '',
      },
    ],
    tests: [subscription('ends the room’s feed on the link with a hole: a departure may be what is missing')],
  },
  {
    name: 'a page that says that its reader has gone leaves the feed as it was',
    breaks: ['G10'],
    changes: [{ file: SUBSCRIPTION, find: "if (page.role === 'departed') this.#fanOut?.cut();", put: '' }],
    tests: [subscription('ends it where a page says that its member has gone')],
  },
  {
    name: 'each subscription that hears of a departure ends the feed again',
    breaks: ['G16'],
    changes: [
      {
        file: FAN_OUT,
        find: 'if (!cuts(event) || this.#heard.has(event)) return;',
        put: 'if (!cuts(event) || this.#heard.has({} as RoomEvent)) return;',
      },
    ],
    tests: [fanOut('ends once with one event, however many of its room hear it in turn')],
  },
  {
    name: 'a part in the feed is given while a batch is gathered',
    breaks: ['G18'],
    changes: [
      {
        file: OUTBOUND,
        find: 'if (!ended || feed.ended || this.#ended) return false;',
        put: 'if (feed.ended || this.#ended) return false;',
      },
    ],
    tests: [feeds('in the midst of a batch has no part in it, and opens nothing of it')],
  },
  {
    name: 'a part in a feed is given that has ended',
    breaks: ['G10'],
    changes: [
      {
        file: OUTBOUND,
        find: 'if (!ended || feed.ended || this.#ended) return false;',
        put: 'if (!ended || this.#ended) return false;',
      },
    ],
    tests: [AT_RANDOM],
  },
  {
    name: 'whoever got a part of a batch inside its session gets all of it in the cell again',
    breaks: ['G5', 'G16'],
    changes: [
      {
        file: OUTBOUND,
        find: 'if (!first || this.#batchEnd(from) - from !== deliveries.length) return null;',
        put: 'if (deliveries.length === 0) return null;',
      },
    ],
    tests: [AT_RANDOM],
  },
  {
    name: 'cells go to connections that can open only later ones',
    breaks: ['G16'],
    changes: [{ file: OUTBOUND, find: 'cell.c < followed.next || ', put: '' }],
    tests: [feeds('behind batches that are sealed already gets those inside its session')],
  },
  {
    name: 'who has left out many cells is sent one that it refuses',
    breaks: ['G16'],
    changes: [
      {
        file: OUTBOUND,
        find: ' || cell.c - followed.next > FEED_SKIPPED_CELLS) return null;',
        put: ') return null;',
      },
      { file: OUTBOUND, find: ' || feed.c - this.#followed.next > FEED_SKIPPED_CELLS / 2;', put: ';' },
    ],
    tests: [feeds('by more cells than a connection may leave out is given a part anew, and goes on')],
  },
  {
    name: 'who has fallen behind gets one cell for each turn of its wire',
    breaks: ['G16'],
    changes: [
      {
        file: OUTBOUND,
        find: 'if (!this.#sendOne(now)) return false;',
        put: 'this.#sendOne(now);\n      return false;',
      },
    ],
    tests: [
      feeds('catches up by turns of its wire, each with as much as one large frame'),
      feeds('through no fault of its own is not cut: much in one turn goes out first'),
    ],
  },
  {
    name: 'a connection that has gone keeps its subscription',
    breaks: ['G16'],
    changes: [
      {
        file: 'apps/relay/src/rooms/commands/rooms.ts',
        find: 'if (peer.gone) {',
        put: 'if (peer.key === null) {',
      },
    ],
    tests: [
      {
        path: 'apps/relay/src/rooms/commands/rooms.spec.ts',
        name: 'one that has gone while its room was looked up leaves nothing behind',
      },
    ],
  },
  {
    name: 'on a wire that takes everything what is more than a large frame is not sent on',
    breaks: ['G16'],
    changes: [
      { file: OUTBOUND, find: 'if (more && this.#options.idle()) this.#schedule();', put: 'void more;' },
    ],
    tests: [
      {
        path: 'apps/relay/src/gateway/edge.spec.ts',
        name: 'sends all that waits, in as many turns as it takes, on a wire that takes all and says nothing',
      },
    ],
  },
  {
    name: 'nobody is told once a wire takes again',
    breaks: ['G16'],
    changes: [{ file: WIRE, find: 'if (!behind && below.writable) {', put: 'if (false as boolean) {' }],
    tests: [
      wire('what a reader does not take is not idle, and says once when it has gone'),
      wire('what the libraries send themselves is waited for as well'),
    ],
  },
  {
    name: 'frames go out behind the end of the websocket',
    breaks: ['G16'],
    changes: [
      {
        file: WIRE,
        find: 'if (websocket.readyState !== OPEN || !below.writable) return;',
        put: 'if (!below.writable) return;',
      },
    ],
    tests: [wire('nothing goes out behind the end of the websocket')],
  },
];
