/** What others send while a member waits for a key: it gets it all the same, and nobody reads the log again and again. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPair, signBody } from '@0fc/crypto/keys';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { bodyHash } from '@0fc/crypto/verify';
import { LIMITS } from '@0fc/protocol';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import type { Stolen } from '../members/stolen.js';
import { sealAnything } from '../members/unchecked.js';
import { keptFromOwner } from '../acts.js';
import { epochOf, idOf, Stage, troubleOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** A name whose signed body is longer than a name may be kept: a field that nobody knows fills it. */
const longName = (stolen: Stolen, n = stolen.core.nextN): ReturnType<typeof sealAnything> =>
  sealAnything(stolen, { n, content: { type: 'profile', name: 'Inès' }, 'x-pad': nodeRandom.bytes(6_000) });

describe('a name too long to be kept', () => {
  test('G16 read before its key, keeps the granted key from nobody', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    await tomas.leave();
    for (const epoch of [2, 3, 4]) {
      value(await owner.api.rotateNow(roomId));
      await until('the next key', () => [owner, ines].every((who) => epochOf(who) === epoch));
    }
    await owner.say(roomId, 'one');
    await ines.has('one');
    await stage.relay.world.trim(roomId, 0);
    await owner.say(roomId, 'two');
    await ines.has('two');
    await owner.leave();
    const { peer, stolen } = await stage.byHand(ines, roomId);
    await peer.request('append', { messages: [longName(stolen)] });
    peer.leave();
    await tomas.comeBack(roomId);
    await until('him to ask', () => stage.relay.requests('needKey', idOf(tomas)).length > 0);
    await owner.comeBack(roomId);
    await until(
      () => `his key; he shows ${String(troubleOf(tomas))}`,
      () => tomas.room?.key?.epoch === 4 && tomas.room.paused === null && tomas.texts.includes('two'),
    );
    expect(troubleOf(tomas)).toBeUndefined();
  });

  test('G16 has nobody read the log again', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const { peer, stolen } = await stage.byHand(ines, roomId);
    const opens = (): readonly number[] =>
      [owner, tomas].map((who) => stage.relay.requests('open', idOf(who)).length);
    const before = opens();
    for (let n = 0; n < 12; n++)
      await peer.request('append', { messages: [longName(stolen, stolen.core.nextN + n)] });
    peer.leave();
    await stage.goesOn(roomId, [owner, tomas], 'on,');
    expect(opens()).toEqual(before);
  });
});

describe('a key request', () => {
  test('G16 that a member answers with nonsense each time, faster than the others, is answered all the same', async () => {
    const company = await stage.three();
    const { owner, tomas, ines, roomId } = company;
    await keptFromOwner(stage, company);
    await tomas.say(roomId, 'for the owner too');
    await ines.has('for the owner too');
    const { peer, stolen } = await stage.byHand(ines, roomId);
    const { identity, roster, me } = stolen;
    await owner.comeBack(roomId);
    let answered = 0;
    await until('the owner to have the key', async () => {
      const asked = stage.relay.requests('needKey', idOf(owner));
      const request = asked.at(-1)?.body.request;
      if (request !== undefined && asked.length > answered) {
        answered = asked.length;
        // Named as failed, it answers all the same.
        const grant = signBody(identity, 'keyGrant', {
          roomId: roster.roomId, epoch: 2, granter: me, memberId: idOf(owner), request: await bodyHash(nodeHash, request),
          ephemeral: generateKeyPair().publicKey, ct: nodeRandom.bytes(LIMITS.kemCiphertextBytes), sealed: nodeRandom.bytes(100),
        }); // prettier-ignore
        peer
          .request('keyGrant', { to: idOf(owner), grant, news: nodeRandom.bytes(40) })
          .catch(() => undefined);
      }
      return answered > 0 && owner.room?.paused === null;
    });
    peer.leave();
    await stage.arrives([owner], 'for the owner too');
    expect(answered).toBeLessThan(5);
  });
});

test('G7 G16 a rotation of a trimmed range that the relay puts far behind its place accuses nobody', async () => {
  const { owner, tomas, roomId } = await stage.two();
  await tomas.leave();
  value(await owner.api.rotateNow(roomId));
  await until('rotated', () => epochOf(owner) === 2);
  let lied = false;
  stage.relay.onReply('open', (client, reply) => {
    const rotation = reply.entries.find(({ kind }) => kind === 'rotation');
    if (client.memberId !== idOf(tomas) || rotation === undefined || lied) return undefined;
    lied = true;
    const { g, s } = rotation.position;
    const entries = reply.entries.filter((entry) => entry.position.s > s);
    const far = { ...rotation, kind: 'rotation', position: { g, s: 1_000_000 } } as const;
    return { ...reply, trimmed: rotation.position, entries, rotation: far };
  });
  await tomas.comeBack(roomId);
  await stage.byItself('the key', [tomas], () => epochOf(tomas) === 2 && tomas.room?.paused === null);
  expect(lied).toBe(true);
  stage.relay.honest();
  await stage.goesOn(roomId, [owner, tomas], 'on,');
  expect(tomas.alarms).not.toContain('ALARM_SEEN_REGRESSED');
});
