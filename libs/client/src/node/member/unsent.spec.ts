/** Lines that the relay has lost, and their commands: what a line of output says of them, and when each ends. */
import { describe, expect, test } from '@jest/globals';
import type { ClientEvent, MessageState, RoomView, TimelineItem } from '../../contract/api.js';
import type { NodeClient } from '../client.js';
import { Agent, type Line } from './agent.js';
import { commandNamed } from './command-table.js';
import type { Context } from './command.js';
import { Given } from './parameters.js';

const ROOM = 'room';

const line = (id: string, order: number, state: MessageState): TimelineItem =>
  ({ type: 'message', id, order, state, text: id, newcomers: ['Inès'] }) as unknown as TimelineItem;

/** A room of these lines, and what its commands say. */
async function over(items: readonly TimelineItem[]) {
  let tell: (event: ClientEvent) => void = () => undefined;
  const room = {
    roomId: ROOM,
    stage: 'member',
    connection: 'connected',
    held: [],
    earlier: false,
    stopped: null,
  };
  const put = (item: TimelineItem): void => {
    tell({ type: 'timeline', roomId: ROOM, reset: false, items: [item], removed: [] });
  };
  const client = {
    subscribe: (listener: typeof tell) => {
      tell = listener;
      return Promise.resolve();
    },
    watchRoom: () => {
      tell({ type: 'room', room: { ...room, catchingUp: false } as unknown as RoomView });
      tell({ type: 'timeline', roomId: ROOM, reset: true, items, removed: [] });
      return Promise.resolve({ ok: true, value: undefined });
    },
    resend: (_room: string, id: string) => {
      put(line(`${id} again`, 10, 'sending'));
      return Promise.resolve({ ok: true, value: { id: `${id} again` } });
    },
  };
  const agent = await Agent.over(client as unknown as NodeClient, null, () => undefined);
  const printed: Line[] = [];
  const nothing = (): never => {
    throw new Error('not asked for');
  };
  const context: Context = {
    agent,
    waits: true,
    print: (said) => printed.push(said),
    secret: nothing,
    input: nothing,
    stream: nothing,
  };
  const run = (name: string, values: Readonly<Record<string, string>>): Promise<unknown> => {
    const command = commandNamed(name);
    return command.run(context, Given.check(command.parameters, new Map(Object.entries(values))));
  };
  return { run, put, printed };
}

describe('lines that are not with the others', () => {
  test('are listed, oldest first, with those that they were not written for', async () => {
    const { run, printed } = await over([
      line('waits', 4, 'waiting'),
      line('read', 1, 'read'),
      line('lost', 2, 'lost'),
      line('goes', 3, 'sending'),
    ]);
    await run('unsent', { room: ROOM });
    expect(printed).toMatchObject([
      { type: 'message', roomId: ROOM, id: 'lost', state: 'lost', newcomers: ['Inès'] },
      { type: 'message', roomId: ROOM, id: 'waits', state: 'waiting', newcomers: ['Inès'] },
    ]);
  });

  test.each([
    ['relayed', { messageId: 'x again' }],
    ['lost', { code: 'MESSAGE_LOST', params: { message: 'x again' } }],
  ] as const)('are sent again as another line, which ends as %s', async (state, end) => {
    const { run, put } = await over([line('x', 1, 'lost')]);
    const ended = run('send-again', { room: ROOM, message: 'x' }).catch(
      (error: unknown) => (error as { failure: unknown }).failure,
    );
    let settled = false;
    void ended.then(() => (settled = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    put(line('x again', 10, state));
    expect(await ended).toEqual(end);
  });
});
