/** What a member may say of which message (docs/protocol.md section 6, G3), and what of it is sent at all. */
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { FakeClock, FakeRoom } from '../outgoing/part.spec-support.js';
import { messagesOf, change, RoomLog, readEntry, type Person } from '../log/log.spec-support.js';
import { Outbox } from './outbox.js';
import { messageIdOf } from '../../vault/content.js';
import { set } from '../state/draft.js';
import { Composer } from './composer.js';

let log: RoomLog;
let guest: Person;
let room: FakeRoom;
let talk: Composer;

beforeAll(async () => {
  await loadThemis();
});

const talkOf = async (person: Person): Promise<void> => {
  room = new FakeRoom(await log.reader(person), new FakeClock(1_700_000_000_000));
  // Nothing leaves the outbox: what is tested here is what gets into it.
  room.live = false;
  const outbox = new Outbox(room);
  talk = new Composer(room, (content, more) => outbox.submit(content, more));
};

beforeEach(async () => {
  log = await RoomLog.begin();
  const { person, entry } = await log.admit();
  guest = person;
  await talkOf(guest);
  await readEntry(room.state, entry);
});

/** What waits in the outbox, oldest first. */
const waiting = (): readonly unknown[] => [...room.state.outbox.values()].map(({ content }) => content);

const theirs = async (text: string): Promise<string> => {
  await readEntry(room.state, await log.say(log.owner, text));
  const { sender, mid } = messagesOf(room.state).at(-1)!;
  return messageIdOf(sender, mid);
};

describe('a reply and a reaction', () => {
  test('name their target as the protocol does', async () => {
    const to = await theirs('a question');
    const target = { sender: log.owner.id, instance: log.owner.instance, n: 1 };
    await talk.reply(to, 'an answer');
    await talk.react(to, '👍', true);
    expect(waiting()).toEqual([
      { type: 'reply', to: target, text: 'an answer' },
      { type: 'reaction', to: target, emoji: '👍', on: true },
    ]);
  });

  test('a reaction that stands, or does not, is not said again', async () => {
    const to = await theirs('a question');
    await talk.react(to, '👍', false);
    await talk.react(to, '👍', true);
    await talk.react(to, '👍', true);
    await talk.react(to, '👍', false);
    await talk.react(to, '👍', false);
    expect(waiting()).toMatchObject([{ on: true }, { on: false }]);
  });

  test('to a message that is not here, or deleted, are MESSAGE_UNKNOWN', async () => {
    const { id } = await talk.sendText('mine');
    await talk.delete(id);
    for (const gone of [id, 'no such message', '']) {
      await expect(talk.reply(gone, 'to nothing')).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' });
      await expect(talk.react(gone, '👍', true)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' });
      await expect(talk.edit(gone, 'else')).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' });
      await expect(talk.delete(gone)).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' });
    }
    expect(waiting()).toHaveLength(2);
  });
});

describe('an edit and a deletion', () => {
  test('are of one’s own messages, also of those that wait', async () => {
    const { id } = await talk.sendText('frist');
    await talk.edit(id, 'fisrt');
    await talk.edit(id, 'first');
    await talk.edit(id, 'first');
    const to = { sender: guest.id, instance: guest.instance, n: 1 };
    // Nothing of it was ever sealed: the words of before stay here no longer than the edit takes.
    expect(waiting()).toEqual([
      { type: 'text', text: 'first', edited: true },
      { type: 'void' },
      { type: 'edit', to, text: 'first' },
    ]);
    await talk.delete(id);
    expect(waiting()).toEqual([{ type: 'void' }, { type: 'void' }, { type: 'void' }, { type: 'delete', to }]);
  });

  test('G14 a line that waits for its sender’s word goes with what was changed of it', async () => {
    const { id } = await talk.sendText('not for Zoé');
    await talk.edit(id, 'not for Zoé either');
    await readEntry(room.state, (await log.admit()).entry);
    await talk.delete(id);
    expect(waiting()).toEqual([{ type: 'void' }, { type: 'void' }]);
  });

  test('G14 G18 a line that is discarded takes along what waits to change it', async () => {
    const { id } = await talk.sendText('not for Zoé');
    await talk.edit(id, 'not for Zoé either');
    await talk.react(id, '👍', true);
    await talk.sendText('another line');
    await readEntry(room.state, (await log.admit()).entry);
    await talk.discard(id);
    const gone = { type: 'void' };
    expect(waiting()).toEqual([gone, gone, gone, { type: 'text', text: 'another line' }]);
  });

  test('G14 what was sealed may have been sent: an edit leaves it until the log has it, a deletion does not', async () => {
    room.live = true;
    const { id } = await talk.sendText('sealed');
    const first = room.state.outbox.get(1)?.sealed?.payload;
    expect(first).toBeDefined();
    await talk.edit(id, 'edited');
    expect(waiting()).toMatchObject([{ text: 'sealed' }, { type: 'edit', text: 'edited' }]);
    await talk.delete(id);
    expect([...room.state.outbox.values()].map(({ content }) => content.type)).toEqual([
      'void',
      'void',
      'delete',
    ]);
    expect([...room.state.outbox.values()].map(({ sealed }) => sealed?.payload)).not.toContainEqual(first);
  });

  test('of another’s message are NOT_YOURS', async () => {
    const to = await theirs('not yours');
    await expect(talk.edit(to, 'mine now')).rejects.toMatchObject({ code: 'NOT_YOURS' });
    await expect(talk.delete(to)).rejects.toMatchObject({ code: 'NOT_YOURS' });
    expect(waiting()).toEqual([]);
  });
});

describe('names', () => {
  test('one that stands, or is on its way, is not said again', async () => {
    await talk.renameMe('Inès');
    await talk.renameMe('Inès');
    const people = [...room.state.core.people, { memberId: guest.id, name: 'Before', proof: null }];
    await change(room.state, set({ people }));
    await talk.renameMe('Inès');
    await talk.renameMe('Before');
    expect(waiting()).toEqual([
      { type: 'profile', name: 'Inès' },
      { type: 'profile', name: 'Before' },
    ]);
  });

  test('of the room are the owner’s to give', async () => {
    await expect(talk.renameRoom('Ours')).rejects.toMatchObject({ code: 'NOT_OWNER' });
    await talkOf(log.owner);
    await talk.renameRoom('Ours');
    await talk.renameRoom('Ours');
    expect(waiting()).toEqual([{ type: 'roomName', name: 'Ours' }]);
  });
});

test('a read marker is told and remembered in one write', async () => {
  const position = { g: 1, s: 1 };
  await talk.readUpTo(position);
  expect([waiting(), room.state.core.lastReadMarker]).toEqual([[{ type: 'readMarker', position }], position]);
});

test('who is no member any more says nothing', async () => {
  await change(room.state, set({ stage: 'removed' }));
  await expect(talk.sendText('still here')).rejects.toMatchObject({ code: 'NOT_MEMBER' });
});
