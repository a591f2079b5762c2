/** What a delete and an edit take away (docs/protocol.md section 9, docs/decisions/0037), where the property does not go. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { type AnyContent, type Target } from '@0fc/protocol';
import { Conversation } from '../conversation/conversation.js';
import {
  memoryStorage,
  messagesOf,
  change,
  newVault,
  RoomLog,
  readEntry,
  waitingItem,
  type Person,
} from './log.spec-support.js';
import { putOutbox, replaceItems } from '../state/draft.js';
import { RoomState } from '../state/state.js';
import { keyOf, STORES, type OutboxItem } from '../../vault/records.js';
import type { StorageChange } from '../../contract/ports.js';
import type { Vault } from '../../vault/vault.js';

let log: RoomLog;
let guest: Person;
let vault: Vault;
let reader: RoomState;
/** each write to the disk, as it was asked for */
let writes: (readonly StorageChange[])[];

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  guest = person;
  writes = [];
  const storage = memoryStorage();
  vault = await newVault({
    ...storage,
    write: (changes) => {
      writes.push(changes);
      return storage.write(changes);
    },
  });
  reader = await log.reader(guest, vault);
  await readEntry(reader, entry);
});

const reads = async (person: Person, content: AnyContent, n?: number): Promise<void> => {
  const { payload, clear } = log.seal(person, log.body(person, content, n === undefined ? {} : { n }));
  await readEntry(reader, await log.add('message', person.id, payload, clear));
};
const of = (person: Person, n: number): Target => ({ sender: person.id, instance: person.instance, n });
const text = (words: string): AnyContent => ({ type: 'text', text: words });
const contents = (): readonly AnyContent[] => messagesOf(reader).map(({ content }) => ({ ...content }));
const waiting = (): readonly OutboxItem[] => [...reader.outbox.values()];

test('G14 the record of a line is written in the write of the message that takes its words away', async () => {
  await reads(log.owner, text('words'));
  const index = reader.core.nextIndex - 1;
  const before = writes.length;
  await reads(log.owner, { type: 'delete', to: of(log.owner, 1) });
  expect(writes).toHaveLength(before + 1);
  const { roomId } = reader.core;
  const places = writes.at(-1)!.map(({ store, key }) => `${store} ${key}`);
  expect(places).toEqual(
    expect.arrayContaining([index, index + 1].map((at) => `${STORES.log} ${keyOf(roomId, at)}`)),
  );
});

describe('a line', () => {
  test('that was deleted is shown so, also where the record of its deletion cannot be read any more', async () => {
    await reads(log.owner, text('words'));
    await reads(log.owner, { type: 'delete', to: of(log.owner, 1) });
    await change(reader, replaceItems(reader.core.nextIndex - 1, []));
    const conversation = new Conversation(reader);
    conversation.sync();
    const line = conversation.target(of(log.owner, 1))!;
    expect([line.text, conversation.annotationsOf(line)]).toEqual([
      null,
      { text: null, deleted: true, reactions: [] },
    ]);
    expect([conversation.unread(), reader.core.others]).toEqual([0, 1]);
  });

  test('G3 keeps its words whatever others edit and delete', async () => {
    await reads(log.owner, text('its own'));
    await reads(guest, { type: 'edit', to: of(log.owner, 1), text: 'not its own' });
    await reads(guest, { type: 'delete', to: of(log.owner, 1) });
    expect(contents()[0]).toEqual(text('its own'));
  });

  test('that this client cannot show goes with its deletion, and stays beside its last edit for a client that can', async () => {
    await reads(log.owner, { type: 'poll', question: 'is edited' });
    await reads(log.owner, { type: 'poll', question: 'is deleted' });
    for (const words of ['earlier', 'last'])
      await reads(log.owner, { type: 'edit', to: of(log.owner, 1), text: words });
    await reads(log.owner, { type: 'delete', to: of(log.owner, 2) });
    expect(messagesOf(reader).slice(0, 4)).toMatchObject([
      { content: { type: 'poll', question: 'is edited' } },
      { content: { type: 'void' }, deleted: true },
      { content: { type: 'void' } },
      { content: { type: 'edit', text: 'last' } },
    ]);
    const records = await vault.list(STORES.log);
    expect(records.filter(({ value }) => Buffer.from(value).includes('is deleted'))).toEqual([]);
    await reads(log.owner, { type: 'delete', to: of(log.owner, 1) });
    expect(contents()[0]).toEqual({ type: 'void' });
    expect(contents()[3]).toEqual({ type: 'void' });
  });

  test('keeps its newest words, whatever order the relay gives its edits, and however late one comes', async () => {
    await reads(log.owner, text('first words'));
    const edit = (words: string): AnyContent => ({ type: 'edit', to: of(log.owner, 1), text: words });
    await reads(log.owner, edit('newest words'), 4);
    await reads(log.owner, edit('older words'), 2);
    await reads(log.owner, text('another line'), 5);
    await reads(log.owner, edit('words between'), 3);
    expect(contents()[0]).toEqual({ type: 'text', text: 'newest words', edited: true });
    expect(contents().filter(({ type }) => type === 'edit')).toEqual([edit('newest words')]);
    const shown = new Conversation(reader);
    await shown.prepare();
    const line = shown.target(of(log.owner, 1));
    expect(shown.annotationsOf(line!).text ?? line!.text).toBe('newest words');
  });

  test('is found with its last edit alone, however often it was edited, and with nothing but deletions once it is deleted', async () => {
    const indexed = async (): Promise<number> => (await vault.list(STORES.effects)).length;
    await reads(log.owner, text('first words'));
    for (const words of ['second', 'third', 'fourth'])
      await reads(log.owner, { type: 'edit', to: of(log.owner, 1), text: words });
    expect(await indexed()).toBe(1);
    await reads(guest, { type: 'reaction', to: of(log.owner, 1), emoji: '👍', on: true });
    expect(await indexed()).toBe(2);
    await reads(log.owner, { type: 'delete', to: of(log.owner, 1) });
    await reads(guest, { type: 'reaction', to: of(log.owner, 1), emoji: '👀', on: true });
    expect(await indexed()).toBe(1);
  });

  test('is no line where a name or a reaction is deleted or edited: it stays as it was', async () => {
    const reaction = { type: 'reaction', to: of(guest, 1), emoji: '👍', on: true };
    await reads(log.owner, { type: 'profile', name: 'Amina' });
    await reads(log.owner, reaction);
    await reads(log.owner, { type: 'delete', to: of(log.owner, 1) });
    await reads(log.owner, { type: 'edit', to: of(log.owner, 2), text: 'words' });
    expect(contents().slice(0, 2)).toEqual([{ type: 'profile', name: 'Amina' }, reaction]);
  });

  test('that was taken back before it was sent, of which there is but a void, takes what is said of it along', async () => {
    await reads(log.owner, { type: 'void' });
    await reads(log.owner, { type: 'delete', to: of(log.owner, 1) });
    const { person, entry } = await log.admit();
    await readEntry(reader, entry);
    await reads(person, { type: 'reaction', to: of(log.owner, 1), emoji: '👍', on: true });
    expect(contents().map(({ type }) => type)).toEqual(['void', 'delete', 'void']);
  });

  test('and the record of it that is damaged is left as it is: nothing is written in its place', async () => {
    await reads(log.owner, text('words'));
    const index = reader.core.nextIndex - 1;
    const key = keyOf(reader.core.roomId, index);
    await vault.write([{ store: STORES.log, key, value: Uint8Array.of(0xff) }]);
    const again = await RoomState.load(vault, reader.core.roomId, nodeHash);
    if (again === null) throw new Error('no room');
    reader = again;
    await reads(log.owner, { type: 'delete', to: of(log.owner, 1) });
    expect(await vault.get(STORES.log, key)).toEqual(Uint8Array.of(0xff));
    expect(contents()).toEqual([{ type: 'delete', to: of(log.owner, 1) }]);
  });
});

describe('what waits of a line, of which the log holds an edit already, as only a lying relay brings about', () => {
  const sealed = () => ({ epoch: 1, clear: log.clear(), payload: Uint8Array.of(1) });
  const item = (n: number, content: AnyContent, fields: Partial<OutboxItem> = {}): OutboxItem =>
    waitingItem({ n, instance: guest.instance, mid: new Uint8Array(16).fill(n), content, ...fields });

  test('G14 G18 waits in the last words, for its own epoch alone, and an earlier edit as void', async () => {
    const edit = (words: string): AnyContent => ({ type: 'edit', to: of(guest, 1), text: words });
    await change(
      reader,
      putOutbox(item(1, text('first'), { sealed: sealed(), acknowledged: true })),
      putOutbox(item(2, edit('second'))),
      putOutbox(item(4, edit('fourth'))),
    );
    await reads(guest, edit('third'), 3);
    expect(waiting()).toMatchObject([
      { n: 1, content: { ...text('third'), edited: true }, sealed: null, acknowledged: true, only: 1 },
      { n: 2, content: { type: 'void' } },
      { n: 4, content: edit('fourth') },
    ]);
  });

  test('G14 is void once the log holds its deletion, with what waits about it', async () => {
    await change(
      reader,
      putOutbox(item(1, text('first'), { sealed: sealed() })),
      putOutbox(item(2, { type: 'reaction', to: of(guest, 1), emoji: '👍', on: true })),
      putOutbox(item(4, { type: 'reply', to: of(guest, 1), text: 'about it' })),
    );
    await reads(guest, { type: 'delete', to: of(guest, 1) }, 3);
    expect(waiting()).toMatchObject([
      { n: 1, content: { type: 'void' }, sealed: null },
      { n: 2, content: { type: 'void' } },
      { n: 4, content: { type: 'reply' } },
    ]);
  });
});
