/**
 * A room of which memory holds the end alone (docs/protocol.md section 9): nothing that anybody sees depends on how
 * much of it that is.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Content, Entry, Target } from '@0fc/protocol';
import { loadThemis, nodeHash, nodeRandom } from '@0fc/crypto/node';
import { Vault } from '../vault/vault.js';
import { Conversation } from './conversation/conversation.js';
import { FakeClock, FakeRoom } from './outgoing/part.spec-support.js';
import { crypto, RoomLog, readEntry, readGeneration, type Person } from './log/log.spec-support.js';
import { applyEntry } from './log/entry.js';
import { EntryResults } from './log/page.js';
import { goBackTo } from './log/generations.js';
import { relayedOf, system } from './log/items.js';
import { logWindow } from '../vault/migrations/02-log-window.js';
import { version2 } from '../vault/migrations/version-2.spec-support.js';
import { Signals } from './member/signals.js';
import { append, set } from './state/draft.js';
import { decodeRecord, keyOf, sliceKey, SLICES, STORES, type StoredItem } from '../vault/records.js';
import { LogWindow } from './state/log-table.js';
import { NotLoaded, type Wanted } from './state/not-loaded.js';
import { RoomState } from './state/state.js';
import { WatchedStorage } from './state/storage.spec-support.js';
import { Composer } from './member/composer.js';
import { quickPassphrases } from '../vault/quick-passphrases.spec-support.js';

const PASSPHRASE = 'a long enough passphrase';

let storage: WatchedStorage;
let vault: Vault;
let log: RoomLog;
let guest: Person;
let state: RoomState;

/** The room as it is after a restart, with so many records in memory. */
async function opened(window: number): Promise<RoomState> {
  const loaded = await RoomState.load(vault, log.roster.roomId, nodeHash, window);
  if (loaded === null) throw new Error('the room is gone');
  return loaded;
}

async function conversationOf(room: RoomState): Promise<Conversation> {
  const conversation = new Conversation(room);
  await conversation.prepare();
  return conversation;
}

async function send(person: Person, content: Content): Promise<Entry> {
  const sealed = log.seal(person, log.body(person, { ...content }));
  const entry = await log.add('message', person.id, sealed.payload, sealed.clear);
  await readEntry(state, entry);
  return entry;
}

const nth = (person: Person, n: number): Target => ({ sender: person.id, instance: person.instance, n });
const relayed = relayedOf({
  kind: 'message',
  sender: 'AAAAAAAAAAAAAAAAAAAAAA' as Person['id'],
  clear: new Uint8Array(),
  payload: new Uint8Array(),
});
const text = (words: string): Content => ({ type: 'text', text: words });

/** Records that show nothing of anybody, or an item each. */
const fill = (count: number, ...items: readonly StoredItem[]): Promise<void> =>
  state.write((draft) => {
    for (let n = 0; n < count; n++) draft.apply(append(null, n, items));
  });

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  storage = new WatchedStorage();
  vault = await Vault.create({ crypto, passphrases: quickPassphrases, storage }, PASSPHRASE);
  log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  guest = person;
  state = await log.reader(guest, vault);
  await readEntry(state, entry);
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a room with a long log', () => {
  test('holds its end after a restart, and what is read further back for as long as it is shown', async () => {
    await fill(100);
    const room = await opened(10);
    expect([room.log.first, room.log.loaded, room.log.end]).toEqual([0, 92, 102]);
    expect(await room.loadEarlier()).toBe(true);
    expect(room.log.loaded).toBe(82);
    while (await room.loadEarlier());
    expect(room.log.loaded).toBe(0);
    room.hold(40);
    await room.write((draft) => {
      draft.apply(append(null, 1, []));
    });
    expect(room.log.loaded).toBe(40);
    room.hold(Infinity);
    await room.write((draft) => {
      for (let n = 0; n < 80; n++) draft.apply(append(null, 1, []));
    });
    expect(room.log.end - room.log.loaded).toBe(10);
  });

  test('reads no more of its vault than that, however long it is', async () => {
    const readOf = async (): Promise<number> => {
      const before = storage.readCount;
      await opened(10);
      return storage.readCount - before;
    };
    await fill(50);
    const short = await readOf();
    await fill(1_000);
    expect(await readOf()).toBe(short);
  });

  test('names its last line, and counts alarms and unread lines, however far up they are', async () => {
    await send(log.owner, text('the last line'));
    await send(log.owner, text('deleted'));
    await state.write((draft) => {
      draft.apply(append(null, 1, [{ type: 'alarm', code: 'ALARM_GAP', member: null, numbers: {} }]));
    });
    await send(log.owner, { type: 'delete', to: nth(log.owner, 2) });
    await fill(600);
    const conversation = await conversationOf(await opened(5));
    expect(conversation.last()?.text).toBe('the last line');
    expect(state.core.alarms).toBe(1);
    // The deleted one is not in memory, and is counted until it is.
    expect(conversation.unread()).toBe(2);
    await state.write((draft) => {
      draft.apply(set({ readIndex: draft.core.nextIndex, othersRead: draft.core.others }));
    });
    expect((await conversationOf(await opened(5))).unread()).toBe(0);
  });

  test('shows a quote of a line far up as it is now, edited or deleted', async () => {
    await send(log.owner, text('first'));
    await send(log.owner, text('second'));
    await fill(50);
    await send(log.owner, { type: 'edit', to: nth(log.owner, 1), text: 'first, edited' });
    await fill(50);
    for (const n of [1, 2]) await send(guest, { type: 'reply', to: nth(log.owner, n), text: 'about it' });
    const room = await opened(2);
    const conversation = await conversationOf(room);
    const fates = () =>
      [1, 2].map((n) => {
        const said = conversation.target(nth(log.owner, n));
        const fate = said === null ? null : conversation.annotationsOf(said);
        return [said?.text, fate?.text, fate?.deleted];
      });
    expect(fates()).toEqual([
      ['first, edited', 'first, edited', false],
      ['second', null, false],
    ]);
    const body = log.body(log.owner, { type: 'delete', to: nth(log.owner, 2) });
    const sealed = log.seal(log.owner, body);
    await readEntry(room, await log.add('message', log.owner.id, sealed.payload, sealed.clear));
    conversation.drainDirty();
    await conversation.prepare();
    expect(fates()[1]).toEqual([null, null, true]);
  });

  test('G14 takes the words of a line far up away, and of what had changed it, all at once', async () => {
    await send(log.owner, text('first'));
    await send(log.owner, { type: 'edit', to: nth(log.owner, 1), text: 'first, edited' });
    for (const emoji of ['👍', '👀', '🎉'])
      await send(guest, { type: 'reaction', to: nth(log.owner, 1), emoji, on: true });
    await fill(60);
    const room = await opened(3);
    const body = log.body(log.owner, { type: 'delete', to: nth(log.owner, 1) });
    const sealed = log.seal(log.owner, body);
    const before = storage.readCount;
    await readEntry(room, await log.add('message', log.owner.id, sealed.payload, sealed.clear));
    // The message and its index; what has changed it, and each record of that once.
    expect(storage.readCount - before).toBeLessThan(12);
    const records = await room.records(0, room.log.first + 20);
    const contents = records.flatMap(({ items }) =>
      items.flatMap((item) => (item.type === 'message' ? [item] : [])),
    );
    expect(contents.map(({ content, deleted = false }) => [content.type, deleted])).toEqual([
      ['void', true], ['void', false], ['void', false], ['void', false], ['void', false],
    ]); // prettier-ignore
  });

  test('lets a line far up be edited by its id, and knows one that there is not', async () => {
    await send(guest, text('mine'));
    const { id } = (await conversationOf(state)).target(nth(guest, 1))!;
    await fill(60);
    const room = await opened(3);
    const fake = new FakeRoom(room, new FakeClock(10_000));
    const sent: unknown[] = [];
    const talk = new Composer(fake, (content) => {
      sent.push(content);
      return Promise.resolve('id');
    });
    await talk.edit(id, 'mine, edited');
    expect(sent).toEqual([{ type: 'edit', to: nth(guest, 1), text: 'mine, edited' }]);
    await expect(talk.edit('no such id', 'x')).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' });
  });

  test('knows a message from far up when it comes again, and one under its number that is another', async () => {
    const entry = await send(log.owner, text('once'));
    // Of the owner's doing, so that nobody looks further back for a row of alarms.
    await fill(60, system('rotated'));
    const room = await opened(3);
    const again = await log.add('message', log.owner.id, entry.payload, entry.clear);
    await readEntry(room, again);
    const other = log.seal(log.owner, log.body(log.owner, text('another'), { n: 1 }));
    await readEntry(room, await log.add('message', log.owner.id, other.payload, other.clear));
    expect([...room.log.oldestFirst(room.log.end - 2)].map(({ items }) => items[0])).toMatchObject([
      { type: 'repeat', n: 1 },
      { type: 'alarm', code: 'ALARM_DUPLICATE_N' },
    ]);
  });
});

describe('what a hostile member makes of it', () => {
  test('a counter near the greatest number, under an instance that nobody knows, is a message like any other', async () => {
    await fill(30);
    const room = await opened(3);
    const instance = nodeRandom.bytes(16);
    const body = log.body(log.owner, text('far'), { n: Number.MAX_SAFE_INTEGER - 3, instance });
    const sealed = log.seal(log.owner, body);
    await readEntry(room, await log.add('message', log.owner.id, sealed.payload, sealed.clear));
    expect((await conversationOf(room)).last()?.text).toBe('far');
  });

  test('a change of any shape is a line that nobody understands, to a vault of the version before too', async () => {
    for (const content of [
      { type: 'reaction', to: 'hm' },
      { type: 'edit', to: 5 },
      { type: 'delete' },
      { type: 'void', x: 1 },
    ]) {
      await send(log.owner, content as unknown as Content);
    }
    const { roomId } = log.roster;
    const changes = await logWindow.migrate(await version2(vault, roomId), nodeHash);
    for (const { store, key, value } of changes) expect(await vault.get(store, key)).toEqual(value);
  });

  test('a line of a device that its sender has replaced is shown as what became of it since', async () => {
    const old = log.owner.instance;
    await send(log.owner, text('first'));
    const withheld = log.seal(log.owner, log.body(log.owner, text('SECRET')));
    await send(log.owner, text('third'));
    const replaced = { ...log.owner, instance: nodeRandom.bytes(16), n: 0 };
    const reacted = log.seal(log.owner, log.body(log.owner, text('reacted to')));
    const to = (n: number) => ({ sender: log.owner.id, instance: old, n });
    await send(replaced, { type: 'delete', to: to(2) });
    await send(guest, { type: 'reaction', to: to(4), emoji: '👀', on: true });
    await fill(50);
    state = await opened(3);
    for (const { payload, clear } of [withheld, reacted])
      await readEntry(state, await log.add('message', log.owner.id, payload, clear));
    const conversation = await conversationOf(state);
    const [deleted, kept] = [2, 4].map((n) => conversation.target(to(n)));
    expect(conversation.annotationsOf(deleted!).deleted).toBe(true);
    expect(conversation.annotationsOf(kept!).reactions).toEqual([{ emoji: '👀', members: [guest.id] }]);
  });

  test('what several pieces of one work lack is loaded before it begins anew, once for all of them', async () => {
    await fill(30);
    const room = await opened(3);
    let runs = 0;
    const found = await room.inTurn(() => {
      runs += 1;
      const wanted: Wanted[] = [];
      const at = [2, 5, 9, 14].map((n) => {
        try {
          return room.log.at(n);
        } catch (error) {
          if (!(error instanceof NotLoaded)) throw error;
          wanted.push(error.wanted);
          return null;
        }
      });
      if (wanted.length > 0) throw new NotLoaded({ kind: 'several', wanted });
      return at;
    });
    expect(found.map((record) => record?.index)).toEqual([2, 5, 9, 14]);
    expect(runs).toBe(2);
  });

  test.each<[string, (to: Target) => Content]>([
    ['an edit', (to) => ({ type: 'edit', to, text: 'words' })],
    ['a deletion', (to) => ({ type: 'delete', to })],
    ['a reaction', (to) => ({ type: 'reaction', to, emoji: '👍', on: true })],
  ])('%s reads as many records as it changes, however full of such the window is', async (_kind, effect) => {
    const readsOf = async (window: number, target: Target): Promise<number> => {
      await state.write((draft) => {
        for (let n = 0; n < window; n++) {
          const to = { ...target, n: target.n + (n % 2) };
          const item = {
            type: 'message',
            sender: guest.id,
            instance: guest.instance,
            n: 1_000 + n,
            sentAt: 1,
          } as const;
          draft.apply(append(null, n, [{ ...item, mid: nodeRandom.bytes(16), content: effect(to) }]));
        }
      });
      state = await opened(window);
      // The first look is for what is before the window.
      await send(log.owner, effect(target));
      const read = jest.spyOn(LogWindow.prototype, 'at');
      await send(log.owner, effect(target));
      const reads = read.mock.calls.length;
      read.mockRestore();
      return reads;
    };
    for (let n = 0; n < 4; n++) await send(log.owner, text('far up'));
    await fill(50);
    const few = await readsOf(20, nth(log.owner, 1));
    expect(await readsOf(400, nth(log.owner, 3))).toBe(few);
    const ofNone = await readsOf(20, nth(log.owner, 700));
    expect(await readsOf(400, nth(log.owner, 703))).toBe(ofNone);
  });

  test('single records before the window leave memory again; what one piece of work needs at once stays together', async () => {
    await fill(1_200);
    const room = await opened(3);
    const apart = (): number => {
      if (room.log instanceof LogWindow) return room.log.apart;
      throw new Error('no window');
    };
    const anything = (): Promise<void> =>
      room.write((draft) => {
        draft.apply(set({ lastTime: draft.core.lastTime + 1 }));
      });
    const all = Array.from({ length: 1_100 }, (_, index) => index);
    for (const index of all) await room.inTurn(() => room.log.at(index));
    expect(apart()).toBe(1_100);
    await anything();
    expect(apart()).toBe(0);
    const wanted = all.map((index) => ({ kind: 'record', index }) as const);
    await room.inTurn(() => {
      if (apart() === 0) throw new NotLoaded({ kind: 'several', wanted });
    });
    await anything();
    expect(apart()).toBe(1_100);
  });

  test('a counter that its instance had before it was forgotten is not taken twice', async () => {
    const old = { ...log.owner, n: 7 };
    await send(old, text('eight'));
    for (let n = 0; n < 34; n++) {
      await send({ ...log.owner, instance: nodeRandom.bytes(16), n: 0 }, { type: 'void' });
    }
    await fill(50);
    state = await opened(3);
    await send({ ...old, n: 4 }, { type: 'void' });
    await send({ ...old, n: 7 }, text('eight once more'));
    const items = [...state.log.oldestFirst(state.log.end - 1)][0]?.items;
    expect(items).toMatchObject([{ type: 'alarm', code: 'ALARM_DUPLICATE_N' }]);
  });

  test('a page of which every entry needs a look opens each entry once', async () => {
    await fill(50);
    const entries: Entry[] = [];
    for (let n = 0; n < 20; n++) {
      const body = log.body(log.owner, text(String(n)), { n: 1_000, instance: nodeRandom.bytes(16) });
      const sealed = log.seal(log.owner, body);
      entries.push(await log.add('message', log.owner.id, sealed.payload, sealed.clear));
    }
    const room = await opened(3);
    const results = new EntryResults();
    let made = 0;
    await room.write(async (draft) => {
      results.begin();
      for (const entry of entries) {
        const { changes } = await results.next(async () => {
          const applied = await applyEntry(nodeHash, draft, entry);
          made += 1;
          return applied;
        });
        draft.apply(...changes);
      }
    });
    expect(made).toBe(entries.length);
    expect(room.core.position).toEqual(log.position);
  });
});

describe('an index that cannot be read', () => {
  test.each([STORES.messages, STORES.effects])('of %s costs nothing but what it knew', async (store) => {
    await send(log.owner, text('first'));
    await send(guest, { type: 'reaction', to: nth(log.owner, 1), emoji: '👍', on: true });
    await fill(50);
    await send(guest, { type: 'reply', to: nth(log.owner, 1), text: 'about it' });
    const damaged = (await storage.list(store)).map(({ key, value }) => ({
      store,
      key,
      value: value.map((byte, at) => (at === 30 ? byte ^ 1 : byte)),
    }));
    await storage.write(damaged);
    const conversation = await conversationOf(await opened(2));
    expect(conversation.last()?.text).toBe('about it');
  });
});

describe('a generation that the relay has denied', () => {
  test('is passed over by who looks for a place, whatever is in memory, and by the migration', async () => {
    for (let n = 0; n < 10; n++) await send(log.owner, text(`line ${String(n)}`));
    const tip = log.position;
    // Served to one member alone, and never in the log.
    await readGeneration(state, { generation: 2_000, from: { g: 1, s: tip.s } }, 9_000);
    for (let s = 1; s <= 20; s++) {
      await state.write((draft) => {
        const position = { g: 2_000, s: tip.s + s };
        draft.apply(append({ position, t: new Uint8Array(32).fill(s), relayed }, s, []), set({ position }));
      });
    }
    await state.write((draft) => {
      goBackTo(draft, tip, 9_100);
    });
    for (let n = 0; n < 30; n++) await send(log.owner, text(`line ${String(10 + n)}`));
    const room = await opened(1);
    for (const { at } of state.log.oldestFirst(0)) {
      if (at === null) continue;
      for (const place of [at.position, { g: at.position.g, s: at.position.s + 500 }]) {
        const known = (of: RoomState) => [of.transcriptAt(place), of.isKnownEmpty(place)];
        expect(await room.read(() => known(room))).toEqual(known(state));
      }
    }
    expect(state.core.starts).toEqual([]);
    const { roomId } = log.roster;
    const changes = await logWindow.migrate(await version2(vault, roomId), nodeHash);
    const loss = changes.find(({ key }) => key === sliceKey(roomId, 'loss'))?.value ?? new Uint8Array();
    expect(decodeRecord(SLICES.loss, loss)).toMatchObject({ starts: [], turns: [expect.any(Number)] });
    expect(state.core.turns).toHaveLength(1);
  });
});

describe('who was last heard of', () => {
  test('is known after a restart, however much has been read since', async () => {
    await send(log.owner, text('here'));
    const { time } = [...state.log.newestFirst()][0]!;
    await fill(600);
    const room = await opened(5);
    const signals = new Signals(new FakeRoom(room, new FakeClock(10_000)), () => true);
    expect(signals.lastSeen(log.owner.id)).toBe(time);
  });
});

describe('keys of the indexes', () => {
  test('name nobody, and no number: a thief of the profile does not learn who wrote how much', async () => {
    await send(log.owner, text('hello'));
    await send(guest, { type: 'reaction', to: nth(log.owner, 1), emoji: '👍', on: true });
    for (const store of [STORES.messages, STORES.effects]) {
      const found = await storage.list(store);
      expect(found.length).toBeGreaterThan(0);
      for (const { key } of found) {
        expect(key).toMatch(/^[\w-]+\/[\w-]{22}(\/\d{16})?$/);
        expect([log.owner.id, guest.id].some((id) => key.includes(id))).toBe(false);
      }
    }
  });
});

describe('a record that is not what was stored', () => {
  test.each([
    ['cut short', (value: Uint8Array) => value.slice(0, -1)],
    ['with a bit flipped', (value: Uint8Array) => value.map((byte, at) => (at === 30 ? byte ^ 1 : byte))],
    ['gone', () => null],
  ] as const)('%s is an alarm in its place, and costs only itself', async (_, damage) => {
    for (const words of ['before', 'damaged', 'after']) await send(log.owner, text(words));
    const index = state.log.end - 2;
    const key = keyOf(log.roster.roomId, index);
    const value = await storage.read(STORES.log, key);
    await storage.write([{ store: STORES.log, key, value: damage(value ?? new Uint8Array()) }]);
    state = await opened(512);
    const items = [...state.log.oldestFirst(index - 1)].map((record) => record.items[0]);
    expect(items).toMatchObject([
      { content: { text: 'before' } },
      { type: 'alarm', code: 'ALARM_RECORD_DAMAGED', numbers: { index } },
      { content: { text: 'after' } },
    ]);
    await send(log.owner, text('and on'));
    expect((await conversationOf(await opened(2))).last()?.text).toBe('and on');
  });
});

describe('any conversation', () => {
  const act = fc.record({
    who: fc.boolean(),
    kind: fc.constantFrom('text', 'reply', 'edit', 'delete', 'reaction', 'nothing' as const),
    to: fc.nat(20),
  });

  test('is the same to who holds one record and to who holds all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        async (acts, window) => {
          const people = [log.owner, guest];
          for (const [at, { who, kind, to }] of acts.entries()) {
            const person = people[who ? 1 : 0]!;
            // Of the other one too, and of what is not there (yet).
            const target = nth(people[to % 2]!, 1 + (to % Math.max(1, people[to % 2]!.n + 1)));
            if (kind === 'nothing') await fill(3);
            else if (kind === 'text') await send(person, text(`line ${String(at)}`));
            else if (kind === 'delete') await send(person, { type: 'delete', to: target });
            else if (kind === 'reaction')
              await send(person, { type: kind, to: target, emoji: '👍', on: to % 3 > 0 });
            else await send(person, { type: kind, to: target, text: `${kind} ${String(at)}` });
          }
          const wide = await conversationOf(state);
          const room = await opened(window);
          const narrow = await conversationOf(room);
          expect(narrow.last()?.id).toBe(wide.last()?.id);
          for (;;) {
            for (const record of room.log.oldestFirst(room.log.loaded)) {
              for (const item of record.items) {
                if (item.type !== 'message') continue;
                const [one, other] = [narrow, wide].map((conversation) => {
                  const said = conversation.target(item);
                  const quoted = conversation.target(said?.replyTo ?? item);
                  return [said, quoted].map(
                    (shown) => shown && [shown.id, shown.text, conversation.annotationsOf(shown)],
                  );
                });
                expect(one).toEqual(other);
              }
            }
            if (!(await room.loadEarlier())) break;
            await narrow.prepare();
          }
          expect(narrow.unread()).toBe(wide.unread());
        },
      ),
      { numRuns: 30 },
    );
  });
});
