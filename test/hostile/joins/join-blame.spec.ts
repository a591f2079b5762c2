/** A relay, or an owner’s changed room, around an honest join: nobody is blamed for what another did, and nothing is lost (G2, G14). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { codeOf, failureOf, idOf, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Dora’s join, begun while the relay lies; ends once it shows a failure. */
async function failing(owner: Member, roomId: string): Promise<{ dora: Member; code: string | undefined }> {
  const dora = await stage.member('Dora');
  value(await dora.api.join((await owner.invite(roomId)).link, 'Dora'));
  await stage.byItself('a failure', [owner], () => failureOf(dora) !== undefined);
  return { dora, code: failureOf(dora) };
}

async function entersByItself(dora: Member, owner: Member, roomId: string): Promise<void> {
  stage.relay.honest();
  await stage.byItself('the room', [owner], () => stageOf(dora, roomId) === 'member');
  await dora.watch(roomId);
  await stage.goesOn(roomId, [owner, dora], 'after the lie,');
}

test('G2 G14 a log that ends before one’s own admission, which the chain has, is the relay’s contradiction: the owner is not blamed, and the join ends well by itself once the log is served', async () => {
  const { owner, roomId } = await stage.two();
  stage.relay.onReply('open', (client, reply) =>
    client.memberId === idOf(owner) ? undefined : { ...reply, entries: [], live: true },
  );
  const { dora, code } = await failing(owner, roomId);
  expect(code).toBe('RELAY_LIED');
  await entersByItself(dora, owner, roomId);
});

test('G2 G14 a roster chain that ends before the head of the reply blames no owner alone: the join ends well by itself once the chain is served', async () => {
  const { owner, roomId } = await stage.two();
  stage.relay.onReply('chain', (client, reply) =>
    client.memberId === idOf(owner)
      ? undefined
      : { ...reply, entries: reply.entries.slice(0, 1), more: false },
  );
  const { dora, code } = await failing(owner, roomId);
  expect(code).toBe('JOIN_REPLY_MISPLACED');
  await entersByItself(dora, owner, roomId);
});

test('G14 G16 a newcomer who is proven admitted is a member while its log cannot be read: what it writes waits, and the room is not forgotten without a warning', async () => {
  const { owner, roomId } = await stage.two();
  let opens = 0;
  stage.relay.onReply('open', (client) => {
    if (client.memberId === idOf(owner)) return undefined;
    opens += 1;
    return opens === 1 ? undefined : { code: 'TRY_AGAIN' };
  });
  const dora = await stage.member('Dora');
  value(await dora.api.join((await owner.invite(roomId)).link, 'Dora'));
  await stage.byItself('the room', [owner], () => stageOf(dora, roomId) === 'member');
  await dora.watch(roomId);
  value(await dora.api.sendText(roomId, 'written at once'));
  const state = (): string | undefined => dora.messages.find(({ text }) => text === 'written at once')?.state;
  await until('the line', () => state() !== undefined);
  expect([state(), dora.room?.unlisted]).toEqual(['sending', false]);
  expect(codeOf(await dora.api.forgetRoom(roomId))).toBe('STILL_MEMBER');
  stage.relay.honest();
  await stage.arrives([owner], 'written at once');
});

test('G2 whoever was answered already, and finds no place when it confirms, is not told that its link goes on once there is one', async () => {
  const { owner, roomId } = await stage.two();
  stage.relay.onEvent('join', (_, { confirm }) => (confirm === undefined ? undefined : null));
  const dora = await stage.member('Dora');
  const { link, inviteId } = await owner.invite(roomId);
  value(await dora.api.join(link, 'Dora'));
  await stage.byItself('the confirmation', [owner], () =>
    stage.relay.requests('joinConfirm').some(({ body }) => body.inviteId === inviteId),
  );
  value(await owner.api.changeSettings(roomId, { maxMembers: 2 }));
  await stage.byItself('the settings', [owner], () => owner.room?.settings.maxMembers === 2);
  stage.relay.honest();
  await owner.leave();
  await owner.comeBack();
  await stage.byItself('her to be told', [dora], () => failureOf(dora) !== undefined);
  expect(failureOf(dora)).toBe('JOIN_DROPPED');
  await owner.watch(roomId);
  const events = owner.items.flatMap((item) => (item.type === 'system' ? [item.event] : []));
  const refusals: readonly string[] = ['inviteFull', 'inviteRefused', 'joinEnded'];
  expect(events.filter((event) => refusals.includes(event))).toEqual(['joinEnded']);
});
