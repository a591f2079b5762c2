/** What is here is never replaced by what the relay serves as the same (G11, G16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { flipped, restarted, rotated } from '../acts.js';
import { entryAt, Stolen } from '../members/stolen.js';
import { epochOf, idOf, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('a rotation that comes back after a made-up loss', () => {
  test('G11 G16 with a changed payload is an alarm, and the true one brings the room back after a true loss', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    await stage.level(both);
    const before = stage.relay.world.snapshot();
    const { position } = (await Stolen.from(tomas, roomId)).core;
    await rotated(owner, roomId, both);
    const { clear, payload, wraps } = stage.relay.requests('rotate', idOf(owner)).at(-1)!.body;
    const generation = Date.now();
    const place = { g: generation, s: position.s + 1 };
    const served = new Set<string>();
    stage.relay.onReply('open', ({ memberId }, reply, { after }) => {
      if (after?.g !== generation) return undefined;
      const all = { ...reply, tip: place, generations: [], live: true };
      if (after.s !== position.s) return { ...all, entries: [] };
      served.add(memberId);
      const wrap = wraps[memberId]!;
      const changed = entryAt(place, 'rotation', idOf(owner), { clear, payload: flipped(payload), wrap });
      return { ...all, entries: [changed] };
    });
    for (const who of both) stage.relay.tell(idOf(who), 'generation', { generation, from: position });
    await until('both to be served it', () => served.size === 2);
    // A client that ends has applied what it was served.
    await restarted(roomId, ...both);
    await Promise.all(both.map((who) => who.live()));
    const shown = both.map(({ alarms }) => alarms.filter((code) => code !== 'ALARM_RELAY_LOST').length > 0);
    stage.relay.honest();
    stage.relay.place(both.map(idOf), { snapshot: before, hidden: false });
    await stage.goesOn(roomId, both, 'after the true loss,');
    expect(both.map(epochOf)).toEqual([2, 2]);
    expect(shown).toEqual([true, true]);
  });
});
