/** An owner who sets the room's settings against its members (docs/protocol.md section 4), and an honest relay. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { TimelineSystem } from '@0fc/client/api';
import { LIMITS } from '@0fc/protocol';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { idOf, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** The lines about settings that a member sees, as numbers. */
const changesAt = (who: Member): readonly TimelineSystem['params'][] =>
  who.items.flatMap((item) => (item.type === 'system' && item.event === 'settings' ? [item.params] : []));

describe('an owner', () => {
  test('who lowers every setting: each is said with what it was, warned of, and put right by the next owner', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(owner, roomId);
    const before = stolen.roster.settings;
    const low = { rotateEvery: 2, maxMembers: 2, history: 0, approval: true, joinDeadline: 60_000 };
    await peer.request('roster', { entry: stolen.entry('settings', { settings: low }) });
    await owner.comeBack(roomId);
    for (const who of [owner, tomas, ines]) {
      await until(`${who.name} to be told`, () => changesAt(who).length === 1);
      expect(changesAt(who)[0]).toMatchObject({
        rotateEvery: 2, rotateEveryWas: before.rotateEvery, maxMembers: 2, maxMembersWas: before.maxMembers,
        history: 0, historyWas: before.history, approval: 1, approvalWas: 0, joinDeadline: 60_000,
        joinDeadlineWas: before.joinDeadline, historyLow: 1, maxMembersLow: 1, joinDeadlineLow: 1,
      }); // prettier-ignore
    }
    value(await owner.api.offerOwnership(roomId, idOf(tomas)));
    await until('the offer', () => tomas.room?.ownershipTransfer?.role === 'offered');
    // At two messages a key the owner may rotate in between: an acceptance ends with its epoch.
    await until('the room to be theirs', async () => {
      const offer = tomas.room?.ownershipTransfer;
      if (offer?.role === 'offered' && !offer.accepted) await tomas.api.acceptOwnership(roomId);
      return tomas.room?.owner === true && tomas.room.key?.rotating === false;
    });
    const right = {
      rotateEvery: 90,
      approval: false,
      history: 5_000,
      maxMembers: 20,
      joinDeadline: 3_600_000,
    };
    value(await tomas.api.changeSettings(roomId, right));
    for (const who of [owner, tomas, ines]) {
      await until(`${who.name} to have them`, () => who.room?.settings.history === 5_000);
      expect(who.room?.settings).toEqual(right);
      expect(changesAt(who)[1]).toMatchObject({
        maxMembers: 20,
        maxMembersWas: 2,
        history: 5_000,
        historyWas: 0,
      });
      expect(Object.keys(changesAt(who)[1] ?? {})).not.toContain('historyLow');
    }
    await stage.joined(tomas, roomId, 'Noor');
  });

  test('who changes one setting: nothing is said of the others, and they stay', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const before = owner.room?.settings;
    value(await owner.api.changeSettings(roomId, { history: LIMITS.historyEntries }));
    await until('it to be said', () => changesAt(tomas).length === 1);
    expect(tomas.room?.settings).toEqual({ ...before, history: LIMITS.historyEntries });
    expect(Object.keys(changesAt(tomas)[0] ?? {}).filter((name) => name.startsWith('rotate'))).toEqual([]);
  });

  test('who stops approving: whoever waits goes on waiting for a word, and who asks later enters', async () => {
    const owner = await stage.member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100, true);
    const [first, later] = [await stage.member('Tomás'), await stage.member('Inès')];
    value(await first.api.join((await owner.invite(roomId)).link, 'Tomás'));
    await until('a join to wait', () => owner.room?.approvals.length === 1);
    value(await owner.api.changeSettings(roomId, { ...owner.room!.settings, approval: false }));
    await until('it to be in the log', () => owner.room?.settings.approval === false);
    value(await later.api.join((await owner.invite(roomId)).link, 'Inès'));
    await later.admitted(roomId);
    await owner.leave();
    await owner.comeBack(roomId);
    await owner.live();
    expect(owner.room?.approvals.map(({ name }) => name)).toEqual(['Tomás']);
    expect(owner.room?.members).toHaveLength(2);
    value(await owner.api.decideJoin(roomId, owner.room?.approvals[0]?.inviteId ?? '', true));
    await first.admitted(roomId);
  });

  test('who begins to approve: whoever has asked and was not answered is asked about', async () => {
    const owner = await stage.member('Amina');
    const roomId = await owner.createRoom('Rive droite', 100, false);
    const [first, second] = [await stage.member('Tomás'), await stage.member('Inès')];
    // What is in flight goes before new joins.
    stage.relay.onRequest('rotate', () => 'drop');
    void owner.api.rotateNow(roomId);
    await until('the rotation to be swallowed', () => stage.relay.requests('rotate').length > 0);
    value(await first.api.join((await owner.invite(roomId)).link, 'Tomás'));
    await until('a join to be read', () => owner.room?.invites.some(({ state }) => state === 'claimed'));
    value(await owner.api.changeSettings(roomId, { approval: true }));
    value(await second.api.join((await owner.invite(roomId)).link, 'Inès'));
    await until('another to be read', () => owner.room?.invites.every(({ state }) => state === 'claimed'));
    stage.relay.honest();
    stage.relay.cut(idOf(owner));
    await until('both to be asked about', () => owner.room?.approvals.length === 2);
    await owner.say(roomId, 'who is there?');
    await owner.has('who is there?');
    expect([owner.room?.settings.approval, owner.room?.members.length]).toEqual([true, 1]);
  });
});
