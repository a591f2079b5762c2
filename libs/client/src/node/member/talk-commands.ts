/** Commands of the conversation. */
import type { MessageState, RelayRow, RoomView, TimelineItem } from '../../contract/api.js';
import { Refused, value, type Line } from './agent.js';
import { place, ROOM, roomOf, text, WAIT, waits, type Command, type Context } from './command.js';
import { UsageError, type Given } from './parameters.js';

const MESSAGE = place('message', 'id of the message');
const HISTORY = 50;
/** How far back an entry of one's own that has just been sent can lie. */
const ROWS = 200;

/** States of a line that somebody has to do something about, or that is to be copied by hand. */
const UNSENT: readonly MessageState[] = ['waiting', 'lost', 'unsent'];

export const itemLine = (roomId: string, item: TimelineItem): Line => ({ roomId, ...item });

/**
 * What was asked for is stored, and waits behind a line whose sender has not answered: ANSWER_NEEDED.
 * `order`: of the line that is to go; behind all where it is no line.
 */
function mustNotBeHeld({ agent }: Context, { held }: RoomView, order = Infinity): void {
  const orders = new Map(agent.items.map((item) => [item.id, item.order]));
  const message = held.find((id) => (orders.get(id) ?? 0) <= order);
  if (message !== undefined) throw new Refused({ code: 'ANSWER_NEEDED', params: { message } });
}

/** Until the log holds the message. Rejects with ANSWER_NEEDED, MESSAGE_LOST. */
async function relayed(context: Context, roomId: string, id: string): Promise<void> {
  const { agent } = context;
  await agent.roomIs(roomId, (room) => {
    const line = agent.items.find((item) => item.id === id);
    if (line?.type !== 'message') return false;
    if (line.state === 'lost') throw new Refused({ code: 'MESSAGE_LOST', params: { message: id } });
    if (line.state === 'relayed' || line.state === 'read') return true;
    mustNotBeHeld(context, room, line.order);
    return false;
  });
}

/** Runs what sends something without a line of its own, and waits until the log holds that. */
async function sent(
  context: Context,
  given: Given,
  what: string,
  send: (roomId: string) => Promise<void>,
): Promise<null> {
  const { agent } = context;
  const roomId = await roomOf(context, given);
  if (!waits(context, given)) {
    await send(roomId);
    return null;
  }
  const { me } = await agent.watch(roomId);
  const own = async (): Promise<number> => {
    const rows = value(await agent.client.relaySees(roomId, ROWS));
    return Math.max(0, ...rows.filter((row) => isOwn(row, me, what)).map(({ position }) => position.s));
  };
  const before = await own();
  await send(roomId);
  while ((await own()) <= before) {
    await agent.next();
    if (agent.room === null) continue;
    if (agent.room.stopped !== null) throw new Refused(agent.room.stopped);
    mustNotBeHeld(context, agent.room);
  }
  return null;
}

const isOwn = (row: RelayRow, me: string, what: string): boolean =>
  row.sender === me && row.kind === 'message' && row.what === what;

async function* textsOf(context: Context, given: Given): AsyncIterable<string> {
  const said = given.text('text');
  if (said !== null) yield said;
  else for await (const line of context.input()) if (line.trim() !== '') yield line;
}

/** Everything that the vault has of the room, from its beginning. */
async function loadAll(context: Context, roomId: string, enough: () => boolean): Promise<void> {
  const { agent } = context;
  await agent.watch(roomId);
  while (agent.room?.earlier === true && !enough()) {
    value(await agent.client.loadEarlier(roomId));
    await agent.next();
  }
}

export const TALK_COMMANDS: readonly Command[] = [
  {
    name: 'send',
    help: 'sends a text, or each line of the standard input',
    parameters: [ROOM, text('what to say; nothing: the lines of the standard input', false), WAIT],
    vault: 'open',
    async run(context, given) {
      const { agent } = context;
      const roomId = agent.roomId(given.text('room'));
      // What is written before one has read who came since asks first whether it goes to them as well. A shell does
      // not wait: it sends in the order of its lines.
      if (waits(context, given)) await agent.live(roomId);
      const single = given.text('text');
      const ids: string[] = [];
      if (single !== null) ids.push(value(await agent.client.sendText(roomId, single)).id);
      else {
        for await (const line of textsOf(context, given)) {
          ids.push(value(await agent.client.sendText(roomId, line)).id);
        }
      }
      if (ids.length === 0)
        throw new UsageError(
          'text is missing: write it behind the command, or a line each on the standard input',
        );
      if (waits(context, given)) for (const id of ids) await relayed(context, roomId, id);
      return single === null ? { ids } : { messageId: ids[0] };
    },
  },
  {
    name: 'reply',
    help: 'answers a message',
    parameters: [MESSAGE, text('what to say'), ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const { id } = value(
        await context.agent.client.reply(roomId, given.needed('message'), given.needed('text')),
      );
      if (waits(context, given)) await relayed(context, roomId, id);
      return { messageId: id };
    },
  },
  {
    name: 'react',
    help: 'puts an emoji to a message; --no-on takes it away',
    parameters: [
      MESSAGE,
      place('emoji', 'the emoji'),
      ROOM,
      { name: 'on', kind: 'flag', help: 'put it, or take it away' },
      WAIT,
    ],
    vault: 'open',
    run: (context, given) =>
      sent(context, given, 'reaction', async (roomId) => {
        const { client } = context.agent;
        const on = given.flag('on') ?? true;
        value(await client.react(roomId, given.needed('message'), given.needed('emoji'), on));
      }),
  },
  {
    name: 'edit',
    help: 'changes one’s own message',
    parameters: [MESSAGE, text('the text now'), ROOM, WAIT],
    vault: 'open',
    run: (context, given) =>
      sent(context, given, 'edit', async (roomId) => {
        const { client } = context.agent;
        value(await client.editMessage(roomId, given.needed('message'), given.needed('text')));
      }),
  },
  {
    name: 'delete',
    help: 'deletes one’s own message',
    parameters: [MESSAGE, ROOM, WAIT],
    vault: 'open',
    run: (context, given) =>
      sent(context, given, 'delete', async (roomId) => {
        value(await context.agent.client.deleteMessage(roomId, given.needed('message')));
      }),
  },
  {
    name: 'unsent',
    help: 'own lines that wait for a word, that the relay has lost, or that a room’s end has left unsent: for whom, in newcomers',
    parameters: [ROOM],
    vault: 'open',
    async run(context, given) {
      const { agent, print } = context;
      const roomId = agent.roomId(given.text('room'));
      await loadAll(context, roomId, () => false);
      for (const item of agent.items) {
        if (item.type === 'message' && UNSENT.includes(item.state)) print(itemLine(roomId, item));
      }
      return null;
    },
  },
  {
    name: 'confirm',
    help: 'sends a line that waits for a word to everybody who is a member now',
    parameters: [MESSAGE, ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const { agent } = context;
      const roomId = await roomOf(context, given);
      const id = given.needed('message');
      value(await agent.client.confirmSend(roomId, id));
      if (!waits(context, given)) return null;
      await agent.roomIs(roomId, ({ held }) => !held.includes(id));
      await relayed(context, roomId, id);
      return null;
    },
  },
  {
    name: 'discard',
    help: 'gives up a line that waits for a word: it is never sent',
    parameters: [MESSAGE, ROOM],
    vault: 'open',
    async run({ agent }, given) {
      value(await agent.client.discard(agent.roomId(given.text('room')), given.needed('message')));
      return null;
    },
  },
  {
    name: 'send-again',
    help: 'sends the text of a lost line as a new one, to everybody who is a member now',
    parameters: [MESSAGE, ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const { id } = value(await context.agent.client.resend(roomId, given.needed('message')));
      if (waits(context, given)) await relayed(context, roomId, id);
      return { messageId: id };
    },
  },
  {
    name: 'read',
    help: 'marks everything as read; --tell lets the others know',
    parameters: [ROOM, { name: 'tell', kind: 'flag', help: 'by a read marker' }],
    vault: 'open',
    async run({ agent }, given) {
      const roomId = agent.roomId(given.text('room'));
      value(await agent.client.markRead(roomId, given.flag('tell') ?? false));
      return null;
    },
  },
  {
    name: 'typing',
    help: 'shell: somebody is typing here',
    parameters: [ROOM],
    vault: 'open',
    async run({ agent }, given) {
      value(await agent.client.typing(agent.roomId(given.text('room'))));
      return null;
    },
  },
  {
    name: 'history',
    help: 'the newest lines that this vault has, oldest first; the relay is not asked',
    parameters: [ROOM, { name: 'limit', kind: 'number', help: 'how many; 50 unless said' }],
    vault: 'open',
    async run(context, given) {
      const { agent, print } = context;
      const limit = given.number('limit') ?? HISTORY;
      const roomId = agent.roomId(given.text('room'));
      await loadAll(context, roomId, () => agent.items.length >= limit);
      for (const item of agent.items.slice(Math.max(0, agent.items.length - limit)))
        print(itemLine(roomId, item));
      return null;
    },
  },
  {
    name: 'relay-sees',
    help: 'the newest entries of the log as the relay has them',
    parameters: [ROOM, { name: 'limit', kind: 'number', help: 'how many; 50 unless said' }],
    vault: 'open',
    async run({ agent, print }, given) {
      const roomId = agent.roomId(given.text('room'));
      const rows = value(await agent.client.relaySees(roomId, given.number('limit') ?? HISTORY));
      for (const row of rows) print({ type: 'entry', roomId, ...row });
      return null;
    },
  },
  {
    name: 'listen',
    help: 'says everything of a room as it comes, from the first unread line on, until Ctrl-C',
    parameters: [
      ROOM,
      { name: 'fromStart', kind: 'flag', help: 'begin with all that this vault has' },
      { name: 'tell', kind: 'flag', help: 'let the others know what was read' },
    ],
    vault: 'open',
    async run(context, given) {
      const { agent, print } = context;
      const roomId = agent.roomId(given.text('room'));
      const { unreadFrom } = await agent.watch(roomId);
      const fromStart = given.flag('fromStart') ?? false;
      await loadAll(context, roomId, () => !fromStart && (agent.items[0]?.order ?? 0) < unreadFrom);
      for (const item of agent.items) {
        if (fromStart || item.order >= unreadFrom) print(itemLine(roomId, item));
      }
      context.stream();
      for (;;) {
        value(await agent.client.markRead(roomId, given.flag('tell') ?? false));
        const { length } = agent.items;
        await agent.until(() => (agent.items.length > length ? true : null), true);
      }
    },
  },
];
