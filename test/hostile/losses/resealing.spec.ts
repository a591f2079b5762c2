/** What a relay has lost, or says so, and who would read it then (G18). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { restarted, rotated, said } from '../acts.js';
import { answeredJoiner } from '../members/answered.js';
import {
  inOneWord,
  LOST,
  ofAnOldCopy,
  ofItsEpoch,
  ofTheWholeRoom,
  putBack,
  showLoss,
} from '../members/losses.js';
import { ownLine } from '../members/own-line.js';
import { keysOf, openedBy, roomOf, type Reader } from '../members/record-reader.js';
import { Stolen } from '../members/stolen.js';
import { Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

describe('a loss', () => {
  test.each([
    ['made up in one word', inOneWord, true],
    ['of all that an old copy has not', ofAnOldCopy, true],
    ['of the whole room', ofTheWholeRoom, true],
    ['of the end of one epoch', ofItsEpoch, false],
  ] as const)(
    'G18 %s gives no older line to who came since, was only answered, or stole a key',
    async (_, lose, tookAll) => {
      const { owner, tomas, roomId } = await stage.two();
      const both = [owner, tomas];
      await stage.level(both);
      const before = stage.relay.world.snapshot();
      const older: string[] = [];
      for (const epoch of [1, 2]) {
        const lines = both.map((who) => [who, `${who.name}, in epoch ${String(epoch)}`] as const);
        const deleted = `taken back in epoch ${String(epoch)}`;
        await said(roomId, both, [...lines, [tomas, deleted]]);
        value(await tomas.api.deleteMessage(roomId, ownLine(tomas, deleted)!.id));
        older.push(...lines.map(([, text]) => text), deleted);
        await stage.level(both);
        await rotated(owner, roomId, both);
      }
      await stage.level(both);
      const inEpoch3 = stage.relay.world.snapshot();
      const late = both.map(({ name }) => `${name}, in epoch 3`);
      await said(roomId, both, [
        [owner, late[0]!],
        [tomas, late[1]!],
      ]);
      const stolen = await Stolen.from(tomas, roomId);
      const thief: Reader = { name: 'thief of a key', keys: [stolen.current] };
      const joiner: Reader = {
        name: 'answered joiner',
        keys: [await answeredJoiner(stage.relay, owner, roomId)],
      };
      const ines = await stage.joined(owner, roomId, 'Inès');
      await stage.settled([...both, ines], 3);
      const newcomers = [...keysOf(await Stolen.from(ines, roomId))];
      const newcomer: Reader = { name: 'newcomer', keys: newcomers };
      // A device holds the key of the epoch before as well, and had only what was written under the two.
      const device: Reader = { name: 'thief of a device', keys: keysOf(stolen) };
      await ines.leave();
      const room = roomOf(await Stolen.from(owner, roomId));
      const readers = [newcomer, joiner, thief, device];
      const opened = (lines: readonly string[]) =>
        readers.map((reader) => {
          const texts = openedBy(reader, stage.relay.seen, room);
          return [reader.name, lines.filter((text) => texts.has(text))];
        });
      const underIts = older.filter((text) => text.endsWith('epoch 2'));
      const nothing = readers.map((reader) => [reader.name, reader === device ? underIts : []]);
      expect(opened(older)).toEqual(nothing);
      expect(opened(late)).toEqual(readers.map(({ name }) => [name, late]));

      const from = stage.relay.seen.length;
      await lose({ stage, all: both, away: ines, roomId, before, late: inEpoch3 });
      await Promise.all(both.map((who) => who.live()));
      await restarted(roomId, ...both);
      await Promise.all(both.map((who) => who.live()));
      expect(opened(older)).toEqual(nothing);
      await stage.goesOn(roomId, both, 'after the loss,');
      await ines.comeBack(roomId);
      await stage.goesOn(roomId, [ines, ...both], 'with Inès,');
      newcomers.push(...keysOf(await Stolen.from(ines, roomId)));
      expect(opened(older)).toEqual(nothing);
      expect(ines.texts.filter((text) => older.includes(text))).toEqual([]);
      // What is two epochs old is shown as lost, with who could not have read it; what is one epoch old goes inside.
      const oldest = ownLine(tomas, 'Tomás, in epoch 1');
      expect([oldest?.state === 'lost', oldest?.newcomers]).toEqual(tookAll ? [true, ['Inès']] : [false, []]);
      for (const epoch of [2, 3])
        expect(ownLine(tomas, `Tomás, in epoch ${String(epoch)}`)?.state).not.toBe('lost');
      // Lost within its epoch, a line goes again under the same key.
      const again = openedBy(thief, stage.relay.seen.slice(from), room);
      expect(late.filter((text) => again.has(text))).toEqual(late);
    },
  );

  /** A line of Tomás' that is two keys old and that Inès, who came since, has not read; and the relay as it was before it. */
  async function readByBothOnly() {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    await stage.level(both);
    const before = stage.relay.world.snapshot();
    await said(roomId, both, [[tomas, 'for whoever asks']]);
    await stage.level(both);
    await rotated(owner, roomId, both);
    await rotated(owner, roomId, both);
    const ines = await stage.joined(owner, roomId, 'Inès');
    const all = [...both, ines];
    await stage.settled(all, 3);
    return { owner, tomas, ines, both, all, roomId, before };
  }

  test('G18 G16 brings a line back by its sender’s own hand: everybody of today reads it, whoever came since', async () => {
    const { tomas, ines, both, all, roomId, before } = await readByBothOnly();
    await ines.leave();
    putBack(stage, all, before);
    await showLoss(stage, both);
    await stage.goesOn(roomId, both, 'after the loss,');
    await ines.comeBack(roomId);
    await stage.goesOn(roomId, [ines, ...both], 'with Inès,');
    expect(ines.texts).not.toContain('for whoever asks');
    await stage.byItself('the line to be shown as lost', all, () => {
      const line = ownLine(tomas, 'for whoever asks');
      return line?.state === 'lost' && line.newcomers.join() === 'Inès';
    });
    const { id } = ownLine(tomas, 'for whoever asks')!;
    expect(value(await tomas.api.resend(roomId, id)).id).not.toBe(id);
    await stage.arrives([ines], 'for whoever asks');
    await stage.level(all);
    expect(all.flatMap(({ alarms }) => alarms).filter((code) => code.includes('DUPLICATE'))).toEqual([]);
  });

  test('G14 G16 that comes back by hand takes the lost one away where it had been read: deleting it leaves nothing of it', async () => {
    const { owner, tomas, both, all, roomId, before } = await readByBothOnly();
    putBack(stage, all, before);
    await showLoss(stage, both);
    await stage.goesOn(roomId, all, 'after the loss,');
    await stage.byItself(
      'the line to be shown as lost',
      all,
      () => ownLine(tomas, 'for whoever asks')?.state === 'lost',
    );
    expect(owner.texts.filter((text) => text === 'for whoever asks')).toHaveLength(1);
    const { id } = value(await tomas.api.resend(roomId, ownLine(tomas, 'for whoever asks')!.id));
    const shown = (): readonly number[] =>
      all.map((who) => who.texts.filter((text) => text === 'for whoever asks').length);
    await stage.byItself('the new line in place of the lost one', all, () => shown().join() === '1,1,1');
    value(await tomas.api.deleteMessage(roomId, id));
    await stage.byItself('nothing of it', all, () => shown().join() === '0,0,0');
    await stage.level(all);
    expect(all.flatMap(({ alarms }) => alarms).filter((code) => code.includes('DUPLICATE'))).toEqual([]);
  });

  test('G18 seals a line that was deleted for nobody again, not even in its own epoch', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    await stage.level(both);
    const before = stage.relay.world.snapshot();
    await said(roomId, both, [
      [tomas, 'to be deleted'],
      [tomas, 'to be kept'],
    ]);
    value(await tomas.api.deleteMessage(roomId, ownLine(tomas, 'to be deleted')!.id));
    await stage.byItself('the deletion', both, () =>
      both.every((who) => !who.texts.includes('to be deleted')),
    );
    await stage.level(both);
    const from = stage.relay.seen.length;
    putBack(stage, both, before);
    await showLoss(stage, both);
    await stage.goesOn(roomId, both, 'after the loss,');
    const thief = await Stolen.from(tomas, roomId);
    const again = openedBy({ keys: keysOf(thief) }, stage.relay.seen.slice(from), roomOf(thief));
    expect(again).toContain('to be kept');
    expect(again).not.toContain('to be deleted');
    // A void has taken its counter: nobody misses anything.
    expect(owner.alarms).toEqual([LOST]);
  });
});
