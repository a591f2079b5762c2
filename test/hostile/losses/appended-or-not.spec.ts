/** Appends that the relay answers otherwise than it does them (G16, G18). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { equalBytes, type RequestBody } from '@0fc/protocol';
import type { Member } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { until } from '../../support/wait.js';
import { flipped, restarted, rotated, said } from '../acts.js';
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

type Append = RequestBody<'append'>;
interface Treated {
  /** what it was to append; null before it has come */
  append: Append | null;
}

/** The next append of a member is answered as done, wherever it is; nothing is carried out. */
async function nextIsSwallowed(who: Member, roomId: string): Promise<Treated> {
  const treated: Treated = { append: null };
  const { g, s } = (await Stolen.from(who, roomId)).core.position;
  stage.relay.onRequest('append', ({ memberId }, body) => {
    if (memberId !== idOf(who) || treated.append !== null) return undefined;
    treated.append = body;
    const placed = body.messages.map((_, at) => ({ position: { g, s: s + 1 + at }, time: Date.now() }));
    return { answer: { placed } };
  });
  return treated;
}

/** The next append of a member is carried out with one bit of each payload flipped. */
function nextIsAltered(who: Member): Promise<Treated> {
  const treated: Treated = { append: null };
  stage.relay.onRequest('append', ({ memberId }, body) => {
    if (memberId !== idOf(who) || treated.append !== null) return undefined;
    treated.append = body;
    const messages = body.messages.map(({ clear, payload }) => ({ clear, payload: flipped(payload) }));
    return { instead: { messages } };
  });
  return Promise.resolve(treated);
}

/** The next append of a member is done, and it alone is served an older line of its own in that place. */
function nextComesBackAsAnother(who: Member): Promise<Treated> {
  const treated: Treated = { append: null };
  const [older] = stage.relay.requests('append', idOf(who)).slice(-1);
  const another = older!.body.messages[0]!;
  stage.relay.onRequest('append', ({ memberId }, body) => {
    if (memberId === idOf(who)) treated.append ??= body;
    return undefined;
  });
  stage.relay.onEntries(({ memberId }, entries) =>
    memberId !== idOf(who)
      ? undefined
      : entries.map((entry) => {
          const [message] = treated.append?.messages ?? [];
          const same = message !== undefined && equalBytes(entry.payload, message.payload);
          return same ? { ...entry, ...another } : entry;
        }),
  );
  return Promise.resolve(treated);
}

describe('a line that is refused and stored all the same', () => {
  test('G16 stands in the log once, for everybody, and is sent no more', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    const appends = (): number => stage.relay.requests('append', idOf(tomas)).length;
    stage.relay.onReply('append', ({ memberId }) =>
      memberId === idOf(tomas) ? { placed: [], refused: 'RATE_LIMITED' as const, retryMs: 20 } : undefined,
    );
    await tomas.say(roomId, 'once');
    await stage.arrives(both, 'once');
    await rotated(owner, roomId, both);
    const sent = appends();
    stage.relay.honest();
    await restarted(roomId, ...both);
    await stage.level(both);
    expect(appends()).toBe(sent);
    expect(both.map(({ texts }) => texts)).toEqual([['once'], ['once']]);
    expect(both.flatMap(({ alarms }) => alarms)).toEqual([]);
  });
});

describe('a line that is acknowledged', () => {
  test.each([
    ['and not stored', nextIsSwallowed],
    ['and stored with one bit flipped', nextIsAltered],
  ] as const)(
    'G16 %s, before one that is stored, comes late and to everybody once the relay is honest',
    async (_, treat) => {
      const { owner, tomas, roomId } = await stage.two();
      const both = [owner, tomas];
      const treated = await treat(tomas, roomId);
      await tomas.say(roomId, 'the first');
      await until('the first to be answered', () => treated.append);
      await said(roomId, both, [[tomas, 'the second']]);
      stage.relay.honest();
      stage.relay.cut(idOf(tomas));
      await stage.arrives(both, 'the first', 'the second');
      await stage.level(both);
      await restarted(roomId, ...both);
      await stage.goesOn(roomId, both, 'after it,');
      for (const who of both) {
        expect(who.texts.filter((text) => text.startsWith('the '))).toHaveLength(2);
        expect(who.alarms).not.toContain('ALARM_DUPLICATE_N');
      }
    },
  );

  test.each([
    ['and not stored', nextIsSwallowed, true],
    // The owner has read it where it stands in the log.
    ['and kept from its sender by an older line in its place', nextComesBackAsAnother, false],
  ] as const)(
    'G18 %s, comes back inside, for those who were there, and for nobody who came since',
    async (_, treat, again) => {
      const { owner, tomas, roomId } = await stage.two();
      const both = [owner, tomas];
      await said(roomId, both, [[tomas, 'an older line']]);
      const treated = await treat(tomas, roomId);
      await tomas.say(roomId, 'for those of today');
      await until('it to be answered', () => treated.append);
      await tomas.say(roomId, 'the next line');
      await owner.has('the next line');
      await rotated(owner, roomId, both);
      const ines = await stage.joined(owner, roomId, 'Inès');
      const all = [ines, ...both];
      stage.relay.honest();
      await restarted(roomId, tomas);
      await stage.goesOn(roomId, all, 'with Inès,');
      const newcomer = await Stolen.from(ines, roomId);
      const opened = openedBy({ keys: keysOf(newcomer) }, stage.relay.seen, roomOf(newcomer));
      expect(opened).toContain('with Inès, Tomás');
      expect(opened).not.toContain('for those of today');
      expect(ines.texts).not.toContain('for those of today');
      expect(ownLine(tomas, 'for those of today')?.state).not.toBe('lost');
      const lines = (who: Member) => who.messages.filter(({ text }) => text === 'for those of today');
      expect([owner, tomas].map(lines)).toMatchObject([[{ again }], [{ again: true }]]);
    },
  );
});
