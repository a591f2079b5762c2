/** Many commands at once over rooms of which one can be looked at: what is watched stays watched, and each command ends. */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import type { ClientEvent, Outcome, RoomView, TimelineItem } from '../../contract/api.js';
import { until } from '../../../../../test/support/wait.js';
import type { NodeClient } from '../client.js';
import { Agent, type Line } from './agent.js';
import { shell } from './shell.js';

const LEFT = 'left';
const RIGHT = 'right';

/** A client of two rooms that shows one at a time, as the real one; `slow`: a room that is drawn when the test says so. */
class TwoRooms {
  watched: string | null = null;
  slow: string | null = null;
  /** sent and not yet in the log */
  state: 'sending' | 'relayed' = 'sending';
  #lines = 0;
  #tell: (event: ClientEvent) => void = () => undefined;
  readonly #items = new Map<string, TimelineItem[]>([LEFT, RIGHT].map((roomId) => [roomId, []]));

  subscribe(listener: (event: ClientEvent) => void): Promise<void> {
    this.#tell = listener;
    return Promise.resolve();
  }

  watchRoom(roomId: string): Promise<Outcome<void>> {
    if (!this.#items.has(roomId)) return Promise.resolve({ ok: false, error: { code: 'ROOM_UNKNOWN' } });
    this.watched = roomId;
    if (this.slow !== roomId) this.draw();
    return Promise.resolve({ ok: true, value: undefined });
  }

  draw(): void {
    const roomId = this.watched ?? '';
    this.tellRoom();
    this.#tell({ type: 'timeline', roomId, reset: true, items: this.#items.get(roomId) ?? [], removed: [] });
  }

  tellRoom(more: Partial<RoomView> = {}): void {
    const still = { stage: 'member', connection: 'connected', held: [], stopped: null, catchingUp: false };
    const room = {
      roomId: this.watched,
      members: [],
      owner: true,
      ownershipTransfer: null,
      ...still,
      ...more,
    };
    this.#tell({ type: 'room', room: room as unknown as RoomView });
  }

  /** A line of a room, told where that is watched. */
  line(roomId: string, id: string): string {
    const item = { type: 'message', id, order: ++this.#lines, state: this.state } as unknown as TimelineItem;
    this.#items.set(roomId, [...(this.#items.get(roomId) ?? []).filter((one) => one.id !== id), item]);
    if (this.watched === roomId)
      this.#tell({ type: 'timeline', roomId, reset: false, items: [item], removed: [] });
    return id;
  }

  sendText(roomId: string, text: string): Promise<Outcome<{ readonly id: string }>> {
    return Promise.resolve({ ok: true, value: { id: this.line(roomId, text) } });
  }
}

let input: PassThrough;
let ended: Promise<void> = Promise.resolve();
afterEach(async () => {
  jest.useRealTimers();
  input.end();
  await ended;
});

/** A shell over the rooms: `ask` writes a line, `said` is all of its output. */
async function open(rooms: TwoRooms) {
  const said: Line[] = [];
  const agent = await Agent.over(rooms as unknown as NodeClient, null, (event, lines) => {
    if (event.type === 'timeline') for (const { id } of lines?.items ?? []) said.push({ type: 'line', room: event.roomId, id }); // prettier-ignore
  });
  input = new PassThrough();
  ended = shell(agent, {
    lines: createInterface({ input }),
    print: (line) => said.push(line),
    secret: () => Promise.reject(new Error('not asked for')),
  });
  const ask = (id: number, command: string, more: object = {}): void => {
    input.write(`${JSON.stringify({ id, command, ...more })}\n`);
  };
  const answer = (id: number): Line | undefined =>
    said.find((line) => line.id === id && line.type !== 'line');
  const ends = (id: number): Promise<unknown> =>
    until(`an answer to ${String(id)}`, () => answer(id) !== undefined);
  return { said, ask, answer, ends };
}

describe('a room that is watched', () => {
  test.each([
    ['a watch of a room that there is not', 'watch', { room: 'nowhere' }],
    ['a command about a room that there is not', 'members', { room: 'nowhere' }],
    ['a command that there is not', 'dance', {}],
    ['a command about another room', 'members', { room: RIGHT }],
  ])('is come to although %s comes meanwhile, and goes on being told', async (_what, command, more) => {
    const rooms = new TwoRooms();
    rooms.slow = LEFT;
    const { said, ask, answer, ends } = await open(rooms);
    ask(1, 'watch', { room: LEFT });
    ask(2, command, more);
    await until('the room to be looked at', () => rooms.watched === LEFT);
    rooms.slow = null;
    rooms.draw();
    await Promise.all([ends(1), ends(2)]);
    expect(answer(1)).toMatchObject({ type: 'result', room: { roomId: LEFT } });
    await until('the room to be watched again', () => rooms.watched === LEFT);
    rooms.line(LEFT, 'after that');
    expect(said).toContainEqual({ type: 'line', room: LEFT, id: 'after that' });
    // It is what commands without a room are about.
    ask(3, 'send', { text: 'here' });
    await ends(3);
    expect(said).toContainEqual({ type: 'line', room: LEFT, id: 'here' });
  });

  test('is told anew after a command that waited in another room, of which nothing is told', async () => {
    const rooms = new TwoRooms();
    const { said, ask, answer, ends } = await open(rooms);
    ask(1, 'watch', { room: LEFT });
    await ends(1);
    ask(2, 'send', { room: RIGHT, text: 'to the right', wait: true });
    await until('the line to be on its way', () => rooms.watched === RIGHT);
    rooms.line(LEFT, 'meanwhile');
    // Behind it, and in a room that nobody can look at yet.
    ask(3, 'members', { room: LEFT });
    rooms.state = 'relayed';
    rooms.line(RIGHT, 'to the right');
    await Promise.all([ends(2), ends(3)]);
    expect(answer(2)).toMatchObject({ type: 'result', messageId: 'to the right' });
    expect(answer(3)).toMatchObject({ type: 'result' });
    await until('the line of the watched room', () => said.some(({ id }) => id === 'meanwhile'));
    expect(said.filter(({ room }) => room === RIGHT)).toEqual([]);
  });

  test('is another one after a later watch, whether or not the earlier has ended', async () => {
    const rooms = new TwoRooms();
    const { said, ask, ends } = await open(rooms);
    ask(1, 'watch', { room: LEFT });
    ask(2, 'watch', { room: RIGHT });
    await Promise.all([ends(1), ends(2)]);
    await until('the later one', () => rooms.watched === RIGHT);
    rooms.line(RIGHT, 'there');
    expect(said).toContainEqual({ type: 'line', room: RIGHT, id: 'there' });
  });

  test('is kept from nobody for ever: what waits for people in another room ends in a minute', async () => {
    const rooms = new TwoRooms();
    const { ask, answer, ends } = await open(rooms);
    ask(1, 'watch', { room: LEFT });
    await ends(1);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    ask(2, 'accept', { room: RIGHT, wait: true });
    while (rooms.watched !== RIGHT) await new Promise((resolve) => setImmediate(resolve));
    for (let n = 0; n < 100 && answer(2) === undefined; n++) {
      await jest.advanceTimersByTimeAsync(1_000);
    }
    jest.useRealTimers();
    expect(answer(2)).toMatchObject({ type: 'error', code: 'TIMED_OUT', params: { seconds: 60 } });
    await until('the watched room', () => rooms.watched === LEFT);
  });
});
