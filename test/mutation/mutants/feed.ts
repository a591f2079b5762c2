/** What is sealed once for all that are live in a room, and how frames travel (docs/protocol.md section 3.2; G5, G6, G12). */
import type { Mutant, NamedTest } from '../mutant.js';

const FEED = 'libs/crypto/src/link/feed.ts';
const LINK = 'libs/crypto/src/link/link.ts';
const FRAMES = 'libs/protocol/src/feed-frames.ts';
const PADDING = 'libs/protocol/src/padding.ts';
const PARSER = 'libs/protocol/src/socket-io/index.ts';

const feed = (name: string): NamedTest => ({ path: 'libs/crypto/src/link/feed.spec.ts', name });
const parser = (name: string): NamedTest => ({ path: 'libs/protocol/src/socket-io/index.spec.ts', name });

const IN_ORDER = feed('cannot repeat, leave out or exchange frames of either sort');
const LATER = feed('opens nothing earlier');
const OWN_FRAME = feed('cannot make it take its own frame of the same cell');

export const FEED_MUTANTS: readonly Mutant[] = [
  {
    name: 'the tag of a feed’s frame is not checked',
    breaks: ['G5', 'G6', 'G12'],
    changes: [
      {
        file: FEED,
        find: 'if (!equalBytes(this.#tags.tag(head.n, head.c, hashNow(cell)), head.tag))',
        put: 'if (false as boolean)',
      },
    ],
    tests: [OWN_FRAME, feed('cannot make it take a tag of zeros')],
  },
  {
    name: 'the tag of a feed’s frame does not cover the number of the frame',
    breaks: ['G5', 'G6'],
    changes: [{ file: FEED, find: 'writeCount(place, 0, n);', put: '' }],
    tests: [feed('cannot make it take another number of the connection')],
  },
  {
    name: 'the tag of a feed’s frame does not cover the cell',
    breaks: ['G5', 'G12'],
    changes: [{ file: FEED, find: 'place.set(digest, 12);', put: '' }],
    tests: [feed('cannot make it take a cell of its own making')],
  },
  {
    name: 'all connections of a feed have one tag key',
    breaks: ['G5', 'G6', 'G12'],
    changes: [
      { file: FEED, find: 'tagKey: this.#random.bytes(SECRET_BYTES)', put: 'tagKey: this.#tagKey' },
      {
        file: FEED,
        find: '  #c = 1;',
        put: '  #c = 1;\n  readonly #tagKey = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));',
      },
    ],
    tests: [OWN_FRAME, feed('brings one cell to all, in the order of each connection’s frames')],
  },
  {
    name: 'a feed’s frame may have any number of the connection',
    breaks: ['G5', 'G6'],
    changes: [{ file: FEED, find: 'head.n !== n || ', put: '' }],
    tests: [IN_ORDER],
  },
  {
    name: 'frames of the session and of the feed are counted apart',
    breaks: ['G6'],
    changes: [
      { file: LINK, find: '  #received = 0;', put: '  #received = 0;\n  #fedOut = 0;\n  #fedIn = 0;' },
      { file: LINK, find: 'return ++this.#sent;', put: 'return ++this.#fedOut;' },
      {
        file: LINK,
        find: 'const content = this.openFeed(this.#received + 1, body);\n      this.#received++;',
        put: 'const content = this.openFeed(++this.#fedIn, body);',
      },
    ],
    tests: [IN_ORDER],
  },
  {
    name: 'the cells of a feed may go back',
    breaks: ['G5'],
    changes: [{ file: FEED, find: 'leftOut < 0 || ', put: '' }],
    tests: [LATER],
  },
  {
    name: 'the cells of a feed may leap by any number',
    breaks: ['G16'],
    changes: [{ file: FEED, find: ' || leftOut > FEED_SKIPPED_CELLS', put: '' }],
    tests: [feed('a cell so far ahead that its key would be long in coming')],
  },
  {
    name: 'the key of a feed does not move on',
    breaks: ['G8', 'G10'],
    changes: [
      {
        file: FEED,
        find: 'const next = asFeedKey(hashNow(input));',
        put: 'const next = asFeedKey(Uint8Array.from(exposeSecret(key)));',
      },
    ],
    tests: [LATER],
  },
  {
    name: 'the next feed begins with the key of the one before',
    breaks: ['G10'],
    changes: [
      {
        file: FEED,
        find: 'this.#key = asFeedKey(random.bytes(SECRET_BYTES));',
        put: 'this.#key = asFeedKey(new Uint8Array(SECRET_BYTES));',
      },
    ],
    tests: [feed('and no cell of another feed, although it has kept every key of its own')],
  },
  {
    name: 'a feed that has ended goes on',
    breaks: ['G10'],
    changes: [{ file: FEED, find: 'this.#key?.fill(0);\n    this.#key = null;', put: '' }],
    tests: [feed('ends, and seals and grants nothing more')],
  },
  {
    name: 'who is given a part in another feed follows the earlier one on',
    breaks: ['G5', 'G10'],
    changes: [
      {
        file: LINK,
        find: 'this.#feed?.end();\n      this.#feed = new FollowedFeed(',
        put: 'this.#feed ??= new FollowedFeed(',
      },
    ],
    tests: [feed('cannot bring a frame of a feed that the connection has left for another')],
  },
  {
    name: 'a cell may hold what is one member’s alone, or moves a client on the relay’s word',
    breaks: ['G5', 'G12'],
    changes: [
      { file: FRAMES, find: "'e' in message && FEED_KINDS.includes(message.e)", put: 'Boolean(message)' },
    ],
    tests: [feed('a reply in a cell'), feed('a notice in a cell')],
  },
  {
    name: 'a cell may bring a part in a feed',
    breaks: ['G5', 'G12'],
    changes: [
      { file: FRAMES, find: "['entries', 'signalled']", put: "['entries', 'signalled', 'feed']" },
      {
        file: LINK,
        find: 'return this.#feed.open(n, decodeFeedFrame(body));',
        put: 'return this.applyGrants(this.#feed.open(n, decodeFeedFrame(body)));',
      },
    ],
    tests: [feed('a part in another feed in a cell')],
  },
  {
    name: 'the parser takes every packet of Socket.IO',
    breaks: ['G16'],
    changes: [
      {
        file: PARSER,
        find: "else throw new Error('not a packet of this protocol');",
        put: 'else super.add(packet);',
      },
    ],
    tests: [parser('refuses "3[]"'), parser('refuses "0/other,"')],
  },
  {
    name: 'frames are padded to the size that Padmé gives alone',
    breaks: ['G1'],
    changes: [
      {
        file: PADDING,
        find: 'Math.ceil(padmeSize(length + 4) / FRAME_STEP) * FRAME_STEP',
        put: 'padmeSize(length + 4)',
      },
    ],
    tests: [feed('messages, signals and answers have one size on the wire')],
  },
];
