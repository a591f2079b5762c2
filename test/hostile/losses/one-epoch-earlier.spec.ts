/** What a relay has lost of the epoch before, or says so: it comes back for those who were there, and nobody else (G18). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { epochOf, Stage } from '../stage.js';
import { openHurried } from '../../support/platform.js';
import { value, type Member } from '../../support/member.js';
import { restarted, rotated, said } from '../acts.js';
import { answeredJoiner } from '../members/answered.js';
import { moveClock } from '../members/clocked.js';
import { inOneWord, ofAnOldCopy, ofTheWholeRoom, putBack, showLoss } from '../members/losses.js';
import { ownLine } from '../members/own-line.js';
import { keysOf, openedBy, roomOf, type Reader } from '../members/record-reader.js';
import { Stolen } from '../members/stolen.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const linesOf = (who: Member, text: string) => who.messages.filter((message) => message.text === text);

describe('a loss one rotation after a line', () => {
  test.each([
    ['made up in one word', inOneWord],
    ['of all that an old copy has not', ofAnOldCopy],
    ['of the whole room', ofTheWholeRoom],
  ] as const)(
    'G18 G16 %s brings it back for those who were there; who came since, was only answered or stole today’s key opens nothing',
    async (_, lose) => {
      const { owner, tomas, roomId } = await stage.two();
      const both = [owner, tomas];
      await stage.level(both);
      const before = stage.relay.world.snapshot();
      const lines = both.map(({ name }) => `${name}, before the new key`);
      const deleted = 'taken back';
      await said(roomId, both, [
        [owner, lines[0]!],
        [tomas, lines[1]!],
        [tomas, deleted],
      ]);
      value(await tomas.api.deleteMessage(roomId, ownLine(tomas, deleted)!.id));
      await stage.byItself('the deletion', both, () => both.every((who) => !who.texts.includes(deleted)));
      await stage.level(both);
      const there = [...keysOf(await Stolen.from(tomas, roomId))];
      await rotated(owner, roomId, both);
      const stolen = await Stolen.from(tomas, roomId);
      const room = roomOf(stolen);
      there.push(stolen.current);
      const joiner: Reader = {
        name: 'answered joiner',
        keys: [await answeredJoiner(stage.relay, owner, roomId)],
      };
      const ines = await stage.joined(owner, roomId, 'Inès');
      await stage.settled([...both, ines], 3);
      const newcomers = [...keysOf(await Stolen.from(ines, roomId))];
      await ines.leave();
      const readers = [
        { name: 'newcomer', keys: newcomers },
        joiner,
        { name: 'thief', keys: [stolen.current] },
      ];
      const older = [...lines, deleted];
      const opened = () =>
        readers.map((reader) => {
          const texts = openedBy(reader, stage.relay.seen, room);
          return [reader.name, older.filter((text) => texts.has(text))];
        });
      const nothing = readers.map(({ name }) => [name, []]);
      expect(opened()).toEqual(nothing);

      const from = stage.relay.seen.length;
      await lose({ stage, all: both, away: ines, roomId, before, late: before });
      await restarted(roomId, ...both);
      await stage.goesOn(roomId, both, 'after the loss,');
      await ines.comeBack(roomId);
      await stage.goesOn(roomId, [ines, ...both], 'with Inès,');
      newcomers.push(...keysOf(await Stolen.from(ines, roomId)));
      expect(opened()).toEqual(nothing);
      // Who was there opens it, from the record of what came after the loss alone.
      const again = openedBy({ keys: there }, stage.relay.seen.slice(from), room);
      expect(older.filter((text) => again.has(text))).toEqual(lines);
      for (const who of both) expect(lines.map((text) => linesOf(who, text).length)).toEqual([1, 1]);
      expect(lines.map((text, at) => ownLine(both[at]!, text)?.state)).not.toContain('lost');
      expect(ines.texts.filter((text) => older.includes(text))).toEqual([]);
      expect([...both, ines].flatMap(({ alarms }) => alarms)).not.toContain('ALARM_DUPLICATE_N');
    },
  );

  test('G16 G18 is read, as it was edited, by who was there and away; who came since sees only that there was one', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const both = [owner, tomas];
    await ines.leave();
    const before = stage.relay.world.snapshot();
    await said(roomId, both, [[tomas, 'for the three']]);
    value(await tomas.api.editMessage(roomId, ownLine(tomas, 'for the three')!.id, 'for us three'));
    await stage.arrives(both, 'for us three');
    value(await owner.api.react(roomId, linesOf(owner, 'for us three')[0]!.id, '👍', true));
    await stage.byItself(
      'the reaction',
      both,
      () => linesOf(tomas, 'for us three')[0]?.reactions.length === 1,
    );
    await rotated(owner, roomId, both);
    const zoe = await stage.joined(owner, roomId, 'Zoé');
    await stage.level([...both, zoe]);
    putBack(stage, [...both, ines, zoe], before);
    await showLoss(stage, both);
    await stage.goesOn(roomId, both, 'after the loss,');
    await ines.comeBack(roomId);
    const all = [...both, ines, zoe];
    await stage.goesOn(roomId, all, 'and on,');
    expect(linesOf(ines, 'for us three')).toMatchObject([
      { again: true, edited: true, reactions: [{ emoji: '👍', count: 1 }] },
    ]);
    expect(zoe.texts.filter((text) => text.startsWith('for '))).toEqual([]);
    expect(zoe.items.filter((item) => item.type === 'system' && item.event === 'closedAgain')).not.toEqual(
      [],
    );
    for (const who of both) expect(linesOf(who, 'for us three')).toHaveLength(1);
    expect(all.flatMap(({ alarms }) => alarms)).not.toContain('ALARM_DUPLICATE_N');
  });

  test('G7 G18 leads the owner to a new key, a minute after it was told, by itself', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    const before = stage.relay.world.snapshot();
    await said(roomId, both, [[tomas, 'in the first epoch']]);
    await rotated(owner, roomId, both);
    putBack(stage, both, before);
    await showLoss(stage, both);
    await stage.goesOn(roomId, both, 'after the loss,');
    expect(both.map(epochOf)).toEqual([2, 2]);
    await owner.leave();
    moveClock(owner, 61_000);
    await owner.comeBack(roomId);
    await stage.byItself('a new key', both, () => both.every((who) => epochOf(who) === 3));
    await stage.goesOn(roomId, both, 'under the new key,');
  });

  test('G7 G16 made up by a relay that claims the epoch of the rotation it hides is cured by the owner’s next key', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    await stage.level(both);
    const from = value(await owner.api.relaySees(roomId, 1)).at(-1)!.position;
    await rotated(owner, roomId, both);
    await said(roomId, both, [[tomas, 'in the second epoch']]);
    // The store begins a generation and has lost nothing; where it starts, the relay says otherwise, and goes on in epoch 2.
    stage.relay.onReply('open', (_, reply) => ({
      ...reply,
      generations: reply.generations.map((start) => ({ ...start, from })),
    }));
    putBack(stage, both, stage.relay.world.snapshot());
    await showLoss(stage, both);
    await tomas.say(roomId, 'in an epoch that its log has not begun');
    await stage.alarm(owner, 'ALARM_UNREADABLE');
    expect(owner.texts).not.toContain('in an epoch that its log has not begun');
    await owner.leave();
    moveClock(owner, 61_000);
    await owner.comeBack(roomId);
    await stage.byItself('a new key', both, () => both.every((who) => epochOf(who) === 3));
    await stage.goesOn(roomId, both, 'under the new key,');
    await stage.arrives(both, 'in an epoch that its log has not begun');
  });
});
