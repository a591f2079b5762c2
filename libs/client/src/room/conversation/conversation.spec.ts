/** The conversation as it grows (docs/protocol.md section 6): who changes what, and what has to be shown again. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALARM_CODES, type Content, type Entry, type Target } from '@0fc/protocol';
import { loadThemis, nodeRandom } from '@0fc/crypto/node';
import fc from 'fast-check';
import { Conversation } from './conversation.js';
import type { ConversationMessage } from './lines.js';
import { alarm } from '../log/items.js';
import {
  messagesOf,
  change, crypto, type RoomLog, readLog, recordsOf, readEntry, waitingItem, type Person,
} from '../log/log.spec-support.js'; // prettier-ignore
import { enqueueContent } from '../member/outbox.js';
import { append, dropOutbox, putOutbox, replaceItems, set } from '../state/draft.js';
import type { OutboxItem } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;
let conversation: Conversation;

const take = async (...entries: readonly Entry[]): Promise<void> => {
  for (const entry of entries) await readEntry(reader, entry);
  conversation.sync();
};

const send = async (person: Person, content: Content): Promise<Entry> => {
  const sealed = log.seal(person, log.body(person, { ...content }));
  return log.add('message', person.id, sealed.payload, sealed.clear);
};

/** Puts a content into the outbox, as the guest does. */
const wait = (content: Content): Promise<OutboxItem> =>
  reader.write((draft) => enqueueContent(draft, { crypto }, content));

const nth = (person: Person, n: number): Target => ({ sender: person.id, instance: person.instance, n });

const said = (to: Target): ConversationMessage => {
  const found = conversation.target(to);
  if (found === null) throw new Error('no such message');
  return found;
};
const fate = (to: Target) => conversation.annotationsOf(said(to));
const indexOf = (to: Target): number => said(to).at?.index ?? -1;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  ({ log, guest, reader } = await readLog());
  conversation = new Conversation(reader);
  conversation.drainDirty();
});

describe('what changes a message', () => {
  test('its sender edits and deletes it, anybody reacts, and each shows its record again', async () => {
    await take(await log.say(log.owner, 'first'));
    const first = nth(log.owner, 1);
    conversation.drainDirty();
    await take(await send(log.owner, { type: 'edit', to: first, text: 'better' }));
    expect(fate(first).text).toBe('better');
    expect(conversation.drainDirty().has(indexOf(first))).toBe(true);
    await take(await send(guest, { type: 'reaction', to: first, emoji: '👍', on: true }));
    expect(fate(first).reactions).toEqual([{ emoji: '👍', members: [guest.id] }]);
    expect(conversation.drainDirty().has(indexOf(first))).toBe(true);
    await take(await send(log.owner, { type: 'delete', to: first }));
    expect(fate(first)).toEqual({ text: null, deleted: true, reactions: [] });
    await take(await send(log.owner, { type: 'edit', to: first, text: 'back from the dead' }));
    expect(fate(first).deleted).toBe(true);
  });

  test('G3: the edit and the deletion of another are nothing, and stand nowhere as text', async () => {
    await take(await log.say(log.owner, 'mine'));
    const mine = nth(log.owner, 1);
    conversation.drainDirty();
    await take(
      await send(guest, { type: 'edit', to: mine, text: 'yours' }),
      await send(guest, { type: 'delete', to: mine }),
    );
    expect(fate(mine)).toEqual({ text: null, deleted: false, reactions: [] });
    expect(conversation.drainDirty().has(indexOf(mine))).toBe(false);
    expect(conversation.target(nth(guest, 1))).toBeNull();
    expect(conversation.last()?.text).toBe('mine');
  });

  test('a content of a later version is a message that cannot be shown', async () => {
    const sealed = log.seal(log.owner, log.body(log.owner, { type: 'poll', question: 'when?' }));
    await take(await log.add('message', log.owner.id, sealed.payload, sealed.clear));
    expect(said(nth(log.owner, 1)).text).toBeNull();
    expect(conversation.unread()).toBe(1);
    expect(conversation.last()).toBeNull();
  });

  test('a reply is shown again when what it quotes changes or arrives', async () => {
    const early = await log.say(log.owner, 'quoted');
    const reply = await send(guest, { type: 'reply', to: nth(log.owner, 1), text: 'indeed' });
    await take(early, reply);
    conversation.drainDirty();
    await take(await send(log.owner, { type: 'edit', to: nth(log.owner, 1), text: 'reworded' }));
    expect(conversation.drainDirty().has(indexOf(nth(guest, 1)))).toBe(true);
  });
});

describe('a message whose key came late', () => {
  test('takes its place, with what was said about it meanwhile', async () => {
    const entry = await log.say(log.owner, 'late');
    await readEntry(reader, entry);
    const record = recordsOf(reader).at(-1)!;
    const { items } = record;
    await change(reader, replaceItems(record.index, []));
    await take(
      await log.say(log.owner, 'later'),
      await send(guest, { type: 'reaction', to: nth(log.owner, 1), emoji: '👀', on: true }),
    );
    expect(conversation.target(nth(log.owner, 1))).toBeNull();
    conversation.drainDirty();
    await change(reader, replaceItems(record.index, items));
    conversation.sync();
    expect(fate(nth(log.owner, 1)).reactions).toEqual([{ emoji: '👀', members: [guest.id] }]);
    expect(conversation.drainDirty()).toEqual(new Set([record.index]));
    expect(conversation.last()?.text).toBe('later');
    expect(conversation.unread()).toBe(2);
  });
});

describe('what waits in the outbox', () => {
  test('applies on this device already, and no longer once it is given up', async () => {
    await take(await log.say(log.owner, 'hello'));
    const hello = nth(log.owner, 1);
    conversation.drainDirty();
    const item = await wait({ type: 'reaction', to: hello, emoji: '👍', on: true });
    conversation.sync();
    expect(fate(hello).reactions).toEqual([{ emoji: '👍', members: [guest.id] }]);
    expect(conversation.drainDirty()).toEqual(new Set([indexOf(hello)]));
    await change(reader, dropOutbox(item.n));
    conversation.sync();
    expect(fate(hello).reactions).toEqual([]);
    expect(conversation.drainDirty()).toEqual(new Set([indexOf(hello)]));
  });

  test('a message has one id from the outbox on, and can be edited while it waits', async () => {
    const item = await wait({ type: 'text', text: 'on its way' });
    await wait({ type: 'edit', to: nth(guest, item.n), text: 'corrected' });
    conversation.sync();
    const [waiting] = conversation.pending;
    expect(conversation.pending).toHaveLength(1);
    expect(conversation.annotationsOf(waiting!).text).toBe('corrected');
    expect(conversation.isWaiting(waiting!)).toBe(true);
    const body = log.body(guest, { ...item.content }, { mid: item.mid });
    const sealed = log.seal(guest, body);
    await take(await log.add('message', guest.id, sealed.payload, sealed.clear));
    expect(conversation.pending).toEqual([]);
    expect(said(nth(guest, 1)).id).toBe(waiting?.id);
    expect(conversation.isWaiting(said(nth(guest, 1)))).toBe(false);
  });

  test('what the relay has lost waits again in its own place, and stands once', async () => {
    await take(await log.say(guest, 'lost'));
    const lost = said(nth(guest, 1));
    conversation.drainDirty();
    const { n, instance, mid, content, sentAt: made } = messagesOf(reader).at(-1)!;
    await change(reader, putOutbox(waitingItem({ n, instance, mid, content, made })));
    conversation.sync();
    expect(conversation.pending).toEqual([]);
    expect(conversation.isWaiting(lost)).toBe(true);
    expect(conversation.drainDirty()).toEqual(new Set([indexOf(nth(guest, 1))]));
    // After an import it waits under another counter, with the same mid.
    const renamed = waitingItem({ n: 7, instance: nodeRandom.bytes(16), mid, content, made });
    await change(reader, dropOutbox(n), putOutbox(renamed));
    conversation.sync();
    expect(conversation.pending).toEqual([]);
    expect(conversation.isWaiting(lost)).toBe(true);
  });
});

describe('read markers', () => {
  test('count up to their position, never beyond where they stand, and show what they cover again', async () => {
    await take(await log.say(guest, 'one'), await log.say(guest, 'two'));
    const [one, two] = [nth(guest, 1), nth(guest, 2)];
    conversation.drainDirty();
    await take(await send(log.owner, { type: 'readMarker', position: said(one).at!.position }));
    expect(conversation.readersOf(said(one))).toEqual([log.owner.id]);
    expect(conversation.readersOf(said(two))).toEqual([]);
    expect(conversation.drainDirty().has(indexOf(one))).toBe(true);
    // A marker beyond everything there is cannot vouch for what comes after it.
    await take(await send(log.owner, { type: 'readMarker', position: { g: 9, s: 9_999 } }));
    const shown = conversation.drainDirty();
    expect([shown.has(indexOf(one)), shown.has(indexOf(two))]).toEqual([false, true]);
    await take(await log.say(guest, 'three'));
    expect(conversation.readersOf(said(two))).toEqual([log.owner.id]);
    expect(conversation.readersOf(said(nth(guest, 3)))).toEqual([]);
  });

  test('an older marker takes nothing back; the sender and this member are no readers', async () => {
    await take(await log.say(log.owner, 'one'), await log.say(guest, 'two'));
    const [one, two] = [nth(log.owner, 1), nth(guest, 1)];
    await take(
      await send(log.owner, { type: 'readMarker', position: said(two).at!.position }),
      await send(log.owner, { type: 'readMarker', position: said(one).at!.position }),
      await send(guest, { type: 'readMarker', position: said(two).at!.position }),
    );
    expect(conversation.readersOf(said(two))).toEqual([log.owner.id]);
    expect(conversation.readersOf(said(one))).toEqual([]);
  });
});

describe('counts', () => {
  test('unread: messages of others since the mark, without the deleted', async () => {
    await take(await log.say(log.owner, 'old'));
    await change(reader, set({ readIndex: reader.core.nextIndex }));
    expect(conversation.unread()).toBe(0);
    await take(
      await log.say(log.owner, 'new'),
      await log.say(guest, 'own'),
      await log.say(log.owner, 'regretted'),
      await send(log.owner, { type: 'reaction', to: nth(guest, 1), emoji: '👍', on: true }),
    );
    expect(conversation.unread()).toBe(2);
    await take(await send(log.owner, { type: 'delete', to: nth(log.owner, 3) }));
    expect(conversation.unread()).toBe(1);
    expect(conversation.newestOfOthers(reader.core.nextIndex)).toMatchObject({ n: 3, text: null });
    expect(conversation.newestOfOthers(indexOf(nth(log.owner, 2)))?.text).toBe('old');
  });

  test('alarms: those that are not settled', async () => {
    const index = reader.core.nextIndex;
    const lost = index + 1;
    await change(
      reader,
      append(null, 1, [alarm(ALARM_CODES.ALARM_GAP, null, { from: 1, to: 2 })]),
      append(null, 1, [alarm(ALARM_CODES.ALARM_RELAY_LOST, null, { from: 4, to: 5, restored: 1 })]),
    );
    conversation.sync();
    expect(reader.core.alarms).toBe(2);
    const settled = alarm(ALARM_CODES.ALARM_RELAY_LOST, null, { from: 4, to: 5, restored: 2 });
    await change(reader, replaceItems(lost, [settled]));
    conversation.sync();
    expect(reader.core.alarms).toBe(1);
    await change(reader, replaceItems(index, []));
    conversation.sync();
    expect(reader.core.alarms).toBe(0);
  });
});

test('following step by step ends where reading the whole log at once does', async () => {
  const people = [log.owner, guest];
  const act = fc.record({
    who: fc.integer({ min: 0, max: 1 }),
    to: fc.record({ who: fc.integer({ min: 0, max: 1 }), n: fc.integer({ min: 1, max: 6 }) }),
    type: fc.constantFrom('text', 'reply', 'edit', 'delete', 'reaction', 'readMarker'),
    on: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 14 }), async (acts) => {
      const whole = new Conversation(reader);
      for (const { who, to, type, on } of acts) {
        const target = nth(people[to.who]!, to.n);
        const content = {
          text: { type: 'text', text: 'said' },
          reply: { type: 'reply', to: target, text: 'replied' },
          edit: { type: 'edit', to: target, text: 'edited' },
          delete: { type: 'delete', to: target },
          reaction: { type: 'reaction', to: target, emoji: '👍', on },
          readMarker: { type: 'readMarker', position: log.position },
        }[type] as Content;
        await take(await send(people[who]!, content));
      }
      whole.sync();
      const all = (of: Conversation): unknown =>
        messagesOf(reader).flatMap((message) => {
          const found = of.target(message);
          return found === null ? [] : [[found, of.annotationsOf(found), of.readersOf(found)]];
        });
      expect(all(conversation)).toEqual(all(whole));
      expect([conversation.unread(), conversation.last()]).toEqual([whole.unread(), whole.last()]);
    }),
    { numRuns: 12 },
  );
});
