/** One's own lines that the relay loses: nothing is sealed for whom it was not written for (G18). */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import type { AnyContent, Entry, Position } from '@0fc/protocol';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import {
  messagesOf,
  change,
  recordsOf,
  RoomLog,
  take,
  takeGeneration,
  waitingItem,
  type Person,
} from './log.spec-support.js';
import { Outbox } from '../member/outbox.js';
import { Outgoing } from '../outgoing/outgoing.js';
import { Composer } from '../member/composer.js';
import { putOutbox, set } from '../state/draft.js';
import type { OutboxItem } from '../../vault/records.js';
import type { RoomState } from '../state/state.js';
import { messageIdOf } from './items.js';
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
  await take(reader, entry);
});

const reads = async (...entries: readonly Entry[]): Promise<void> => {
  for (const entry of entries) await take(reader, entry);
};
const loses = async (from: Position): Promise<void> =>
  takeGeneration(reader, await log.lose(from, 1_000), 5_000);
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
const settles = async (): Promise<FakeRoom> => {
  const room = new FakeRoom(reader, new FakeClock(9_000));
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
  test('G18 in its own epoch goes again, and is given up once that epoch is over', async () => {
    const from = log.position;
    await reads(await sent({ type: 'text', text: 'of epoch 1' }));
    await loses(from);
    expect(waiting()).toMatchObject([{ n: 1, only: 1, content: { text: 'of epoch 1' } }]);
    await reads(await log.rotate(guest.id));
    await reads((await log.admit()).entry);
    await settles();
    expect(waiting()).toMatchObject([{ n: 1, only: null, content: { type: 'void' } }]);
    expect(lostTexts()).toEqual(['of epoch 1']);
  });

  test('G18 of an earlier epoch is shown as lost, and its counter goes as void', async () => {
    const from = log.position;
    await reads(await sent({ type: 'text', text: 'of epoch 1' }), await log.rotate(guest.id));
    await loses(from);
    expect(waiting()).toMatchObject([{ n: 1, content: { type: 'void' } }]);
    expect(lostTexts()).toEqual(['of epoch 1']);
  });

  test('G18 that was deleted goes as void in its own epoch too, and names go in any', async () => {
    const from = log.position;
    const to = { sender: guest.id, instance: guest.instance, n: 1 };
    await reads(
      await sent({ type: 'text', text: 'deleted' }),
      await sent({ type: 'delete', to }),
      await sent({ type: 'profile', name: 'Tomás' }),
      await log.rotate(guest.id),
    );
    await loses(from);
    expect(waiting().map(({ content }) => content)).toEqual([
      { type: 'void' },
      { type: 'void' },
      { type: 'profile', name: 'Tomás' },
    ]);
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
    );
    await loses(from);
    await change(reader, set({ nextN: 3 }));
    const room = new FakeRoom(reader, new FakeClock(9_000));
    const outbox = new Outbox(room);
    const talk = new Composer(room, (content, ...beside) => outbox.submit(content, ...beside));
    talk.conversation.sync();
    const [line] = messagesOf(reader);
    const id = messageIdOf(guest.id, line?.mid ?? new Uint8Array());
    expect(talk.conversation.find(id)?.lost).not.toBeNull();
    const again = await talk.resend(id);
    talk.conversation.sync();
    expect(talk.conversation.find(id)).toBeNull();
    expect(talk.conversation.drainRemoved()).toEqual([id]);
    expect(talk.conversation.find(again.id)?.text).toBe('edited');
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

  test('G18 and was acknowledged in an epoch that has ended is given up where it waits', async () => {
    const sealed = { epoch: 1, clear: log.clear(), payload: new Uint8Array(1) };
    await change(reader, putOutbox(item({ sealed, acknowledged: true })));
    await reads(await log.rotate(guest.id));
    await settles();
    expect(waiting()).toMatchObject([{ n: 1, content: { type: 'void' } }]);
    expect(lostTexts()).toEqual(['waits']);
  });
});
