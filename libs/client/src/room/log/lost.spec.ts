/** One's own lines that the relay loses: nothing is sealed for whom it was not written for (G18). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import type { AnyContent, Entry, Position, RequestBody } from '@0fc/protocol';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import {
  messagesOf,
  change,
  recordsOf,
  RoomLog,
  readEntry,
  readGeneration,
  waitingItem,
  type Person,
} from './log.spec-support.js';
import { Outbox } from '../member/outbox.js';
import { Outgoing } from '../outgoing/lane.js';
import { Composer } from '../member/composer.js';
import { putOutbox, set } from '../state/draft.js';
import { messageIdOf } from '../../vault/content.js';
import type { OutboxItem } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';
import { admittedSince } from './lost.js';

let log: RoomLog;
let guest: Person;
let reader: RoomState;

beforeAll(async () => {
  await loadThemis();
});

beforeEach(async () => {
  log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  guest = person;
  reader = await log.reader(guest);
  await readEntry(reader, entry);
});

const reads = async (...entries: readonly Entry[]): Promise<void> => {
  for (const entry of entries) await readEntry(reader, entry);
};
const loses = async (from: Position): Promise<void> =>
  readGeneration(reader, await log.lose(from, 1_000), 5_000);
const sent = async (content: AnyContent): Promise<Entry> => {
  const { payload, clear } = log.seal(guest, log.body(guest, content));
  return log.add('message', guest.id, payload, clear);
};
const waiting = (): readonly OutboxItem[] => [...reader.outbox.values()];
const lostTexts = (): readonly unknown[] =>
  recordsOf(reader).flatMap(({ items }) =>
    items.flatMap((item) => (item.type === 'message' && item.lost !== undefined ? [item.content.text] : [])),
  );
/** What the outbox does next, until nothing more is due. */
const settles = async (now = 9_000): Promise<FakeRoom> => {
  const room = new FakeRoom(reader, new FakeClock(now));
  const outbox = new Outbox(room);
  const append = room.connection.request.bind(room.connection);
  Object.assign(room.connection, {
    request: async (kind: 'append', body: { readonly messages: readonly unknown[] }) => {
      await append(kind, body as never);
      return { placed: body.messages.map(() => ({ position: log.position, time: 1 })) };
    },
  });
  await new Outgoing(room, [outbox]).attempt(outbox);
  return room;
};

describe('a line that the relay has lost', () => {
  test('G18 in its own epoch goes again, inside one epoch later, and is given up once that is over too', async () => {
    const from = log.position;
    await reads(await sent({ type: 'text', text: 'of epoch 1' }));
    await loses(from);
    expect(waiting()).toMatchObject([{ n: 1, only: 1, content: { text: 'of epoch 1' } }]);
    await reads(await log.rotate(guest.id));
    await reads((await log.admit()).entry);
    await settles();
    expect(waiting()).toMatchObject([{ n: 1, only: 2, again: 1, content: { text: 'of epoch 1' } }]);
    expect(lostTexts()).toEqual([]);
    await reads(await log.rotate(guest.id));
    await settles();
    expect(waiting()).toMatchObject([{ n: 1, only: null, content: { type: 'void' } }]);
    expect(waiting()[0]).not.toHaveProperty('again');
    expect(lostTexts()).toEqual(['of epoch 1']);
  });

  test('G18 of the epoch before goes inside, one of an earlier epoch is shown as lost, its counter as void', async () => {
    const from = log.position;
    await reads(
      await sent({ type: 'text', text: 'of epoch 1' }),
      await log.rotate(guest.id),
      await sent({ type: 'text', text: 'of epoch 2' }),
      await sent({ type: 'readMarker', position: log.position }),
      await log.rotate(guest.id),
    );
    await loses(from);
    expect(waiting()).toMatchObject([
      { n: 1, only: null, content: { type: 'void' } },
      { n: 2, only: 3, again: 2, content: { text: 'of epoch 2' } },
      { n: 3, only: null, content: { type: 'void' } },
    ]);
    expect(lostTexts()).toEqual(['of epoch 1']);
  });

  test('G18 that had come back inside is of its own epoch at the next loss too', async () => {
    const from = log.position;
    await reads(await sent({ type: 'text', text: 'of epoch 1' }));
    const rotation = await log.rotate(guest.id);
    const inEpoch2 = log.key;
    await reads(rotation);
    await loses(from);
    log.key = inEpoch2;
    await reads(await log.again(rotation));
    const room = await settles();
    const [append] = room.sent.filter(({ kind }) => kind === 'append');
    const { messages } = append!.body as RequestBody<'append'>;
    const before = log.position;
    await reads(await log.add('message', guest.id, messages[0]!.payload, messages[0]!.clear));
    expect(waiting()).toEqual([]);
    await readGeneration(reader, await log.lose(before, 2_000), 6_000);
    expect(waiting()).toMatchObject([{ n: 1, only: 2, again: 1 }]);
  });

  test('G18 that a relay has brought back behind the epoch here is of its own epoch at the next loss', async () => {
    const from = log.position;
    const line = await sent({ type: 'text', text: 'of epoch 1' });
    await reads(line, await log.rotate(guest.id));
    await loses(from);
    const back = log.position;
    await reads(await log.again(line));
    expect(waiting()).toEqual([]);
    await readGeneration(reader, await log.lose(back, 2_000), 6_000);
    expect(waiting()).toMatchObject([{ n: 1, only: 2, again: 1 }]);
  });

  test('G18 that was deleted goes as void in its own epoch too, and names and deletions go in any', async () => {
    const from = log.position;
    const to = { sender: guest.id, instance: guest.instance, n: 1 };
    await reads(
      await sent({ type: 'text', text: 'deleted' }),
      await sent({ type: 'delete', to }),
      await sent({ type: 'profile', name: 'Tomás' }),
      await log.rotate(guest.id),
    );
    await loses(from);
    // A deletion says nothing to who has not read what it deletes, and counts for ever.
    expect(waiting().map(({ content }) => content)).toEqual([
      { type: 'void' },
      { type: 'delete', to },
      { type: 'profile', name: 'Tomás' },
    ]);
    expect(waiting().filter(({ only, again = null }) => only !== null || again !== null)).toEqual([]);
    expect(lostTexts()).toEqual([]);
  });
});

describe('a lost line that is sent again by hand', () => {
  test('G18 goes as it was last edited, once, and gives way to what was sent', async () => {
    const from = log.position;
    const to = { sender: guest.id, instance: guest.instance, n: 1 };
    await reads(
      await sent({ type: 'text', text: 'first' }),
      await sent({ type: 'edit', to, text: 'edited' }),
      await log.rotate(guest.id),
      await log.rotate(guest.id),
    );
    await loses(from);
    await change(reader, set({ nextN: 3 }));
    const room = new FakeRoom(reader, new FakeClock(9_000));
    const outbox = new Outbox(room);
    const talk = new Composer(room, (content, more) => outbox.submit(content, more));
    talk.conversation.sync();
    const [line] = messagesOf(reader);
    const id = messageIdOf(guest.id, line?.mid ?? new Uint8Array());
    expect(talk.conversation.find(id)?.lost).not.toBeNull();
    const again = await talk.resend(id);
    talk.conversation.sync();
    expect(talk.conversation.find(id)).toBeNull();
    expect(talk.conversation.drainRemoved()).toEqual([id]);
    expect(talk.conversation.find(again.id)?.text).toBe('edited');
    expect(waiting().slice(-2)).toMatchObject([
      { content: { type: 'text', text: 'edited' } },
      { content: { type: 'delete', to } },
    ]);
    expect(messagesOf(reader).map(({ content }) => content.type)).toEqual(['void', 'void']);
    await expect(talk.resend(id)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' });
  });
});

describe('a line that is written', () => {
  const writes = async (live: boolean): Promise<void> => {
    const room = new FakeRoom(reader, new FakeClock(9_000));
    room.live = live;
    await new Outbox(room).submit({ type: 'text', text: 'now' });
    await reads((await log.admit()).entry);
  };

  test('G18 within the relay’s reach is on its way: an admission that is read meanwhile asks nothing', async () => {
    await writes(true);
    expect(waiting()).toMatchObject([{ sealed: { epoch: 1 } }]);
    expect(waiting().flatMap((item) => admittedSince(reader, item))).toEqual([]);
  });

  test('G18 out of its reach is sealed when it goes, and asks', async () => {
    await writes(false);
    expect(waiting()).toMatchObject([{ sealed: null }]);
    expect(waiting().flatMap((item) => admittedSince(reader, item))).toHaveLength(1);
  });
});

describe('a line that waits', () => {
  const item = (fields: Partial<OutboxItem> = {}): OutboxItem =>
    waitingItem({
      n: 1,
      instance: guest.instance,
      mid: new Uint8Array(16),
      content: { type: 'text', text: 'waits' },
      writtenAt: reader.chain.size,
      confirmed: false,
      ...fields,
    });

  test('G18 asks once somebody has been admitted, unless it is on its way in this epoch', async () => {
    expect(admittedSince(reader, item())).toEqual([]);
    const before = reader.chain.size;
    const { person, entry } = await log.admit();
    await reads(entry);
    const sealed = { epoch: 1, clear: log.clear(), payload: new Uint8Array(1) };
    expect(admittedSince(reader, item({ writtenAt: before }))).toEqual([person.id]);
    expect(admittedSince(reader, item({ writtenAt: before, sealed }))).toEqual([]);
    expect(admittedSince(reader, item({ writtenAt: before, confirmed: true }))).toEqual([]);
    expect(
      admittedSince(reader, item({ writtenAt: before, content: { type: 'profile', name: 'x' } })),
    ).toEqual([]);
  });

  const acknowledged = (): OutboxItem =>
    item({ sealed: { epoch: 1, clear: log.clear(), payload: new Uint8Array(1) }, acknowledged: true });

  test('G18 and was acknowledged in the epoch before goes inside, one that its sender has deleted as void', async () => {
    const to = { sender: guest.id, instance: guest.instance, n: 1 };
    await change(reader, putOutbox(acknowledged()));
    await change(reader, putOutbox({ ...acknowledged(), n: 2, mid: new Uint8Array(16).fill(2) }));
    await change(reader, putOutbox({ ...item({ confirmed: true }), n: 3, content: { type: 'delete', to } }));
    await reads(await log.rotate(guest.id), (await log.admit()).entry);
    await settles();
    expect(waiting()).toMatchObject([
      { n: 1, content: { type: 'void' } },
      { n: 2, only: 2, again: 1, content: { text: 'waits' } },
      { n: 3, content: { type: 'delete' } },
    ]);
    expect(lostTexts()).toEqual([]);
  });

  test('G18 and was acknowledged in the epoch before goes as void, once the log has its deletion', async () => {
    const to = { sender: guest.id, instance: guest.instance, n: 1 };
    guest.n = 1;
    await change(reader, putOutbox(acknowledged()));
    await reads(await sent({ type: 'delete', to }), await log.rotate(guest.id));
    await settles();
    expect(waiting()).toMatchObject([{ n: 1, content: { type: 'void' } }]);
    expect(lostTexts()).toEqual([]);
  });

  test('G18 and was never acknowledged for a minute keeps its epoch: inside in the next one, given up in the one after', async () => {
    await change(reader, putOutbox({ ...acknowledged(), acknowledged: false }));
    await reads(await log.rotate(guest.id));
    await settles(60_001);
    expect(waiting()).toMatchObject([{ n: 1, only: 2, again: 1, content: { text: 'waits' } }]);
    await reads(await log.rotate(guest.id));
    await settles(60_001);
    expect(waiting()).toMatchObject([{ n: 1, content: { type: 'void' } }]);
    expect(lostTexts()).toEqual(['waits']);
  });

  test.each([
    ['within the minute after it was written', 60_000, [2, undefined]],
    ['but by a clock that has gone back', 0, [2, 1]],
  ] as const)('G18 and is on its way goes in the epoch that meets it %s', async (_, now, [epoch, again]) => {
    await change(reader, putOutbox({ ...acknowledged(), acknowledged: false }));
    await reads(await log.rotate(guest.id));
    await settles(now);
    expect(waiting()).toMatchObject([{ n: 1, sealed: { epoch }, content: { text: 'waits' } }]);
    expect(waiting()[0]?.again).toBe(again);
  });

  test('G18 and was to go inside is given up once the key of its epoch is gone', async () => {
    await change(reader, putOutbox(acknowledged()));
    await reads(await log.rotate(guest.id));
    await settles();
    expect(waiting()).toMatchObject([{ n: 1, again: 1, only: 2 }]);
    await change(reader, set({ keys: reader.core.keys.filter(({ epoch }) => epoch === 2) }));
    const { sent: requests } = await settles();
    expect(waiting()).toMatchObject([{ n: 1, content: { type: 'void' } }]);
    expect(waiting()[0]).not.toHaveProperty('again');
    expect(lostTexts()).toEqual(['waits']);
    expect(requests.filter(({ kind }) => kind === 'append')).toHaveLength(1);
  });

  test('G18 for an epoch that has ended is sealed by nothing before it was decided on, the next line neither', async () => {
    await change(reader, putOutbox(acknowledged()), set({ nextN: 2 }));
    await reads(await log.rotate(guest.id));
    const room = new FakeRoom(reader, new FakeClock(9_000));
    room.live = true;
    await new Outbox(room).submit({ type: 'text', text: 'the next line' });
    expect(waiting()).toMatchObject([
      { n: 1, sealed: { epoch: 1 } },
      { n: 2, sealed: null },
    ]);
  });

  test('G18 and was acknowledged two epochs ago is given up where it waits, the key of then being here or not', async () => {
    await change(reader, putOutbox(acknowledged()));
    const [then] = reader.core.keys;
    await reads(await log.rotate(guest.id), await log.rotate(guest.id));
    // As for a join that still needs it.
    await change(reader, set({ keys: [then!, ...reader.core.keys] }));
    await settles();
    expect(waiting()).toMatchObject([{ n: 1, content: { type: 'void' } }]);
    expect(lostTexts()).toEqual(['waits']);
  });
});
