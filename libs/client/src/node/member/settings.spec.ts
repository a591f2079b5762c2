/** The command that changes a room's settings: what it names, and when it ends. */
import { expect, test } from '@jest/globals';
import type { ClientEvent, RoomSettingsView, RoomView } from '../../contract/api.js';
import { until } from '../../../../../test/support/wait.js';
import type { NodeClient } from '../client.js';
import { Agent } from './agent.js';
import { commandNamed } from './command-table.js';
import { Given } from './parameters.js';

const ROOM = 'room';
const SETTINGS = { rotateEvery: 100, approval: false, history: 9, maxMembers: 9, joinDeadline: 60_000 };

test('names what is to change, and nothing that may be waiting; it ends once the log says so', async () => {
  let tell: (event: ClientEvent) => void = () => undefined;
  const asked: Partial<RoomSettingsView>[] = [];
  const push = (settings: RoomSettingsView, settingsWished: RoomSettingsView | null): void => {
    const room = { roomId: ROOM, stage: 'member', connection: 'connected', held: [], stopped: null };
    tell({
      type: 'room',
      room: { ...room, settings, settingsWished, catchingUp: false } as unknown as RoomView,
    });
  };
  const client = {
    subscribe: (listener: typeof tell) => {
      tell = listener;
      return Promise.resolve();
    },
    watchRoom: () => {
      push(SETTINGS, null);
      tell({ type: 'timeline', roomId: ROOM, reset: true, items: [], removed: [] });
      return Promise.resolve({ ok: true, value: undefined });
    },
    changeSettings: (_room: string, settings: Partial<RoomSettingsView>) => {
      asked.push(settings);
      push(SETTINGS, { ...SETTINGS, ...settings });
      return Promise.resolve({ ok: true, value: undefined });
    },
  };
  const agent = await Agent.over(client as unknown as NodeClient, null, () => undefined);
  const nothing = (): never => {
    throw new Error('not asked for');
  };
  const context = { agent, waits: true, print: nothing, secret: nothing, input: nothing, stream: nothing };
  const { parameters, run } = commandNamed('settings');
  const given = Given.check(parameters, new Map<string, unknown>([['room', ROOM], ['history', 5], ['approval', false]])); // prettier-ignore
  let ended = false;
  const result = run(context, given).finally(() => {
    ended = true;
  });
  await until('the change to be asked for', () => asked.length === 1);
  expect(asked).toEqual([{ history: 5, approval: false }]);
  expect(ended).toBe(false);
  push({ ...SETTINGS, history: 5 }, null);
  expect(await result).toEqual({ settings: { ...SETTINGS, history: 5 } });
});
