/** A removal that the relay swallows, or alters on its way back to those who stay (G10, G18). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { value, type Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { flipped, sealedFor } from '../acts.js';
import { keysOf, openedBy, roomOf } from '../members/record-reader.js';
import { Stolen } from '../members/stolen.js';
import { epochOf, idOf, namesIn, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** What the removed opens of all that the relay was handed. */
const openedWith = (removed: Stolen): ReadonlySet<string> =>
  openedBy({ keys: keysOf(removed) }, stage.relay.seen, roomOf(removed));

/** They have the removal and the key that came with it; `meanwhile` is asserted at every look. */
async function removed(all: readonly Member[], meanwhile: () => void): Promise<void> {
  await stage.byItself('the removal and its key', all, () => {
    meanwhile();
    return all.every((who) => epochOf(who) === 2 && !namesIn(who).includes('Tomás'));
  });
}

describe('a removal', () => {
  test('G10 G18 that the relay swallows: its owner seals nothing more for the removed from storing it on', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const thief = await Stolen.from(tomas, roomId);
    const appends = stage.relay.requests('append').length;
    stage.relay.onRequest('roster', () => 'drop');
    value(await owner.api.removeMember(roomId, idOf(tomas)));
    await owner.say(roomId, 'not for Tomás');
    await until('the removal to be swallowed', () => stage.relay.requests('roster', idOf(owner)).at(-1));
    // Who cannot know of it goes on, and the owner reads that.
    await ines.say(roomId, 'for all three');
    await owner.has('for all three');
    const sealedForTomas = () => sealedFor(stage.relay, owner, appends).filter((epoch) => epoch === 1);
    expect(sealedForTomas()).toEqual([]);
    stage.relay.honest();
    stage.relay.cut(idOf(owner));
    await removed([owner, ines], () => expect(sealedForTomas()).toEqual([]));
    await stage.arrives([owner, ines], 'not for Tomás');
    expect(openedWith(thief)).toContain('for all three');
    expect(openedWith(thief)).not.toContain('not for Tomás');
  });

  test.each(['the entry', 'its rotation', 'both'] as const)(
    'G10 G18 of which the relay alters %s on the way back: nobody seals anything for the removed, and all go on',
    async (what) => {
      const { owner, tomas, ines, roomId } = await stage.three();
      const all = [owner, ines];
      const thief = await Stolen.from(tomas, roomId);
      const served = new Set<string>();
      const opens = (who: Member): number => stage.relay.requests('open', idOf(who)).length;
      const opened = all.map(opens);
      stage.relay.onEntries(({ memberId }, entries) => {
        if (!all.some((who) => idOf(who) === memberId)) return undefined;
        return entries.map((entry) => {
          const meant = entry.kind === 'roster' ? what !== 'its rotation' : what !== 'the entry';
          if (!meant || entry.kind === 'message') return entry;
          served.add(memberId);
          return { ...entry, payload: flipped(entry.payload) };
        });
      });
      value(await owner.api.removeMember(roomId, idOf(tomas)));
      await until('both to be served it', () => served.size === 2);
      await stage.byItself('it to be shown', all, () => all.every(({ alarms }) => alarms.length > 0));
      const appends = stage.relay.requests('append').length;
      const sealedForTomas = () =>
        all.flatMap((who) => sealedFor(stage.relay, who, appends)).filter((epoch) => epoch === 1);
      for (const who of all) await who.say(roomId, `not for Tomás, ${who.name}`);
      await stage.byItself('the log to be read again', all, () =>
        all.every((who, at) => opens(who) > opened[at]!),
      );
      stage.relay.honest();
      stage.relay.cut(...all.map(idOf));
      await removed(all, () => expect(sealedForTomas()).toEqual([]));
      await stage.arrives(all, ...all.map(({ name }) => `not for Tomás, ${name}`));
      expect([...openedWith(thief)].filter((text) => text.startsWith('not for Tomás'))).toEqual([]);
    },
  );
});
