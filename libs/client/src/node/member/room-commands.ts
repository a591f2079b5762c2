/** Commands of a room as a whole. */
import type { RoomSettingsView } from '../../contract/api.js';
import { value } from './agent.js';
import { place, ROOM, roomOf, text, WAIT, waits, type Command, type Context } from './command.js';
import type { Given, Parameter } from './parameters.js';

const ROTATE_EVERY = 100;
const rotateEvery: Parameter = {
  name: 'rotateEvery',
  kind: 'number',
  help: 'messages until the next room key; 100 unless said',
};
const approval: Parameter = {
  name: 'approval',
  kind: 'flag',
  help: 'whether the owner is asked about each join',
};

const history: Parameter = {
  name: 'history',
  kind: 'number',
  help: 'entries that the relay keeps for absent members',
};
const maxMembers: Parameter = {
  name: 'maxMembers',
  kind: 'number',
  help: 'members that the room may have; who is in stays',
};
const joinDeadline: Parameter = {
  name: 'joinDeadline',
  kind: 'number',
  help: 'milliseconds that an answered joiner has to confirm',
};
const UNCONFIRMED: Parameter = {
  name: 'unconfirmed',
  kind: 'flag',
  help: 'also a room that was asked to be left: the others may go on seeing a member, and their keys stay as they are',
};

async function stageIs(context: Context, given: Given, roomId: string, stage: string): Promise<void> {
  if (!waits(context, given)) return;
  await context.agent.roomIs(roomId, (room) => room.stage === stage);
}

export const ROOM_COMMANDS: readonly Command[] = [
  {
    name: 'create',
    help: 'makes a room; this member owns it',
    parameters: [
      place('name', 'name of the room'),
      { name: 'as', kind: 'text', required: true, help: 'display name of this member in it' },
      rotateEvery,
      approval,
      WAIT,
    ],
    vault: 'made',
    async run(context, given) {
      const { roomId } = value(
        await context.agent.client.createRoom({
          name: given.needed('name'),
          displayName: given.needed('as'),
          rotateEvery: given.number('rotateEvery') ?? ROTATE_EVERY,
          approval: given.flag('approval') ?? false,
        }),
      );
      if (waits(context, given)) await context.agent.live(roomId);
      return { roomId };
    },
  },
  {
    name: 'rooms',
    help: 'the rooms of this vault, one a line',
    parameters: [],
    vault: 'open',
    async run({ agent, print }) {
      for (const room of agent.app?.rooms ?? []) print({ type: 'summary', ...room });
      for (const join of agent.app?.joins ?? []) print({ type: 'join', ...join });
      return null;
    },
  },
  {
    name: 'watch',
    help: 'shell: the room whose changes are told from now on, and that commands without a room are about',
    parameters: [ROOM],
    vault: 'open',
    async run({ agent }, given) {
      const roomId = agent.roomId(given.text('room'));
      return { room: await agent.choose(roomId) };
    },
  },
  {
    name: 'settings',
    help: 'says or changes what the owner may change',
    parameters: [ROOM, rotateEvery, approval, history, maxMembers, joinDeadline, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const room = await context.agent.watch(roomId);
      const settings = room.settingsWished ?? room.settings;
      const named = {
        rotateEvery: given.number('rotateEvery'),
        approval: given.flag('approval'),
        history: given.number('history'),
        maxMembers: given.number('maxMembers'),
        joinDeadline: given.number('joinDeadline'),
      };
      // Only what is named: the rest may be waiting to be changed.
      const changes = Object.fromEntries(
        Object.entries(named).filter(([, wish]) => wish !== null),
      ) as Partial<RoomSettingsView>;
      if (Object.keys(changes).length === 0) return { settings };
      value(await context.agent.client.changeSettings(roomId, changes));
      if (waits(context, given))
        await context.agent.roomIs(roomId, ({ settingsWished }) => settingsWished === null);
      return { settings: { ...settings, ...changes } };
    },
  },
  {
    name: 'rename-room',
    help: 'gives the room another name (its owner)',
    parameters: [ROOM, text('the name'), WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const name = given.needed('text');
      value(await context.agent.client.renameRoom(roomId, name));
      if (waits(context, given)) await context.agent.roomIs(roomId, (room) => room.name === name.trim());
      return null;
    },
  },
  {
    name: 'rotate',
    help: 'makes a fresh room key now (the owner)',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      value(await context.agent.client.rotateNow(roomId));
      return null;
    },
  },
  {
    name: 'leave',
    help: 'leaves the room; what is here stays readable',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      value(await context.agent.client.leaveRoom(roomId));
      await stageIs(context, given, roomId, 'left');
      return null;
    },
  },
  {
    name: 'close',
    help: 'closes the room for everybody, for ever (its owner)',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      value(await context.agent.client.closeRoom(roomId));
      await stageIs(context, given, roomId, 'closed');
      return null;
    },
  },
  {
    name: 'forget',
    help: 'deletes a room that has ended from this vault',
    parameters: [ROOM, UNCONFIRMED],
    vault: 'open',
    async run({ agent }, given) {
      value(
        await agent.client.forgetRoom(agent.roomId(given.text('room')), given.flag('unconfirmed') ?? false),
      );
      return null;
    },
  },
  {
    name: 'resume',
    help: 'starts the link of a stopped room again',
    parameters: [ROOM],
    vault: 'open',
    async run({ agent }, given) {
      value(await agent.client.resumeRoom(agent.roomId(given.text('room'))));
      return null;
    },
  },
  {
    name: 'restore',
    help: 'brings a room that the relay has lost back from this vault',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = context.agent.roomId(given.text('room'));
      value(await context.agent.client.restoreRoom(roomId));
      if (waits(context, given)) await context.agent.live(roomId);
      return null;
    },
  },
];
