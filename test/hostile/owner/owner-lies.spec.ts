/** An owner who answers a join with what is not so: nobody enters a room that the log does not bear out, nothing is hidden, nobody accused (G2, G6, G14). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { JoinReplyBody } from '@0fc/protocol';
import { nodeHash, nodeRandom } from '@0fc/crypto/node';
import { bodyHash } from '@0fc/crypto/verify';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { answerJoin, honestReply } from '../members/false-reply.js';
import { published } from '../members/published.js';
import { joinOf, Stolen } from '../members/stolen.js';
import { failureOf, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** Dora asks to enter; the owner's keys are used by hand from then on. `rotated`: the room is in its second epoch. */
async function asked({ rotated = false } = {}) {
  const { owner, tomas, roomId } = await stage.two();
  await tomas.say(roomId, 'before Dora');
  await owner.has('before Dora');
  if (rotated) {
    value(await owner.api.rotateNow(roomId));
    await stage.byItself('the key', [owner, tomas], () => tomas.room?.key?.epoch === 2);
  }
  const { link } = await owner.invite(roomId);
  const byHand = await stage.byHand(owner, roomId);
  const dora = await stage.member('Dora');
  value(await dora.api.join(link, 'Dora'));
  return { owner, tomas, roomId, dora, ...byHand };
}

type Lie = (reply: JoinReplyBody, of: Stolen) => JoinReplyBody | Promise<JoinReplyBody>;

const floorAt =
  (by: number): Lie =>
  (reply) => ({ ...reply, floor: { ...reply.floor, s: reply.floor.s + by } });

interface When {
  readonly rotated: boolean;
  /** it shows only once the log may be read; else nothing is even confirmed */
  readonly admitted: boolean;
}

const FIRST: When = { rotated: false, admitted: false };
const LATER: When = { rotated: true, admitted: true };

const MISPLACED: readonly (readonly [string, When, Lie])[] = [
  ['a floor beyond the end of the log, in the first epoch', FIRST, floorAt(1_000)],
  ['a floor beyond the end of the log', LATER, floorAt(1_000)],
  ['a floor after its rotation', LATER, floorAt(1)],
  [
    'a floor of a later generation',
    LATER,
    (reply) => ({ ...reply, floor: { g: Date.now(), s: reply.floor.s } }),
  ],
  [
    'a head of before its rotation',
    { rotated: true, admitted: false },
    async (reply, { chain }) => ({ ...reply, head: await bodyHash(nodeHash, chain[0]!) }),
  ],
  ['another transcript, in the first epoch', FIRST, (reply) => ({ ...reply, t: nodeRandom.bytes(32) })],
];

/** Everything that whoever could not enter can still do. */
async function canLetGo(dora: Member, roomId: string): Promise<void> {
  value(await dora.api.abandonJoin(roomId));
  await until('nothing to be left', () => dora.app?.joins.length === 0 && dora.app.rooms.length === 0);
}

describe('a reply with', () => {
  test.each(MISPLACED)(
    'G2 G14 %s ends in a failure that names the reply: no room is entered, nothing sent, the join can be given up',
    async (_what, { rotated, admitted }, lie) => {
      const { roomId, dora, peer, stolen } = await asked({ rotated });
      const admit = await answerJoin({ peer, stolen }, await lie(honestReply(stolen), stolen));
      const appends = stage.relay.requests('append').length;
      if (admitted) await admit();
      await stage.byItself('the failure', [dora], () => failureOf(dora) === 'JOIN_REPLY_MISPLACED');
      expect(stageOf(dora, roomId)).toBeUndefined();
      expect(stage.relay.requests('append').length).toBe(appends);
      await canLetGo(dora, roomId);
      await dora.leave();
      expect(await joinOf(dora, roomId)).toBeNull();
    },
  );

  test('G2 G14 the key of an epoch that is over by the admission ends in that failure too: nobody is locked in', async () => {
    const { roomId, dora, peer, stolen } = await asked();
    const { command, newEpoch } = await stolen.rotation(await published(stage.relay));
    // An admission as signed once the room has gone on, beside the reply of before.
    const later = Object.create(stolen, {
      entry: {
        value: ((kind, fields) => stolen.entry(kind, { ...fields, epoch: newEpoch })) as Stolen['entry'],
      },
    }) as Stolen;
    const admit = await answerJoin({ peer, stolen: later }, honestReply(stolen));
    await peer.request('rotate', command);
    await admit();
    await stage.byItself('the failure', [dora], () => failureOf(dora) === 'JOIN_REPLY_MISPLACED');
    expect(stageOf(dora, roomId)).toBeUndefined();
    await canLetGo(dora, roomId);
  });

  test.each([
    ['the highest counter for somebody', 2 ** 53 - 1],
    ['a counter that is too low', 1],
  ] as const)(
    'G3 G5 %s hides nothing of his and calls him no copy: his lines are drawn, the first one marked',
    async (_what, n) => {
      const { roomId, dora, tomas, peer, stolen } = await asked({ rotated: true });
      for (const text of ['two', 'three', 'four']) await tomas.say(roomId, text);
      const reply = honestReply(stolen);
      const { me: sender, core } = await Stolen.from(tomas, roomId);
      const counters = [{ sender, instance: core.instance, n }];
      const admit = await answerJoin({ peer, stolen }, { ...reply, counters });
      await admit();
      await dora.admitted(roomId);
      await tomas.say(roomId, 'after Dora');
      await stage.byItself('his lines', [dora], () => dora.texts.includes('after Dora'));
      expect(dora.texts).toEqual(['two', 'three', 'four', 'after Dora']);
      expect(dora.messages.map(({ orderUnknown }) => orderUnknown)).toEqual([true, false, false, false]);
      expect(dora.messages.some(({ late }) => late)).toBe(false);
      expect(dora.alarms).toEqual([]);
    },
  );
});
