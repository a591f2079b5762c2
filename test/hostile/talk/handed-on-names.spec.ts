/** Names that somebody hands on: older ones replace none (G3). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bytes } from '@0fc/protocol';
import { makeKeyGrant, openMessage } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { value, type Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { restarted } from '../acts.js';
import { Stolen } from '../members/stolen.js';
import { epochOf, idOf, namesIn, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** The signed container of the first content of a type that a member sent in epoch 1. */
function firstOf(who: Member, type: string, { core, roster, ...thief }: Stolen): Bytes {
  const sender = idOf(who);
  const senderKey = roster.members.get(sender)!.key;
  const roomKey = core.keys.find(({ epoch }) => epoch === 1)!.key!;
  const place = { ...thief, roomKey, roomId: core.roomId, epoch: 1, sender, senderKey };
  const found = stage.relay
    .requests('append', sender)
    .flatMap(({ body }) => body.messages.map(({ payload }) => openMessage({ ...place, payload })))
    .find(({ body }) => body.content.type === type);
  return found!.container;
}

describe('names that come with a key', () => {
  test('G3 and are older than those that are known replace nothing, whoever hands them on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const before = await Stolen.from(owner, roomId);
    const news = {
      profiles: [firstOf(tomas, 'profile', before), firstOf(ines, 'profile', before)],
      roomName: firstOf(owner, 'roomName', before),
    };
    value(await tomas.api.renameMe(roomId, 'Tomás de Lyon'));
    value(await ines.api.renameMe(roomId, 'Inès de Lyon'));
    value(await owner.api.renameRoom(roomId, 'Rive gauche'));
    const names = ['Amina', 'Tomás de Lyon', 'Inès de Lyon'];
    const known = (): unknown => [ines.room?.name, ...namesIn(ines)];
    await until(
      'her to know them',
      () => ines.room?.name === 'Rive gauche' && namesIn(ines).join() === names.join(),
    );
    await stage.level([owner, tomas, ines]);

    // No wrap for her, and nobody answers but who hands on what it pleases.
    stage.relay.onEntries(({ memberId }, entries) =>
      memberId === idOf(ines) ? entries.map(({ wrap: _, ...entry }) => entry) : undefined,
    );
    stage.relay.onEvent('keyNeeded', () => null);
    value(await owner.api.rotateNow(roomId));
    const { body } = await until('her request', () => stage.relay.requests('needKey', idOf(ines))[0]);
    const stolen = await Stolen.from(owner, roomId);
    const { identity, roster, current } = stolen;
    const granted = await makeKeyGrant({ hash: nodeHash, random: nodeRandom }, {
      identity, roster, epoch: 2, to: idOf(ines), request: body.request, rotation: await stolen.begin(), news, roomKey: current.key,
    }); // prettier-ignore
    stage.relay.tell(idOf(ines), 'keyGranted', { from: idOf(owner), ...granted });
    await until('her to have the key', () => epochOf(ines) === 2 && ines.room?.paused === null);
    expect(known()).toEqual(['Rive gauche', ...names]);
    stage.relay.honest();
    await restarted(roomId, ines);
    await stage.goesOn(roomId, [owner, tomas, ines], 'after it,');
    expect(known()).toEqual(['Rive gauche', ...names]);
  });
});
