/** Joins that were answered and are not confirmed in time: G2. The owner's clock is moved, nothing waits. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventBody, RequestBody } from '@0fc/protocol';
import { makeJoinRequest, parseInvite } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom, systemClock } from '@0fc/crypto/node';
import { value } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { moveClock } from '../members/clocked.js';
import { epochOf, failureOf, idOf, namesIn, Stage } from '../stage.js';

const crypto = { hash: nodeHash, random: nodeRandom, clock: systemClock };
const DAY_MS = 86_400_000;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('a join that was answered', () => {
  test('G2 and is confirmed after its deadline admits nobody, whoever brings the confirmation, and whenever', async () => {
    const { owner, tomas, roomId } = await stage.two();
    let confirm: RequestBody<'joinConfirm'> | null = null;
    stage.relay.onRequest('joinConfirm', (_, body) => {
      confirm = body;
      return 'drop';
    });
    const { link, inviteId } = await owner.invite(roomId);
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    const late = await until('the confirmation', () => confirm);
    const { memberId, body } = stage.relay.requests('joinRequest').at(-1)!;
    const joinerKey = [...stage.relay.clients].find((client) => client.memberId === memberId)!.key;
    const held: EventBody<'join'> = {
      inviteId: late.inviteId,
      joinerKey,
      request: body.request,
      replied: 1,
      confirm: { epoch: late.epoch, payload: late.payload },
      confirmedAt: Date.now(),
    };
    // One day and a minute later, with a new client over the same vault.
    await owner.leave();
    moveClock(owner, DAY_MS + 60_000);
    const entries = stage.relay.requests('roster').length;
    await owner.comeBack(roomId);
    await until('the join to be dropped', () =>
      stage.relay.requests('joinDrop').some((drop) => drop.body.inviteId === inviteId),
    );
    expect(stage.relay.requests('joinDrop').at(-1)?.body.reason).toBe('expired');
    await until('a key that the late joiner does not have', () =>
      [owner, tomas].every((who) => epochOf(who) === 2),
    );
    stage.relay.tell(idOf(owner), 'join', held);
    // Another restart: what was dropped is known to be.
    await owner.leave();
    await owner.comeBack(roomId);
    await owner.live();
    stage.relay.tell(idOf(owner), 'join', held);
    await owner.say(roomId, 'nobody else?');
    await tomas.has('nobody else?');
    expect([owner, tomas].map(namesIn)).toEqual(Array(2).fill(['Amina', 'Tomás']));
    expect(stage.relay.requests('roster')).toHaveLength(entries);
    stage.relay.honest();
    stage.relay.cut(memberId);
    await until('the joiner to be told', () => failureOf(dora) === 'JOIN_DROPPED');
    expect(dora.app?.rooms).toEqual([]);
  });

  test('G2 gives a second claimant nothing after it was dropped, with the relay’s help', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const confirms = stage.relay.requests('joinConfirm').length;
    stage.relay.onRequest('joinConfirm', () => 'drop');
    const { link, inviteId } = await owner.invite(roomId);
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await until('the reply', () => stage.relay.requests('joinConfirm').length > confirms);
    await owner.leave();
    moveClock(owner, DAY_MS + 60_000);
    await owner.comeBack(roomId);
    await until('a new key', () => [owner, tomas].every((who) => epochOf(who) === 2));
    stage.relay.honest();
    const replies = stage.relay.requests('joinReply').length;
    const second = await stage.member('Second');
    await second.api.join(link, 'Second');
    await until('the second one to be refused', () => /^(INVITE_|JOIN_)/.test(failureOf(second) ?? ''));
    // A relay that brings its request all the same, token and all.
    const made = await makeJoinRequest(crypto, { link: await parseInvite(nodeHash, link), name: 'Second' });
    stage.relay.tell(idOf(owner), 'join', {
      inviteId: inviteId as never,
      joinerKey: made.identity.publicKey,
      request: made.payload,
      replied: 0,
    });
    await owner.say(roomId, 'no, nobody');
    await tomas.has('no, nobody');
    expect(stage.relay.requests('joinReply')).toHaveLength(replies);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
  });

  test('G2 and was confirmed in time waits for its owner, however long that stays away', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    const confirms = stage.relay.requests('joinConfirm').length;
    // The owner hears nothing of the confirmation before it leaves.
    stage.relay.onEvent('join', (_, body) => (body.confirm === undefined ? undefined : null));
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await until('the confirmation', () => stage.relay.requests('joinConfirm').length > confirms);
    await owner.leave();
    stage.relay.honest();
    moveClock(owner, 3 * DAY_MS);
    await owner.comeBack(roomId);
    await dora.admitted(roomId);
    await stage.settled([owner, tomas, dora], 3);
    expect(stage.relay.requests('joinDrop')).toEqual([]);
    expect(epochOf(owner)).toBe(1);
  });

  test('G2 and was confirmed too late by the relay’s own clock is dropped, and the key is made anew', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const { link } = await owner.invite(roomId);
    const dropped = stage.relay.requests('joinDrop').length;
    stage.relay.onEvent('join', (_, body) =>
      body.confirm === undefined ? undefined : { ...body, confirmedAt: Date.now() + DAY_MS + 60_000 },
    );
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await until('a key without her', () => [owner, tomas].every((who) => epochOf(who) === 2));
    await until('her to be told', () => failureOf(dora) === 'JOIN_DROPPED');
    expect(stage.relay.requests('joinDrop').slice(dropped)).toMatchObject([{ body: { reason: 'expired' } }]);
    expect(namesIn(owner)).toEqual(['Amina', 'Tomás']);
  });
});
