/** A room of which memory holds the end alone (docs/protocol.md section 9): nothing depends on how much that is. */
import type { Mutant } from '../mutant.js';

const DRAFT = 'libs/client/src/room/state/draft.ts';
const STATE = 'libs/client/src/room/state/state.ts';
const ENTRY = 'libs/client/src/room/log/entry.ts';
const GENERATIONS = 'libs/client/src/room/log/generations.ts';
const MESSAGE = 'libs/client/src/room/log/message.ts';
const CONVERSATION = 'libs/client/src/room/conversation/conversation.ts';
const SPEC = 'libs/client/src/room/window.spec.ts';

const held = (name: string) => ({ path: SPEC, name });
const SAME = 'is the same to who holds one record and to who holds all';

export const WINDOW_MUTANTS: readonly Mutant[] = [
  {
    name: 'what is not in memory makes an entry fail',
    breaks: ['G5', 'G16'],
    changes: [{ file: ENTRY, find: 'if (error instanceof NotLoaded) throw error;', put: '' }],
    tests: [
      held(
        'knows a message from far up when it comes again, and one under its number that is another',
      ),
    ],
  },
  {
    name: 'what is not in memory was never read',
    breaks: ['G5'],
    changes: [
      {
        file: DRAFT,
        find: "if (found === undefined) throw new NotLoaded({ kind: 'message', sender, instance, n });",
        put: '',
      },
      { file: DRAFT, find: 'const found = sought.messages.get(key);', put: 'const found = sought.messages.get(key) ?? null;' },
    ],
    tests: [
      held(
        'knows a message from far up when it comes again, and one under its number that is another',
      ),
    ],
  },
  {
    name: 'memory never lets go of a record',
    breaks: ['G16'],
    changes: [{ file: STATE, find: 'else if (log.apart <= this.#apartMost) return;', put: 'if (full || !full) return;' }],
    tests: [
      held(
        'holds its end after a restart, and what is read further back for as long as it is shown',
      ),
    ],
  },
  {
    name: 'a place is looked for as if reading had never gone back',
    breaks: ['G7'],
    changes: [
      {
        file: GENERATIONS,
        find: 'turns: [...draft.core.turns, draft.core.nextIndex].slice(-TURNS_KEPT),',
        put: '',
      },
    ],
    tests: [
      held(
        'is passed over by who looks for a place, whatever is in memory, and by the migration',
      ),
    ],
  },
  {
    name: 'a damaged record of the log shuts its room',
    breaks: ['G14'],
    changes: [
      {
        file: 'libs/client/src/vault/sealed-storage.ts',
        find: 'if (ClientError.from(error).code !== ERROR_CODES.VAULT_DAMAGED) throw error;',
        put: 'throw error;',
      },
    ],
    tests: [
      held('with a bit flipped is an alarm in its place, and costs only itself'),
    ],
  },
  {
    name: 'what changed a message before it came is not looked for',
    breaks: ['G3'],
    changes: [
      { file: CONVERSATION, find: 'const early = mayBeChangedAhead(this.#state.sender(message.sender), message);', put: 'const early = false;' },
    ],
    tests: [
      held('a line of a device that its sender has replaced is shown as what became of it since'),
    ],
  },
  {
    name: 'a reaction to what is not here yet is not noted',
    breaks: ['G3'],
    changes: [{ file: MESSAGE, find: '  noteChange(draft, body);\n', put: '' }],
    tests: [held(SAME)],
  },
  {
    name: 'an instance that was forgotten begins anew',
    breaks: ['G5'],
    changes: [
      {
        file: DRAFT,
        find: 'const forgets = retired.length >= RETIRED_KEPT - 1;',
        put: 'const forgets = retired.length > RETIRED_KEPT;',
      },
    ],
    tests: [held('a counter that its instance had before it was forgotten is not taken twice')],
  },
]; // prettier-ignore
