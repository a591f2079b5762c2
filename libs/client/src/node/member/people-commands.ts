/** Commands of invites, joins and members. */
import type { JoinView } from '../../contract/api.js';
import { Refused, value, type Agent } from './agent.js';
import { memberOf, place, ROOM, roomOf, text, WAIT, waits, type Command, type Context } from './command.js';
import { UsageError, type Given } from './parameters.js';

const HOUR_MS = 3_600_000;
const INVITE_HOURS = 8;
const MEMBER = place('member', 'member id or fingerprint');
const INVITE = place('invite', 'invite id');

const joinOf = (agent: Agent, roomId: string): JoinView | undefined =>
  agent.app?.joins.find((join) => join.roomId === roomId);

/** Prints the steps as they are done. Rejects with the join's failure. */
async function admitted(context: Context, roomId: string): Promise<void> {
  const { agent, print } = context;
  const told = new Set<string>();
  await agent.until(() => {
    const join = joinOf(agent, roomId);
    for (const { step, time } of join?.done ?? []) {
      if (!told.has(step)) print({ type: 'step', roomId, step, time });
      told.add(step);
    }
    if (join !== undefined && join.failure !== null) throw new Refused(join.failure);
    return agent.app?.rooms.some((room) => room.roomId === roomId && room.stage !== 'joining') === true
      ? true
      : null;
  }, true);
}

/** The link: as it was given, or the first line of the standard input, where no other process sees it. */
async function linkOf(context: Context, given: Given): Promise<string> {
  const link = given.text('link');
  if (link !== null && link !== '-') return link;
  for await (const line of context.input()) if (line.trim() !== '') return line.trim();
  throw new UsageError(
    'link is missing: write it behind the command, or as the first line of the standard input',
  );
}

const decide = (name: string, admit: boolean, help: string): Command => ({
  name,
  help,
  parameters: [INVITE, ROOM, WAIT],
  vault: 'open',
  async run(context, given) {
    const roomId = await roomOf(context, given);
    const inviteId = given.needed('invite');
    value(await context.agent.client.decideJoin(roomId, inviteId, admit));
    if (waits(context, given)) {
      await context.agent.roomIs(roomId, (room) =>
        room.invites.every((invite) => invite.inviteId !== inviteId),
      );
    }
    return null;
  },
});

export const PEOPLE_COMMANDS: readonly Command[] = [
  {
    name: 'invite',
    help: 'makes an invite link for one person (the owner)',
    parameters: [
      ROOM,
      { name: 'hours', kind: 'number', help: 'how long it can be claimed; 24 unless said' },
      WAIT,
    ],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const lifetime = Math.round((given.number('hours') ?? INVITE_HOURS) * HOUR_MS);
      return { ...value(await context.agent.client.createInvite(roomId, lifetime)) };
    },
  },
  {
    name: 'invites',
    help: 'open invites, and the joins that wait for a word, one a line',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const room = await context.agent.watch(roomId);
      for (const invite of room.invites) context.print({ type: 'invite', ...invite });
      for (const approval of room.approvals) context.print({ type: 'approval', ...approval });
      return null;
    },
  },
  {
    name: 'revoke',
    help: 'takes an invite back',
    parameters: [INVITE, ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      value(await context.agent.client.revokeInvite(roomId, given.needed('invite')));
      return null;
    },
  },
  decide('approve', true, 'admits a join that waits for a word'),
  decide('decline', false, 'refuses a join that waits for a word'),
  {
    name: 'join',
    help: 'joins by a link, saying each step, until admitted; the link may come as a line of input',
    parameters: [
      { name: 'link', kind: 'text', positional: true, help: 'the link; - or nothing: a line of input' },
      { name: 'as', kind: 'text', required: true, help: 'display name of this member in the room' },
      WAIT,
    ],
    vault: 'made',
    async run(context, given) {
      const link = await linkOf(context, given);
      const { roomId } = value(await context.agent.client.join(link, given.needed('as')));
      if (waits(context, given)) {
        await admitted(context, roomId);
        await context.agent.live(roomId);
      }
      return { roomId };
    },
  },
  {
    name: 'abandon',
    help: 'gives up a join, or clears away a failed one',
    parameters: [{ ...ROOM, required: true }],
    vault: 'open',
    async run({ agent }, given) {
      value(await agent.client.abandonJoin(given.needed('room')));
      return null;
    },
  },
  {
    name: 'members',
    help: 'the members of the room, one a line',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      for (const member of (await context.agent.watch(roomId)).members) {
        context.print({ type: 'member', ...member });
      }
      return null;
    },
  },
  {
    name: 'rename',
    help: 'gives this member another display name in the room',
    parameters: [ROOM, text('the name'), WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const name = given.needed('text');
      value(await context.agent.client.renameMe(roomId, name));
      if (waits(context, given)) {
        const renamed = (member: { me: boolean; name: string }): boolean =>
          member.me && member.name === name.trim();
        await context.agent.roomIs(roomId, (room) => room.members.some(renamed));
      }
      return null;
    },
  },
  {
    name: 'remove',
    help: 'removes a member, with a fresh key for the others (the owner)',
    parameters: [MEMBER, ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const { memberId } = memberOf(await context.agent.watch(roomId), given.needed('member'));
      value(await context.agent.client.removeMember(roomId, memberId));
      if (waits(context, given)) {
        await context.agent.roomIs(roomId, (room) =>
          room.members.every((member) => member.memberId !== memberId),
        );
      }
      return null;
    },
  },
  {
    name: 'transfer',
    help: 'offers the room to a member, and hands it over once that one accepts (the owner)',
    parameters: [MEMBER, ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      const { memberId } = memberOf(await context.agent.watch(roomId), given.needed('member'));
      value(await context.agent.client.offerOwnership(roomId, memberId));
      if (waits(context, given)) await context.agent.roomIs(roomId, (room) => !room.owner, true);
      return null;
    },
  },
  {
    name: 'withdraw',
    help: 'takes an offer of the room back, or declines one',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      value(await context.agent.client.endOwnershipOffer(await roomOf(context, given)));
      return null;
    },
  },
  {
    name: 'accept',
    help: 'takes the room that its owner offers',
    parameters: [ROOM, WAIT],
    vault: 'open',
    async run(context, given) {
      const roomId = await roomOf(context, given);
      if (waits(context, given))
        await context.agent.roomIs(roomId, (room) => room.ownershipTransfer?.role === 'offered', true);
      value(await context.agent.client.acceptOwnership(roomId));
      if (waits(context, given)) await context.agent.roomIs(roomId, (room) => room.owner);
      return null;
    },
  },
  {
    name: 'safety-number',
    help: 'the number to compare with a member, or with a joiner that waits (its invite id)',
    parameters: [place('member', 'member id, fingerprint or invite id'), ROOM],
    vault: 'open',
    async run({ agent }, given) {
      const roomId = agent.roomId(given.text('room'));
      const said = given.needed('member');
      const room = await agent.watch(roomId);
      const waiting = room.approvals.some(({ inviteId }) => inviteId === said);
      const who = waiting ? said : memberOf(room, said).memberId;
      return { ...value(await agent.client.safetyNumber(roomId, who)) };
    },
  },
  {
    name: 'verify',
    help: 'notes that the safety number with a member was compared; --no-on takes it back',
    parameters: [MEMBER, ROOM, { name: 'on', kind: 'flag', help: 'whether it counts as verified' }],
    vault: 'open',
    async run({ agent }, given) {
      const roomId = agent.roomId(given.text('room'));
      const { memberId } = memberOf(await agent.watch(roomId), given.needed('member'));
      value(await agent.client.setVerified(roomId, memberId, given.flag('on') ?? true));
      return null;
    },
  },
];
