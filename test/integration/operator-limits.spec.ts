/**
 * An operator changes what the relay allows while rooms are there: rooms are made within it, what was made under
 * another limit stays in its owner's hands, and no command of an owner is lost or stands in the way of the next.
 */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { loadThemis } from '@0fc/crypto/node';
import { ERROR_CODES } from '@0fc/protocol';
import { Stolen } from '../hostile/members/stolen.js';
import { codeOf, namesIn } from '../hostile/stage.js';
import { HeldSocket } from '../support/held-socket.js';
import { Member, value } from '../support/member.js';
import { OperatedRelay } from '../support/operated-relay.js';
import { hurried, openHurried, openOver } from '../support/platform.js';
import { until } from '../support/wait.js';

// Only ends a run that hangs: two cores may be busy with other tests.
let relay: OperatedRelay;
const members: Member[] = [];
beforeAll(() => loadThemis());
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.remove()));
  await relay.remove();
});

async function member(name: string, open = openHurried): Promise<Member> {
  const made = await Member.create(name, relay.url, open);
  members.push(made);
  return made;
}

async function two(open = openHurried): Promise<{ owner: Member; guest: Member; roomId: string }> {
  const owner = await member('Amina', open);
  const roomId = await owner.createRoom('Rive droite', 100);
  const guest = await member('Tomás');
  value(await guest.api.join((await owner.invite(roomId)).link, 'Tomás'));
  await guest.admitted(roomId);
  await until(
    'both to be named',
    () => namesIn(owner).every((name) => name !== '') && namesIn(owner).length === 2,
  );
  return { owner, guest, roomId };
}

/** What holds now: the settings show what is to be. */
const everyOf = (who: Member): number | undefined => who.room?.key?.rotateEvery;
const idOf = (who: Member): string => who.room?.me ?? '';
const change = async (who: Member, roomId: string, rotateEvery: number): Promise<string> =>
  codeOf(await who.api.changeSettings(roomId, { rotateEvery, approval: false }));
const settled = async (who: Member, rotateEvery: number): Promise<void> => {
  await until(
    () =>
      `rotation every ${String(rotateEvery)}; ${JSON.stringify(who.room?.stopped)} ${String(who.room?.waiting)}`,
    () => everyOf(who) === rotateEvery,
    20_000,
  );
};

/** The owner is in charge: what waits behind comes through, and nothing stands still. */
async function inCharge(owner: Member, guest: Member, roomId: string): Promise<void> {
  await owner.say(roomId, 'still here');
  await guest.has('still here');
  const rest = namesIn(owner).length - 1;
  value(await owner.api.removeMember(roomId, idOf(guest)));
  await until(
    () => `the removal; ${JSON.stringify(owner.room?.stopped)} ${String(owner.room?.waiting)}`,
    () => namesIn(owner).length === rest && owner.room?.paused === null,
    20_000,
  );
  value(await owner.api.rotateNow(roomId));
  expect(owner.room?.stopped).toBeNull();
}

const event = (who: Member, kind: string) =>
  who.items.filter((item) => item.type === 'system' && item.event === kind);

describe('members', () => {
  test.each(['2', '100'])('a room is made within %s, the most that the relay allows', async (most) => {
    relay = await OperatedRelay.start({ MAX_MEMBERS: most });
    const { owner, guest, roomId } = await two();
    expect(await change(owner, roomId, 40)).toBe('done');
    await settled(owner, 40);
    await owner.leave();
    const { roster } = await Stolen.from(owner, roomId);
    expect(roster.settings.maxMembers).toBe(Number(most));
    await owner.comeBack(roomId);
    await owner.live();
    await inCharge(owner, guest, roomId);
  });

  test('a room made under a larger limit keeps its places, and its owner goes on changing the rest', async () => {
    relay = await OperatedRelay.start();
    const { owner, guest, roomId } = await two();
    await relay.restart({ MAX_MEMBERS: '2' });
    await until('the owner to be back', () => owner.room?.connection === 'connected');
    expect(await change(owner, roomId, 40)).toBe('done');
    await settled(owner, 40);
    const third = await member('Inès');
    value(await third.api.join((await owner.invite(roomId)).link, 'Inès'));
    await third.admitted(roomId);
    await inCharge(owner, guest, roomId);
  });

  test('a room made under a larger limit comes back to a relay that has lost it', async () => {
    relay = await OperatedRelay.start();
    const { owner, guest, roomId } = await two();
    for (const every of [40, 50, 60]) {
      expect(await change(owner, roomId, every)).toBe('done');
      await settled(owner, every);
    }
    await relay.loseStore({ MAX_MEMBERS: '2', SETTINGS_ENTRIES: '1' });
    await until('the loss to be told', () => owner.room?.stopped?.code === ERROR_CODES.ROOM_UNKNOWN);
    value(await owner.api.restoreRoom(roomId));
    await until(
      () => `the room to be back; ${JSON.stringify(owner.room?.stopped)}`,
      () => owner.room?.connection === 'connected' && !owner.room.catchingUp && owner.room.stopped === null,
    );
    await until(
      'the guest to follow',
      () => guest.room?.connection === 'connected' && !guest.room.catchingUp,
    );
    await inCharge(owner, guest, roomId);
  });
});

describe('changes of the settings', () => {
  test('one that was signed, and that the relay takes no more of by now, is carried out; what waits behind it too', async () => {
    relay = await OperatedRelay.start();
    const socket = new HeldSocket();
    const open = openOver((platform) => hurried(5)(socket.over(platform)));
    const { owner, guest, roomId } = await two(open);
    expect(await change(owner, roomId, 40)).toBe('done');
    await settled(owner, 40);
    socket.held = true;
    expect(await change(owner, roomId, 50)).toBe('done');
    await until('the signed change to be sent', () => socket.swallowed.some((bytes) => bytes > 300));
    await owner.leave();
    expect((await Stolen.from(owner, roomId)).core.pending?.entry).not.toBeNull();
    await relay.restart({ SETTINGS_ENTRIES: '1', MAX_MEMBERS: '2' });
    socket.held = false;
    await owner.comeBack(roomId);
    await settled(owner, 50);
    expect(await change(owner, roomId, 60)).toBe(ERROR_CODES.SETTINGS_LIMIT);
    await inCharge(owner, guest, roomId);
  });

  test('one that was wished for without a link, and that the relay takes no more of, is shown as refused', async () => {
    relay = await OperatedRelay.start();
    const { owner, guest, roomId } = await two();
    expect(await change(owner, roomId, 40)).toBe('done');
    await settled(owner, 40);
    await relay.stop();
    await until('the link to fall', () => owner.room?.connection !== 'connected');
    expect(await change(owner, roomId, 50)).toBe('done');
    await relay.restart({ SETTINGS_ENTRIES: '1' });
    await until('the refusal to be shown', () => event(owner, 'settingsRefused').length === 1);
    expect(event(owner, 'settingsRefused')).toMatchObject([{ params: { max: 1 } }]);
    expect(everyOf(owner)).toBe(40);
    await inCharge(owner, guest, roomId);
    await owner.leave();
    expect((await Stolen.from(owner, roomId)).core.tasks.settings).toBeNull();
    await owner.comeBack(roomId);
    await owner.live();
    expect(event(owner, 'settingsRefused')).toHaveLength(1);
  });
});

describe('invites', () => {
  test('one more than the relay allows is refused before anything is made of it, and has its place once another ends', async () => {
    relay = await OperatedRelay.start({ MAX_INVITES_OPEN: '2' });
    const owner = await member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100);
    const first = await owner.invite(roomId);
    const refused = async (): Promise<string> => codeOf(await owner.api.createInvite(roomId, 3_600_000));
    await relay.stop();
    await until('the link to fall', () => owner.room?.connection !== 'connected');
    // Stored to be told, and beyond what the relay allows by then.
    const second = await owner.invite(roomId);
    expect(await refused()).toBe(ERROR_CODES.INVITE_LIMIT);
    await relay.restart({ MAX_INVITES_OPEN: '1' });
    await owner.live();
    expect(await refused()).toBe(ERROR_CODES.INVITE_LIMIT);
    expect(owner.room?.invites).toHaveLength(2);
    value(await owner.api.revokeInvite(roomId, first.inviteId));
    const guest = await member('Tomás');
    value(await guest.api.join(second.link, 'Tomás'));
    await guest.admitted(roomId);
    await inCharge(owner, guest, roomId);
  });
});
