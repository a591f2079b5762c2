/** Version 4 to 5 (docs/decisions/0037): what was edited and deleted before is gone from the records too. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { decodeCbor, encodeCbor, type Bytes, type CborValue } from '@0fc/protocol';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import type { StorageRecord } from '../../contract/ports.js';
import { decodeRecord, keyOf, logRecord, outboxItem } from '../records.js';
import { goneTexts } from './04-gone-texts.js';
import { migrated, overlaid } from './run.js';
import { sourceOf, type Fields } from './version-1.spec-support.js';

const ROOM = 'R'.repeat(21) + 'A';
const [ME, OTHER] = ['M'.repeat(21) + 'A', 'O'.repeat(21) + 'A'] as const;
const INSTANCE = new Uint8Array(16).fill(7);
const VOID = { type: 'void' };

beforeAll(() => loadThemis());

const to = (n: number, sender: string = OTHER): Fields => ({ sender, instance: INSTANCE, n });
const text = (words: string): Fields => ({ type: 'text', text: words });
const edit = (target: Fields, words: string): Fields => ({ type: 'edit', to: target, text: words });
const remove = (target: Fields): Fields => ({ type: 'delete', to: target });

type Line = readonly [sender: string, n: number, content: CborValue, over?: Fields];

const logOf = (lines: readonly Line[], room = ROOM): readonly StorageRecord[] =>
  lines.map(([sender, n, content, over], index) => ({
    key: keyOf(room, index),
    value: encodeCbor({
      index,
      at: null,
      time: 5,
      items: [
        {
          type: 'message',
          sender,
          instance: INSTANCE,
          n,
          mid: nodeRandom.bytes(16),
          sentAt: 4,
          content,
          ...over,
        },
        { type: 'alarm', code: 'ALARM_GAP', member: null, numbers: {} },
      ],
    }),
  }));

const waits = (n: number, content: CborValue, over: Fields = {}): StorageRecord => ({
  key: keyOf(ROOM, n),
  value: encodeCbor({
    n, instance: INSTANCE, mid: nodeRandom.bytes(16), made: 3, content, sealed: null, acknowledged: false, only: null,
    writtenAt: 1, confirmed: false, ...over,
  }),
}); // prettier-ignore

const HEAD = [{ key: ROOM, value: encodeCbor({ me: ME }) }];

interface Contents {
  readonly log: readonly CborValue[];
  readonly outbox: readonly Fields[];
  readonly changed: readonly string[];
}

/** What the records of a room say once they were brought to version 5, which reads them all. */
async function after(
  lines: readonly Line[],
  outbox: readonly StorageRecord[] = [],
  rooms: readonly StorageRecord[] = HEAD,
): Promise<Contents> {
  const source = sourceOf({ rooms, log: logOf(lines), outbox });
  const changes = await goneTexts.migrate(source, nodeHash);
  const now = overlaid(source, changes);
  const fieldsOf = (value: Bytes): Fields => decodeCbor(value) as Fields;
  const records = await now.list('log');
  for (const { value } of records) decodeRecord(logRecord, value);
  const waiting = await now.list('outbox');
  for (const { value } of waiting) decodeRecord(outboxItem, value);
  const items = records.map(({ value }) => (fieldsOf(value).items as readonly Fields[])[0]!);
  return {
    log: items.map(({ content = null, deleted }) => (deleted === true ? 'deleted' : content)),
    outbox: waiting.map(({ value }) => fieldsOf(value)),
    changed: changes.map(({ store, key }) => `${store} ${String(Number(key.slice(ROOM.length + 1)))}`),
  };
}

describe('of what the log holds', () => {
  test('a deleted line keeps its place alone, whenever its deletion came; its edits and reactions are void', async () => {
    const reaction = { type: 'reaction', to: to(2), emoji: '👀', on: true };
    const { log, changed } = await after([
      [OTHER, 5, remove(to(2))],
      [OTHER, 1, text('stays')],
      [OTHER, 2, text('goes')],
      [OTHER, 3, edit(to(2), 'goes too')],
      [ME, 1, reaction],
      [ME, 2, { type: 'reply', to: to(2), text: 'stays as well' }],
    ]);
    expect(log).toEqual([
      remove(to(2)), text('stays'), 'deleted', VOID, VOID, { type: 'reply', to: to(2), text: 'stays as well' },
    ]); // prettier-ignore
    expect(changed).toEqual(['log 2', 'log 3', 'log 4']);
  });

  test('an edited line has the words of the edit that its sender signed last, wherever it lies, and the others are void', async () => {
    const { log } = await after([
      [OTHER, 3, edit(to(2), 'second')],
      [OTHER, 2, { type: 'reply', to: to(1, ME), text: 'first' }],
      [OTHER, 5, edit(to(2), 'fourth, signed last')],
      [OTHER, 4, edit(to(2), 'third, placed last')],
    ]);
    expect(log).toEqual([
      VOID,
      { type: 'reply', to: to(1, ME), text: 'fourth, signed last', edited: true },
      edit(to(2), 'fourth, signed last'),
      VOID,
    ]);
  });

  test('G3 what another edits and deletes is as it was', async () => {
    const lines: readonly Line[] = [
      [OTHER, 1, text('its own')],
      [ME, 1, edit(to(1), 'mine')],
      [ME, 2, remove(to(1))],
      [OTHER, 2, { type: 'edit', to: 'nothing', text: 'of no form' }],
      [OTHER, 3, { type: 'profile', name: 'Inès' }],
      [OTHER, 4, remove(to(3))],
    ];
    expect(await after(lines)).toMatchObject({ log: lines.map(([, , content]) => content), changed: [] });
  });

  test('a content of a later version is taken away by its deletion, and stays beside its last edit', async () => {
    const { log } = await after([
      [OTHER, 1, { type: 'poll', question: 'when?' }],
      [OTHER, 2, { type: 'newer', content: Uint8Array.of(1), fields: Uint8Array.of(2) }],
      [OTHER, 3, remove(to(1))],
      [OTHER, 4, edit(to(2), 'earlier words')],
      [OTHER, 5, edit(to(2), 'known words')],
    ]);
    expect(log).toEqual([
      'deleted',
      { type: 'newer', content: Uint8Array.of(1), fields: Uint8Array.of(2) },
      remove(to(1)),
      VOID,
      edit(to(2), 'known words'),
    ]);
  });
});

describe('of what waits', () => {
  const sealed = { epoch: 3, clear: Uint8Array.of(1), payload: Uint8Array.of(2) };

  test('a deletion counts already, for the line, what waits about it, and what was read of it', async () => {
    const { log, outbox } = await after(
      [[ME, 1, text('read already')]],
      [
        waits(2, text('on its way'), { sealed, acknowledged: true, again: 2 }),
        waits(3, edit(to(2, ME), 'edited on its way'), { only: 2 }),
        waits(4, remove(to(2, ME))),
        waits(5, remove(to(1, ME))),
        waits(6, text('another')),
      ],
    );
    expect(log).toEqual(['deleted']);
    const gone = { content: VOID, sealed: null, acknowledged: false, only: null, confirmed: true };
    expect(outbox).toMatchObject([
      gone,
      gone,
      { content: remove(to(2, ME)) },
      {},
      { content: text('another') },
    ]);
    expect(outbox[0]).not.toHaveProperty('again');
  });

  test('an edit counts once the log holds it: its line waits in the new words, for its own epoch alone', async () => {
    const { log, outbox } = await after(
      [
        [ME, 1, text('first')],
        [ME, 4, edit(to(2, ME), 'read before its line')],
      ],
      [waits(2, text('waits'), { sealed, acknowledged: true }), waits(3, edit(to(1, ME), 'waits too'))],
    );
    expect(log[0]).toEqual(text('first'));
    expect(outbox).toMatchObject([
      {
        content: { ...text('read before its line'), edited: true },
        sealed: null,
        acknowledged: true,
        only: 3,
      },
      { content: edit(to(1, ME), 'waits too') },
    ]);
  });
});

test('an edit that waits again after a loss is void where the log holds a later one', async () => {
  const { log, outbox } = await after(
    [
      [ME, 1, text('first')],
      [ME, 2, edit(to(1, ME), 'second')],
      [ME, 3, edit(to(1, ME), 'third')],
    ],
    [
      waits(1, text('first')),
      waits(2, edit(to(1, ME), 'second')),
      waits(3, edit(to(1, ME), 'third')),
      waits(4, edit(to(1, ME), 'fourth')),
    ],
  );
  const line = { ...text('third'), edited: true };
  expect(log).toEqual([line, VOID, edit(to(1, ME), 'third')]);
  expect(outbox.map(({ content }) => content)).toEqual([
    line, VOID, edit(to(1, ME), 'third'), edit(to(1, ME), 'fourth'),
  ]); // prettier-ignore
});

test('what is left of a room whose head is gone is cleaned as well, and another room is not touched', async () => {
  const elsewhere = logOf([[OTHER, 1, text('elsewhere')]], 'S'.repeat(21) + 'A');
  const lines = logOf([
    [OTHER, 1, text('goes')],
    [OTHER, 2, remove(to(1))],
  ]);
  const source = sourceOf({ log: [...lines, ...elsewhere], outbox: [waits(1, text('whose?'))] });
  expect((await migrated(4, source, nodeHash)).map(({ key }) => key)).toEqual([lines[0]!.key]);
});

test.each([
  ['log', { items: [{ type: 'message', content: { type: 'text' } }] }],
  ['log', { items: 'none' }],
  ['outbox', { n: 1, instance: 'none', content: { type: 'text' } }],
])('a record of the store %s that is none is damage', async (store, fields) => {
  const source = sourceOf({ rooms: HEAD, [store]: [{ key: keyOf(ROOM, 1), value: encodeCbor(fields) }] });
  await expect(migrated(4, source, nodeHash)).rejects.toMatchObject({
    code: 'VAULT_DAMAGED',
    params: { store },
  });
});

test('of nothing there is nothing to change, nor twice', async () => {
  expect(await goneTexts.migrate(sourceOf({}), nodeHash)).toEqual([]);
  const source = sourceOf({
    rooms: HEAD,
    log: logOf([
      [OTHER, 1, text('goes')],
      [OTHER, 2, remove(to(1))],
    ]),
  });
  const once = overlaid(source, await goneTexts.migrate(source, nodeHash));
  const twice = overlaid(once, await goneTexts.migrate(once, nodeHash));
  expect(await twice.list('log')).toEqual(await once.list('log'));
});
