/** A room handed over with a key that nobody has: its new owner can end it, and everybody gets away from it (G14, G16). */
import { afterAll, afterEach, beforeAll, describe, test } from '@jest/globals';
import { nodeRandom } from '@0fc/crypto/node';
import { value } from '../support/member.js';
import { openHurried } from '../support/platform.js';
import { until } from '../support/wait.js';
import { OwnerHand } from './random/owner-hand.js';
import { rotationForNobody } from './random/owner-rotations.js';
import { idOf, Stage, stageOf } from './stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
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
      const offer = { roomId: hand.roster.roomId, old: hand.me, new: to, nonce };
      await hand.peer.request('transferOffer', { to, offer: hand.sign('transferOffer', offer) });
      await stage.byItself('the offer', all, () => tomas.room?.handOver?.role === 'offered');
      const spoil = async (): Promise<void> => {
        await hand.peer.request('rotate', await rotationForNobody(hand));
        await stage.byItself('nobody to have the key', all, () =>
          all.every(({ room }) => room?.paused === 'key'),
        );
        await hand.follow();
      };
      if (when === 'before') await spoil();
      value(await tomas.api.acceptRoom(roomId));
      const accepted = await until('the acceptance', () => hand.peer.told('transferAccepted').at(-1));
      if (when === 'after') await spoil();
      const { acceptance } = accepted;
      const entry = hand.sign('transfer', { ...hand.onHead, to, acceptance });
      await hand.peer.request('roster', { entry });
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
});
