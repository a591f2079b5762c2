/** What a relay has lost, or says so, and who would read it then (G18). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { value, type Member } from '../support/member.js';
import { openHurried } from '../support/platform.js';
import { restarted, rotated, said } from './acts.js';
import { answeredJoiner } from './members/answered.js';
import { ownLine } from './members/own-line.js';
import { keysOf, openedBy, roomOf, type Reader } from './members/record-reader.js';
import { Stolen } from './members/stolen.js';
import { World } from './relay/world.js';
import { idOf, Stage } from './stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/** They go on at a store that was put back, as it was when the snapshot was taken. */
function putBack(all: readonly Member[], snapshot: string): void {
  stage.relay.place(all.map(idOf), { snapshot, hidden: false });
}

const LOST = 'ALARM_RELAY_LOST';
const showLoss = (all: readonly Member[]): Promise<void> =>
  stage.byItself('the loss to be shown', all, () => all.every(({ alarms }) => alarms.includes(LOST)));

/** `away`: whoever comes back after it; `before`: a copy of the store before any line */
type Loss = (scene: {
  readonly all: readonly Member[];
  readonly away: Member;
  readonly roomId: string;
  readonly before: string;
}) => Promise<void>;

/** One word to each; nothing is lost, and the next start of the relay's store sets it right. */
const inOneWord: Loss = async ({ all, away, roomId }) => {
  for (const who of all)
    stage.relay.tell(idOf(who), 'generation', { generation: Date.now(), from: { g: 1, s: 0 } });
  await showLoss(all);
  for (const who of all) await who.say(roomId, `to nobody, ${who.name}`);
  await restarted(roomId, ...all);
  putBack([...all, away], stage.relay.world.snapshot());
};

const ofAnOldCopy: Loss = async ({ all, away, before }) => {
  putBack([...all, away], before);
  await showLoss(all);
};

const ofTheWholeRoom: Loss = async ({ all, away, roomId }) => {
  const empty = World.empty();
  putBack([...all, away], empty.snapshot());
  await empty.close();
  await stage.byItself('the room to be unknown', all, () =>
    all.every(({ room }) => room?.stopped?.code === 'ROOM_UNKNOWN'),
  );
  const [one] = all;
  value(await one!.api.restoreRoom(roomId));
  await stage.byItself('the others to follow', all, () => all.every(({ room }) => room?.stopped === null));
  await showLoss(all);
};

describe('a loss', () => {
  test.each([
    ['made up in one word', inOneWord],
    ['of all that an old copy has not', ofAnOldCopy],
    ['of the whole room', ofTheWholeRoom],
  ] as const)(
    'G18 %s gives no older line to who came since, was only answered, or stole a key',
    async (_, lose) => {
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
      const late = both.map(({ name }) => `${name}, in epoch 3`);
      await said(roomId, both, [
        [owner, late[0]!],
        [tomas, late[1]!],
      ]);
      const thief: Reader = { name: 'thief', keys: [(await Stolen.from(tomas, roomId)).current] };
      const joiner: Reader = {
        name: 'answered joiner',
        keys: [await answeredJoiner(stage.relay, owner, roomId)],
      };
      const ines = await stage.joined(owner, roomId, 'Inès');
      await stage.settled([...both, ines], 3);
      const newcomers = [...keysOf(await Stolen.from(ines, roomId))];
      const newcomer: Reader = { name: 'newcomer', keys: newcomers };
      await ines.leave();
      const room = roomOf(await Stolen.from(owner, roomId));
      const readers = [newcomer, joiner, thief];
      const opened = (lines: readonly string[]) =>
        readers.map((reader) => {
          const texts = openedBy(reader, stage.relay.seen, room);
          return [reader.name, lines.filter((text) => texts.has(text))];
        });
      const nothing = readers.map(({ name }) => [name, []]);
      expect(opened(older)).toEqual(nothing);
      expect(opened(late)).toEqual(readers.map(({ name }) => [name, late]));

      const from = stage.relay.seen.length;
      await lose({ all: both, away: ines, roomId, before });
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
      // Its sender sees which they are. Lost within its epoch, a line goes again by itself, under the same key.
      expect(ownLine(tomas, 'Tomás, in epoch 2')).toMatchObject({ state: 'lost', newcomers: ['Inès'] });
      const again = openedBy(thief, stage.relay.seen.slice(from), room);
      expect(late.filter((text) => again.has(text))).toEqual(late);
    },
  );

  test('G18 G16 brings a line back by its sender’s own hand: everybody of today reads it, whoever came since', async () => {
    const { owner, tomas, roomId } = await stage.two();
    const both = [owner, tomas];
    await stage.level(both);
    const before = stage.relay.world.snapshot();
    await said(roomId, both, [[tomas, 'for whoever asks']]);
    await stage.level(both);
    await rotated(owner, roomId, both);
    const ines = await stage.joined(owner, roomId, 'Inès');
    const all = [...both, ines];
    await stage.settled(all, 3);
    await ines.leave();
    putBack(all, before);
    await showLoss(both);
    await stage.goesOn(roomId, both, 'after the loss,');
    await ines.comeBack(roomId);
    await stage.goesOn(roomId, [ines, ...both], 'with Inès,');
    expect(ines.texts).not.toContain('for whoever asks');
    await stage.byItself('the line to be shown as lost', all, () => {
      const line = ownLine(tomas, 'for whoever asks');
      return line?.state === 'lost' && line.newcomers.join() === 'Inès';
    });
    const { id } = ownLine(tomas, 'for whoever asks')!;
    expect(value(await tomas.api.sendAgain(roomId, id)).id).not.toBe(id);
    await stage.arrives([ines], 'for whoever asks');
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
    putBack(both, before);
    await showLoss(both);
    await stage.goesOn(roomId, both, 'after the loss,');
    const thief = await Stolen.from(tomas, roomId);
    const again = openedBy({ keys: keysOf(thief) }, stage.relay.seen.slice(from), roomOf(thief));
    expect(again).toContain('to be kept');
    expect(again).not.toContain('to be deleted');
    // A void has taken its counter: nobody misses anything.
    expect(owner.alarms).toEqual([LOST]);
  });
});
