/** Lines that wait unsent while somebody is admitted (G18). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { restarted, rotated } from '../acts.js';
import { answeredJoiner } from '../members/answered.js';
import { MovedClock } from '../members/clocked.js';
import { ownLine } from '../members/own-line.js';
import { keysOf, openedBy, roomOf } from '../members/record-reader.js';
import { Stolen } from '../members/stolen.js';
import { idOf, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('a line that was written before somebody came in', () => {
  test.each([
    ['over a rotation and an admission', true],
    ['over an admission alone', false],
  ] as const)('G18 and has waited %s asks first, and is sent or discarded by hand', async (_, rotates) => {
    const { owner, tomas, roomId } = await stage.two();
    await stage.level([owner, tomas]);
    let refused = 0;
    stage.relay.onRequest('open', ({ memberId }) => {
      if (memberId !== idOf(tomas)) return undefined;
      refused += 1;
      return { refuse: 'TRY_AGAIN' };
    });
    stage.relay.cut(idOf(tomas));
    await until('the room to be out of his reach', () => refused > 0);
    for (const text of ['for Amina', 'not even for her']) await tomas.say(roomId, text);
    if (rotates) await rotated(owner, roomId, [owner]);
    const ines = await stage.joined(owner, roomId, 'Inès');
    const all = [owner, tomas, ines];
    stage.relay.honest();
    stage.relay.cut(idOf(tomas));
    const asks = (text: string): boolean => {
      expect(ines.texts).not.toContain(text);
      const line = ownLine(tomas, text);
      return line?.state === 'waiting' && line.newcomers.join() === 'Inès';
    };
    const bothAsk = (): boolean => asks('for Amina') && asks('not even for her');
    await stage.byItself('both lines to ask', all, bothAsk);
    await restarted(roomId, tomas);
    await tomas.live();
    await stage.byItself('both lines to ask again', all, bothAsk);
    const newcomer = await Stolen.from(ines, roomId);
    const opened = (): ReadonlySet<string> =>
      openedBy({ keys: keysOf(newcomer) }, stage.relay.seen, roomOf(newcomer));
    expect(opened()).not.toContain('for Amina');

    value(await tomas.api.discard(roomId, ownLine(tomas, 'not even for her')!.id));
    value(await tomas.api.confirmSend(roomId, ownLine(tomas, 'for Amina')!.id));
    await stage.arrives(all, 'for Amina');
    await stage.goesOn(roomId, all, 'and on,');
    expect(ownLine(tomas, 'not even for her')).toBeUndefined();
    expect(opened()).toContain('for Amina');
    expect(opened()).not.toContain('not even for her');
    // A void has taken the counter of the discarded one: nobody misses anything.
    expect(all.flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});

describe('a line that the relay never acknowledges', () => {
  const SLOWER_MS = 61_000;

  async function heldBack(refusal: 'STORE_FULL' | null, aheadMs: number) {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    const clock = new MovedClock();
    tomas.open = clock.open;
    await restarted(roomId, tomas);
    // What is written before is sealed later, for whatever epoch that is.
    await tomas.live();
    await stage.level(both);
    stage.relay.onRequest('append', ({ memberId }) => {
      if (memberId !== idOf(tomas)) return undefined;
      return refusal === null ? 'drop' : { refuse: refusal };
    });
    await tomas.say(roomId, 'in the first epoch');
    await stage.byItself('it to be sent', both, () => stage.relay.requests('append', idOf(tomas)).length > 0);
    clock.aheadMs = aheadMs;
    await rotated(owner, roomId, both);
    const joiner = { keys: [await answeredJoiner(stage.relay, owner, roomId)] };
    stage.relay.honest();
    stage.relay.cut(idOf(tomas));
    await stage.arrives(both, 'in the first epoch');
    const room = roomOf(await Stolen.from(tomas, roomId));
    const opened = openedBy(joiner, stage.relay.seen, room).has('in the first epoch');
    await stage.goesOn(roomId, both, 'and on,');
    expect(both.flatMap(({ alarms }) => alarms)).toEqual([]);
    return { opened };
  }

  test.each([
    ['refuses', 'STORE_FULL'],
    ['leaves unanswered', null],
  ] as const)(
    'G18 since it %s it until a rotation a minute later comes back inside, for nobody who was answered since',
    async (_, refusal) => {
      expect(await heldBack(refusal, SLOWER_MS)).toEqual({ opened: false });
    },
  );

  test('and that meets a rotation at once is sealed for the epoch which that begins, like one of a moment later', async () => {
    expect(await heldBack(null, 0)).toEqual({ opened: true });
  });
});
