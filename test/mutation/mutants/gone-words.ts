/** Words that were deleted or edited away are in no record (docs/protocol.md section 9, docs/decisions/0037). */
import type { Mutant } from '../mutant.js';

const ERASE = 'libs/client/src/room/log/erase.ts';
const ENTRY = 'libs/client/src/room/log/entry.ts';
const TABLES = 'libs/client/src/room/state/tables.ts';
const LOOKUPS = 'libs/client/src/room/state/lookups.ts';
const CONVERSATION = 'libs/client/src/room/conversation/conversation.ts';
const OUTBOX = 'libs/client/src/room/member/outbox.ts';
const KEY_REQUESTS = 'libs/client/src/room/member/key-requests.ts';
const AGAIN = 'libs/client/src/room/log/again.ts';
const MIGRATION = 'libs/client/src/vault/migrations/04-gone-texts.ts';
const HOSTILE = 'test/hostile/talk/gone-texts.spec.ts';
const ERASE_SPEC = 'libs/client/src/room/log/erase.spec.ts';
const COMPOSER_SPEC = 'libs/client/src/room/member/composer.spec.ts';
const MIGRATION_SPEC = 'libs/client/src/vault/migrations/04-gone-texts.spec.ts';

const EVERYWHERE = {
  path: HOSTILE,
  name: 'G14 are in no vault and no export: not of their author, of the others, of who came since',
} as const;

export const GONE_WORD_MUTANTS: readonly Mutant[] = [
  {
    name: 'what is deleted and edited is only shown so',
    breaks: ['G14'],
    changes: [{ file: ENTRY, find: 'eraseAfter(draft, shown);', put: '' }],
    tests: [
      EVERYWHERE,
      { path: HOSTILE, name: 'G14 of the other leaves the words only where they are shown too' },
      {
        path: ERASE_SPEC,
        name: 'G14 the record of a line is written in the write of the message that takes its words away',
      },
    ],
  },
  {
    name: 'what its author deletes stays with it until the log has heard',
    breaks: ['G14'],
    changes: [{ file: OUTBOX, find: 'eraseBefore(draft, item);', put: '' }],
    tests: [
      {
        path: HOSTILE,
        name: 'G14 are gone at their author before anybody has heard, and reach nobody who has not read them yet',
      },
      { path: COMPOSER_SPEC, name: 'are of one’s own messages, also of those that wait' },
    ],
  },
  {
    name: 'what comes after its own deletion is stored whole',
    breaks: ['G14'],
    changes: [
      {
        file: ERASE,
        find: 'mayBeChangedAhead(draft.sender(item.sender), item) || deletedHere(draft, item);',
        put: 'deletedHere(draft, item);',
      },
    ],
    tests: [{ path: HOSTILE, name: 'G14 whose end comes before them are never stored' }],
  },
  {
    name: 'an edit leaves the one before it',
    breaks: ['G14'],
    changes: [
      {
        file: ERASE,
        find: 'for (const { item } of edits) if (item !== last) rewrite(draft, item, asNothing);',
        put: '',
      },
    ],
    tests: [EVERYWHERE],
  },
  {
    name: 'the order of a relay brings earlier words back',
    breaks: ['G14', 'G6'],
    changes: [
      {
        file: 'libs/client/src/vault/content.ts',
        find: '? one.n > other.n',
        put: '? one.order > other.order',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/erase.spec.ts',
        name: 'keeps its newest words, whatever order the relay gives its edits, and however late one comes',
      },
    ],
  },
  {
    name: 'what changed a line outlives its deletion',
    breaks: ['G14'],
    changes: [
      {
        file: ERASE,
        find: 'for (const { item } of gone) rewrite(draft, item, asNothing);',
        put: '',
      },
    ],
    tests: [
      EVERYWHERE,
      {
        path: 'libs/client/src/room/window.spec.ts',
        name: 'G14 takes the words of a line far up away, and of what had changed it, all at once',
      },
    ],
  },
  {
    name: 'a line that is discarded leaves what waits to change it',
    breaks: ['G14', 'G18'],
    changes: [
      {
        file: 'libs/client/src/room/member/composer.ts',
        find: 'if (whole && message !== null && held.some(({ n }) => n === message.n)) eraseWaiting(draft, message);',
        put: '',
      },
    ],
    tests: [
      { path: COMPOSER_SPEC, name: 'G14 G18 a line that is discarded takes along what waits to change it' },
    ],
  },
  {
    name: 'a line that was sent again by hand stays where the lost one was read',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/room/member/composer.ts',
        find: "after: [{ type: 'delete', to: targetOf(message) }]",
        put: 'after: []',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/lost.spec.ts',
        name: 'G18 goes as it was last edited, once, and gives way to what was sent',
      },
    ],
  },
  {
    name: 'what says nothing any more is looked up with every change of its line',
    breaks: ['G14'],
    changes: [{ file: TABLES, find: 'index: record.index, gone: true });', put: 'index: record.index });' }],
    tests: [
      {
        path: ERASE_SPEC,
        name: 'is found with its last edit alone, however often it was edited, and with nothing but deletions once it is deleted',
      },
    ],
  },
  {
    name: 'what changed a line is looked for in memory alone',
    breaks: ['G14'],
    changes: [
      {
        file: LOOKUPS,
        find: 'const before = log.loaded === log.first ? [] : sought.effects.get(key);',
        put: 'const before = sought.effects.get(key) ?? [];',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/window.spec.ts',
        name: 'G14 takes the words of a line far up away, and of what had changed it, all at once',
      },
    ],
  },
  {
    name: 'what waits of a deleted line waits on',
    breaks: ['G14'],
    changes: [
      {
        file: ERASE,
        find: 'rewrite(draft, target, asDeleted);\n    eraseWaiting(draft, target);',
        put: 'rewrite(draft, target, asDeleted);',
      },
    ],
    tests: [
      {
        path: COMPOSER_SPEC,
        name: 'G14 what was sealed may have been sent: an edit leaves it until the log has it, a deletion does not',
      },
      { path: ERASE_SPEC, name: 'G14 is void once the log holds its deletion, with what waits about it' },
    ],
  },
  {
    name: 'a line that waits keeps the words before an edit that was read',
    breaks: ['G14', 'G18'],
    changes: [{ file: ERASE, find: 'rewordWaiting(draft, target, last, words);', put: '' }],
    tests: [
      {
        path: ERASE_SPEC,
        name: 'G14 G18 waits in the last words, for its own epoch alone, and an earlier edit as void',
      },
    ],
  },
  {
    name: 'a reworded line goes in any epoch',
    breaks: ['G18'],
    changes: [
      {
        file: ERASE,
        find: 'draft.apply(putOutbox({ ...waiting, content, sealed: null, only }));',
        put: 'draft.apply(putOutbox({ ...waiting, content, sealed: null, only: only === null ? only : null }));',
      },
    ],
    tests: [
      {
        path: ERASE_SPEC,
        name: 'G14 G18 waits in the last words, for its own epoch alone, and an earlier edit as void',
      },
    ],
  },
  {
    name: 'what waited for its key is opened in all its words',
    breaks: ['G14'],
    changes: [{ file: KEY_REQUESTS, find: 'eraseAfter(one, opened);', put: '' }],
    tests: [
      {
        path: 'libs/client/src/room/member/key-requests.spec.ts',
        name: 'G14 what was deleted and edited while the key was missing is opened in its last words',
      },
    ],
  },
  {
    name: 'a line that comes back in its last words accuses its sender',
    breaks: ['G16'],
    changes: [
      {
        file: AGAIN,
        find: 'if (marked && (mayBeResent(snapshot, line.record) || isEdited(snapshot, body))) return null;',
        put: '',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/again.spec.ts',
        name: 'G16 comes back in its last words: to who has the first ones it is the same line, and they stay until the edit',
      },
      {
        path: 'libs/client/src/room/log/again.spec.ts',
        name: 'G14 G16 is not brought back to its first words by who has them still',
      },
    ],
  },
  {
    name: 'other words under one number are explained by a mark that anybody can set',
    breaks: ['G3'],
    changes: [
      {
        file: AGAIN,
        find: 'if (marked && (mayBeResent(snapshot, line.record) || isEdited(snapshot, body))) return null;',
        put: 'if (marked) return null;',
      },
    ],
    tests: [
      {
        path: 'libs/client/src/room/log/again.spec.ts',
        name: 'G3 that nobody has edited, and that the log has still, is an alarm whatever it is marked as, and stays',
      },
      {
        path: 'libs/client/src/room/log/again.spec.ts',
        name: 'G3 that came as edited, with no edit of it, is an alarm where it comes again in other words',
      },
    ],
  },
  {
    name: 'a deleted line is shown again where its deletion cannot be read',
    breaks: ['G14'],
    changes: [{ file: CONVERSATION, find: 'if (message.deleted) return DELETED;', put: '' }],
    tests: [
      {
        path: ERASE_SPEC,
        name: 'that was deleted is shown so, also where the record of its deletion cannot be read any more',
      },
    ],
  },
  {
    name: 'an older vault keeps what was deleted and edited in it',
    breaks: ['G14'],
    changes: [
      {
        file: MIGRATION,
        find: 'if (this.#fates.size === 0) return [];',
        put: 'if (this.#fates.size >= 0) return [];',
      },
    ],
    tests: [
      {
        path: MIGRATION_SPEC,
        name: 'a deleted line keeps its place alone, whenever its deletion came; its edits and reactions are void',
      },
      {
        path: MIGRATION_SPEC,
        name: 'an edited line has the words of the edit that its sender signed last, wherever it lies, and the others are void',
      },
    ],
  },
];
