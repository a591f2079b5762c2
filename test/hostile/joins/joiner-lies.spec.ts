/** A joiner, somebody who has only a link: what it can cause at the owner's client, and what it learns (G2). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { InviteId, RoomId } from '@0fc/protocol';
import { signBody } from '@0fc/crypto/keys';
import { Peer, Refused } from '../../integration/relay-peer.js';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { vaultSize } from '../../support/vault-size.js';
import { codeOf, epochOf, failureOf, idOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const lines = (who: Member, event: string) =>
  who.items.flatMap((item) => (item.type === 'system' && item.event === event ? [item.params] : []));

/** A room of the owner alone that has so many places. */
async function roomOf(places: number, approval = false): Promise<{ owner: Member; roomId: string }> {
  const owner = await stage.member('Amina');
  const roomId = await owner.createRoom('Rive droite', 100, approval);
  await stage.level([owner]);
  const { peer, stolen } = await stage.byHand(owner, roomId);
  const { core, roster, identity } = stolen;
  const entry = signBody(identity, 'settings', {
    roomId: core.roomId,
    epoch: core.epoch,
    head: roster.head,
    owner: core.me,
    settings: { ...roster.settings, maxMembers: places },
  });
  await peer.request('roster', { entry });
  peer.leave();
  await owner.comeBack(roomId);
  await stage.byItself('the new settings', [owner], () => lines(owner, 'settings').length > 0);
  await owner.live();
  return { owner, roomId };
}

/** Claims an invite and asks with a proof of nothing; what the claim was refused with, null once it was dropped. */
async function falseJoin(roomId: string, inviteId: string, n: number): Promise<string | null> {
  const peer = await Peer.connect(stage.relay);
  try {
    const ids = { roomId: roomId as RoomId, inviteId: inviteId as InviteId };
    await peer.request('claim', ids);
    await peer.request('joinRequest', { inviteId: ids.inviteId, request: new Uint8Array(600).fill(n) });
    await until('the drop', () => peer.told('joinState').some(({ stage: at }) => at === 'dropped'));
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  } finally {
    peer.leave();
  }
}

describe('a room that is full', () => {
  test('G2 gives no key to whoever comes with a link, says why on both sides, and admits with the same link later', async () => {
    const { owner, roomId } = await roomOf(2);
    const links = [await owner.invite(roomId), await owner.invite(roomId)];
    const tomas = await stage.member('Tomás');
    value(await tomas.api.join(links[0]!.link, 'Tomás'));
    await tomas.admitted(roomId);
    const replies = stage.relay.requests('joinReply').length;
    const dora = await stage.member('Dora');
    value(await dora.api.join(links[1]!.link, 'Dora'));
    await stage.byItself('the joiner to be told', [owner], () => failureOf(dora) === 'ROOM_FULL');
    await stage.byItself('the owner to see it', [owner], () => lines(owner, 'inviteFull').length > 0);
    expect(stage.relay.requests('joinReply').length).toBe(replies);
    expect(epochOf(owner)).toBe(1);
    await stage.byItself('the invite to hold', [owner], () =>
      owner.room?.invites.some(({ state }) => state === 'open'),
    );
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    await stage.byItself('the place to be free', [owner], () => namesIn(owner).length === 1);
    value(await dora.api.join(links[1]!.link, 'Dora'));
    await stage.byItself('her to come in', [owner], () => stageOf(dora, roomId) === 'member');
    await dora.watch(roomId);
    await stage.goesOn(roomId, [owner, dora], 'with her,');
    // However often she came: one line.
    expect(lines(owner, 'inviteFull')).toHaveLength(1);
  });

  test('G2 counts who was answered and has not confirmed: of two at one place one gets a key', async () => {
    const { owner, roomId } = await roomOf(2);
    const links = [await owner.invite(roomId), await owner.invite(roomId)];
    stage.relay.onRequest('joinConfirm', () => 'drop');
    const [tomas, dora] = [await stage.member('Tomás'), await stage.member('Dora')];
    value(await tomas.api.join(links[0]!.link, 'Tomás'));
    await stage.byItself('him to confirm', [owner], () => stage.relay.requests('joinConfirm').length > 0);
    value(await dora.api.join(links[1]!.link, 'Dora'));
    await stage.byItself('her to be told', [owner], () => failureOf(dora) === 'ROOM_FULL');
    const given = stage.relay.requests('joinReply', idOf(owner)).map(({ body }) => body.inviteId);
    expect(given).not.toContain(links[1]!.inviteId);
  });

  test('G2 asks its owner about nobody', async () => {
    const { owner, roomId } = await roomOf(2, true);
    const tomas = await stage.member('Tomás');
    value(await tomas.api.join((await owner.invite(roomId)).link, 'Tomás'));
    const { inviteId } = await until('the question', () => owner.room?.approvals[0]);
    value(await owner.api.decideJoin(roomId, inviteId, true));
    await tomas.admitted(roomId);
    const dora = await stage.member('Dora');
    value(await dora.api.join((await owner.invite(roomId)).link, 'Dora'));
    await stage.byItself('her to be told', [owner], () => failureOf(dora) === 'ROOM_FULL');
    await stage.byItself('no question to stand', [owner], () => owner.room?.approvals.length === 0);
    expect(stage.relay.requests('joinReply', idOf(owner))).toHaveLength(1);
  });
});

describe('somebody who was in the room before', () => {
  test.each(['removed', 'left'] as const)(
    'G10 G11 and was %s comes in again by a new link, as somebody new, and keeps the log of before',
    async (how) => {
      const { owner, tomas, roomId } = await stage.two();
      await stage.goesOn(roomId, [owner, tomas], 'before,');
      const before = idOf(tomas);
      value(
        how === 'removed' ? await owner.api.removeMember(roomId, before) : await tomas.api.leaveRoom(roomId),
      );
      await stage.byItself('the end', [owner], () => stageOf(tomas, roomId) === how);
      await stage.byItself('the owner to see it', [owner], () => namesIn(owner).length === 1);
      const again = value(await tomas.api.join((await owner.invite(roomId)).link, 'Tomás')).roomId;
      expect(again).not.toBe(roomId);
      await tomas.admitted(again);
      await stage.byItself('the owner to see him', [owner], () => namesIn(owner).length === 2);
      expect(idOf(tomas)).not.toBe(before);
      await owner.say(roomId, 'after it');
      await tomas.say(again, 'here again');
      await owner.has('after it', 'here again');
      await tomas.has('after it', 'here again');
      expect(tomas.texts).not.toContain('before, Amina');
      // Both stand beside each other, and after a restart too.
      await tomas.leave();
      await tomas.comeBack(roomId);
      await stage.byItself('the old log', [owner], () => tomas.texts.includes('before, Amina'));
      expect(tomas.texts).not.toContain('after it');
      expect(stageOf(tomas, roomId)).toBe(how);
      await tomas.watch(again);
      await stage.byItself('the new log', [owner], () => tomas.texts.includes('after it'));
      await tomas.live();
      // Forgetting the old one leaves the new one alone.
      value(await tomas.api.forgetRoom(roomId));
      await tomas.say(again, 'still here');
      await owner.has('still here');
      expect(stageOf(tomas, roomId)).toBeUndefined();
    },
  );

  test('of a room that is closed, or where one is a member, is told so', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    expect(codeOf(await tomas.api.join(link, 'Tomás'))).toBe('ALREADY_MEMBER');
    value(await owner.api.closeRoom(roomId));
    await stage.byItself('the end', [owner], () => stageOf(tomas, roomId) === 'closed');
    expect(codeOf(await tomas.api.join(link, 'Tomás'))).toBe('ROOM_CLOSED');
  });
});

describe('joins that do not prove the token', () => {
  test('G2 write one line for an invite, with their number, and the fifth ends it', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { link, inviteId } = await owner.invite(roomId);
    const before = vaultSize(owner).records;
    let tries = 0;
    for (; tries < 40; tries++) {
      const refusal = await falseJoin(roomId, inviteId, tries);
      if (refusal !== null) break;
    }
    expect(tries).toBe(5);
    await stage.byItself('the end of the invite', [owner], () => lines(owner, 'inviteBurnt').length === 1);
    expect(lines(owner, 'inviteBurnt')).toMatchObject([{ tries: 5 }]);
    expect(lines(owner, 'inviteRefused')).toEqual([]);
    expect(owner.room?.invites).toEqual([]);
    expect(vaultSize(owner).records - before).toBeLessThanOrEqual(1);
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await until('her to be told', () => failureOf(dora) === 'INVITE_USED');
    await stage.goesOn(roomId, [owner, tomas], 'after it all,');
  });
});
