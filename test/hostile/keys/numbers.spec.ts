/** Numbers of the relay's: what it says of prekeys and of counts of messages moves nothing (G9, G11, G14, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeBody } from '@0fc/protocol';
import { containerBody } from '@0fc/crypto/verify';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { Stolen } from '../members/stolen.js';
import { epochOf, idOf, Stage, troubleOf } from '../stage.js';

/** No member gets there in a lifetime. */
const MOST_K = 2 ** 40;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Numbers of the prekeys that a member has published so far. */
const publishedBy = (memberId: string): readonly number[] =>
  stage.relay
    .requests('prekey', memberId)
    .map(({ body }) => decodeBody(containerBody(body.prekey), 'prekey').body.k);

describe('the number of one’s own newest prekey', () => {
  test.each([
    ['a member', 2 ** 53 - 2],
    ['a member', 2 ** 53 - 1],
    ['a member', 2 ** 40],
    ['the owner', 2 ** 53 - 2],
  ] as const)(
    'G9 G14 as the relay invents it for %s, %d, is a lie: nothing moves, and the room goes on once it ends',
    async (who, k) => {
      const { owner, tomas, roomId } = await stage.two();
      const victim = who === 'the owner' ? owner : tomas;
      await stage.level([owner, tomas]);
      const { core: before } = await Stolen.from(victim, roomId);
      stage.relay.onReplyOfAnyShape('open', (client, reply) =>
        client.memberId === idOf(victim) ? { ...reply, prekey: k } : undefined,
      );
      const opened = stage.relay.requests('open', idOf(victim)).length;
      stage.relay.cut(idOf(victim));
      await stage.byItself('the lie to be noticed or believed', [victim], () => {
        const asked = stage.relay.requests('open', idOf(victim)).length > opened;
        return (
          asked && (troubleOf(victim) !== undefined || publishedBy(idOf(victim)).some((n) => n >= MOST_K))
        );
      });
      expect(troubleOf(victim)).toBe('RELAY_LIED');
      const { core: after } = await Stolen.from(victim, roomId);
      expect(after.prekeys).toEqual(before.prekeys);
      expect(after.position).toEqual(before.position);
      stage.relay.honest();
      // Nobody does anything: the client asks again.
      await stage.byItself('the room to go on', [owner, tomas], () => troubleOf(victim) === undefined);
      for (const epoch of [2, 3]) {
        value(await owner.api.rotateNow(roomId));
        await stage.byItself('the next key', [owner, tomas], () =>
          [owner, tomas].every((one) => epochOf(one) === epoch),
        );
      }
      await victim.leave();
      await victim.comeBack(roomId);
      await stage.goesOn(roomId, [owner, tomas], 'after it all,');
      expect(publishedBy(idOf(victim)).filter((n) => n >= MOST_K)).toEqual([]);
    },
  );
});

describe('the count of messages since the last rotation', () => {
  test('G9 is the owner’s own: a relay that says none, and cuts it now and then, holds no rotation back', async () => {
    const { owner, tomas, roomId } = await stage.two(10);
    stage.relay.onReplyOfAnyShape('open', (_, reply) => ({ ...reply, epochMessages: 0 }));
    for (let round = 0; round < 8; round++) {
      const texts = [1, 2, 3].map((n) => `line ${String(3 * round + n)}`);
      for (const text of texts) await tomas.say(roomId, text);
      await stage.arrives([owner, tomas], ...texts);
      stage.relay.cut(idOf(owner));
      await owner.live();
    }
    // What is in flight when a key is due, or while the owner is cut, comes on top of the ten.
    await stage.byItself(
      'the keys that are due',
      [owner, tomas],
      () => epochOf(owner) >= 2 && (owner.room?.key?.messages ?? 0) < 10,
    );
    await stage.goesOn(roomId, [owner, tomas], 'and on,');
  });

  test('G9 is the owner’s own over restarts of its client, too', async () => {
    const { owner, tomas, roomId } = await stage.two(10);
    stage.relay.onReplyOfAnyShape('open', (_, reply) => ({ ...reply, epochMessages: 0 }));
    for (let round = 0; round < 4; round++) {
      const texts = [1, 2, 3].map((n) => `line ${String(3 * round + n)}`);
      await owner.leave();
      // What comes while it is away counts as well.
      for (const text of texts) await tomas.say(roomId, text);
      await stage.arrives([tomas], ...texts);
      await owner.comeBack(roomId);
      await stage.arrives([owner], ...texts);
    }
    await stage.byItself('the key that is due', [owner, tomas], () => epochOf(owner) >= 2);
  });

  test('G11 G16 is the owner’s own: a relay that says a million, and cuts it, brings about no storm of rotations', async () => {
    const { owner, tomas, roomId } = await stage.two(100);
    stage.relay.onReplyOfAnyShape('open', (_, reply) => ({ ...reply, epochMessages: 1_000_000 }));
    for (let round = 0; round < 3; round++) {
      stage.relay.cut(idOf(owner));
      await owner.live();
      await stage.goesOn(roomId, [owner, tomas], `line ${String(round)},`);
    }
    expect(stage.relay.requests('rotate').length).toBe(0);
    expect([owner, tomas].map(epochOf)).toEqual([1, 1]);
  });
});
