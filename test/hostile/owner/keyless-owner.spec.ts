/** A room handed over with a key that nobody has: its new owner can end it, and everybody gets away from it (G14, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { nodeRandom } from '@0fc/crypto/node';
import type { Bytes } from '@0fc/protocol';
import { value } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { MovedClock } from '../members/clocked.js';
import { OwnerHand } from '../random/owner-hand.js';
import { rotationForNobody } from '../random/owner-rotations.js';
import { epochOf, idOf, Stage, stageOf } from '../stage.js';

/** How long an owner waits for a grant, in milliseconds, and a little more. */
const PATIENCE_MS = 61_000;

let stage: Stage;
const clock = new MovedClock();
beforeAll(async () => {
  stage = await Stage.open(clock.open);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('a room whose key its owner gave to nobody', () => {
  test.each(['before', 'after'] as const)(
    'G14 G16 handed over %s the new owner accepted: that one can close it, and all can forget it',
    async (when) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      const all = [tomas, ines];
      const hand = await OwnerHand.of(owner, roomId, stage.relay);
      const to = idOf(tomas);
      const nonce = nodeRandom.bytes(16);
      const offer = { roomId: hand.roster.roomId, head: hand.roster.head, old: hand.me, new: to, nonce };
      await hand.peer.request('transferOffer', { to, offer: hand.sign('transferOffer', offer) });
      await stage.byItself('the offer', all, () => tomas.room?.ownershipTransfer?.role === 'offered');
      const spoil = async (): Promise<void> => {
        await hand.peer.request('rotate', await rotationForNobody(hand));
        await stage.byItself('nobody to have the key', all, () =>
          all.every(({ room }) => room?.paused === 'key'),
        );
        await hand.follow();
      };
      if (when === 'before') await spoil();
      value(await tomas.api.acceptOwnership(roomId));
      const entry = async (): Promise<{ readonly entry: Bytes }> => {
        const { acceptance } = await until('the acceptance', () => hand.peer.told('transferAccepted').at(-1));
        return { entry: hand.sign('transfer', { ...hand.onHead, to, acceptance }) };
      };
      await entry();
      if (when === 'after') {
        await spoil();
        // What was accepted was the room with its key.
        expect(await hand.peer.refusal('roster', await entry())).toBe('BAD_ENTRY');
        const before = hand.peer.told('transferAccepted').length;
        value(await tomas.api.acceptOwnership(roomId));
        await until('another one', () => hand.peer.told('transferAccepted').length > before);
      }
      await hand.peer.request('roster', await entry());
      await stage.byItself('the hand-over', all, () => tomas.room?.owner === true);
      hand.peer.leave();
      value(await tomas.api.closeRoom(roomId));
      await stage.byItself('the end', all, () => all.every((who) => stageOf(who, roomId) === 'closed'));
      for (const who of all) value(await who.api.forgetRoom(roomId));
      await stage.byItself('nothing of it', all, () =>
        all.every((who) => stageOf(who, roomId) === undefined),
      );
    },
  );

  test('G14 G16 handed over: its new owner makes a key without the one before, and the room goes on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const all = [tomas, ines];
    await owner.say(roomId, 'before');
    await Promise.all(all.map((who) => who.has('before')));
    const hand = await OwnerHand.of(owner, roomId, stage.relay);
    const to = idOf(tomas);
    const offer = {
      roomId: hand.roster.roomId,
      head: hand.roster.head,
      old: hand.me,
      new: to,
      nonce: nodeRandom.bytes(16),
    };
    await hand.peer.request('transferOffer', { to, offer: hand.sign('transferOffer', offer) });
    await stage.byItself('the offer', all, () => tomas.room?.ownershipTransfer?.role === 'offered');
    await hand.peer.request('rotate', await rotationForNobody(hand));
    await stage.byItself('nobody to have the key', all, () =>
      all.every(({ room }) => room?.paused === 'key'),
    );
    await hand.follow();
    value(await tomas.api.acceptOwnership(roomId));
    const { acceptance } = await until('the acceptance', () => hand.peer.told('transferAccepted').at(-1));
    await hand.peer.request('roster', { entry: hand.sign('transfer', { ...hand.onHead, to, acceptance }) });
    await stage.byItself('the hand-over', all, () => tomas.room?.owner === true);
    hand.peer.leave();
    await until('its request', () => stage.relay.requests('needKey', to).length > 0);
    clock.aheadMs += PATIENCE_MS;
    await stage.byItself('a key that all have', all, () =>
      all.every((who) => who.room?.paused === null && epochOf(who) === 3),
    );
    await stage.goesOn(roomId, all, 'with a key again,');
    const cold = ines.items.filter((item) => item.type === 'system' && item.event === 'rotatedCold');
    expect(cold).toHaveLength(1);
  });
});
