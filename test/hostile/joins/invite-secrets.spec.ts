/** What a vault holds of an invite's secrets, and until when: with a recording they open a join (G2, W7). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPair } from '@0fc/crypto/keys';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { altered } from '../members/forwarder.js';
import { joinOf, Stolen } from '../members/stolen.js';
import { held, secretsOf, type Secrets } from '../members/vault-search.js';
import { failureOf, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** A new invite, with what the owner's vault holds of it: the search finds it, or it would find nothing later. */
async function invited(
  owner: Member,
  roomId: string,
): Promise<{ readonly link: string; readonly inviteId: string; readonly secrets: Secrets }> {
  const { link, inviteId } = await owner.invite(roomId);
  const { invites } = await Stolen.from(owner, roomId);
  const secrets = secretsOf(invites.find((one) => one.inviteId === inviteId)!);
  expect(await held(owner, secrets)).toEqual(['private key', 'token']);
  return { link, inviteId, secrets };
}

describe('the secrets of an invite, in every record of its owner’s vault', () => {
  test('G2 W7 the private key goes when it is burnt; token and join key when its joiner is admitted', async () => {
    const { owner, roomId } = await stage.two();
    const { link, inviteId, secrets } = await invited(owner, roomId);
    stage.relay.onRequest('joinConfirm', () => 'drop');
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await until('the answer', () =>
      stage.relay.requests('joinReply').some(({ body }) => body.inviteId === inviteId),
    );
    const { invites } = await Stolen.from(owner, roomId);
    const { joinKey } = invites.find((one) => one.inviteId === inviteId)!.joiner!;
    const all = { ...secrets, ...secretsOf({ token: null, joinKey }) };
    expect(await held(owner, all)).toEqual(['token', 'join key']);
    // The joiner holds its own of them until it is in.
    const own = await joinOf(dora, roomId);
    const joiners = secretsOf({ token: own!.token, joinKey: own!.joinKey });
    expect(await held(dora, joiners)).toEqual(['token', 'join key']);
    stage.relay.honest();
    stage.relay.cut();
    await stage.byItself('the joiner to be a member', [owner], () => stageOf(dora, roomId) === 'member');
    await owner.live();
    await stage.byItself('the owner to have admitted', [owner], () => owner.room?.members.length === 3);
    expect(await held(owner, all)).toEqual([]);
    expect(await held(dora, joiners)).toEqual([]);
  });

  test('G2 all of them go when it is revoked, though the relay does not carry that out', async () => {
    const { owner, roomId } = await stage.two();
    const { inviteId, secrets } = await invited(owner, roomId);
    stage.relay.onRequest('revoke', () => 'drop');
    void owner.api.revokeInvite(roomId, inviteId);
    await until('the invite to be revoked', () => owner.room?.invites.length === 0);
    expect(await held(owner, secrets)).toEqual([]);
  });

  test('G2 all of them go when an answered join ends, though the relay does not carry that out', async () => {
    const { owner, roomId } = await stage.two();
    const { link, inviteId, secrets } = await invited(owner, roomId);
    stage.relay.onRequest('joinConfirm', (_, body) => ({
      instead: { ...body, payload: new Uint8Array(200) },
    }));
    stage.relay.onRequest('joinDrop', () => 'drop');
    const dora = await stage.member('Dora');
    value(await dora.api.join(link, 'Dora'));
    await until('the drop', () =>
      stage.relay.requests('joinDrop').some(({ body }) => body.inviteId === inviteId),
    );
    const own = await joinOf(dora, roomId);
    expect(await held(owner, { ...secrets, ...secretsOf({ token: null, joinKey: own!.joinKey }) })).toEqual(
      [],
    );
  });

  test('G2 all of them go when its link was altered, or the room is closed', async () => {
    const { owner, roomId } = await stage.two();
    const [first, second] = [await invited(owner, roomId), await invited(owner, roomId)];
    stage.relay.onRequest('joinDrop', () => 'drop');
    const dora = await stage.member('Dora');
    value(await dora.api.join(await altered(first.link, { ownerKey: generateKeyPair().publicKey }), 'Dora'));
    await until('the drop', () => stage.relay.requests('joinDrop').length > 0);
    expect(failureOf(dora)).toBeUndefined();
    expect(await held(owner, first.secrets)).toEqual([]);
    expect(await held(owner, second.secrets)).toEqual(['private key', 'token']);
    value(await owner.api.closeRoom(roomId));
    await stage.byItself('the end', [owner], () => stageOf(owner, roomId) === 'closed');
    expect(await held(owner, second.secrets)).toEqual([]);
  });
});
