/**
 * A vault that cannot be written for a while, at every write of everything that is done (G6, G14, G16): what was
 * acknowledged is not lost, memory is what the disk has, and the room goes on by itself once there is room again.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { FailingDisk } from '../../support/failing-storage.js';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { MOST_WRITES, overDisk, sameOverRestart, sceneOn, type Scene } from '../members/over-disk.js';
import { epochOf, idOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

/**
 * Fails the first write of `act`, then the second, and so on, until all of it went through: `act` begins it and
 * tells what must have come of it in the end. Nobody does anything but make room again.
 */
async function atEveryWrite(
  { disk, victim, owner, tomas, roomId }: Scene,
  act: (k: number) => Promise<() => boolean>,
): Promise<void> {
  for (let k = 1; k <= MOST_WRITES; k++) {
    disk.failFrom(k);
    const done = await act(k);
    await stage.byItself(
      `write ${String(k)} to fail, or all of it to go through`,
      [victim],
      () => disk.failed > 0 || done(),
    );
    const reached = disk.failed > 0;
    disk.heal();
    await stage.byItself(`what write ${String(k)} had kept back`, [owner, tomas], done);
    await stage.goesOn(roomId, [owner, tomas], `after ${String(k)},`);
    await stage.level([owner, tomas]);
    await sameOverRestart(victim, roomId);
    expect([owner, tomas].flatMap(({ alarms }) => alarms)).toEqual([]);
    expect(owner.texts).toEqual(tomas.texts);
    if (!reached) return;
  }
  throw new Error(`it takes more than ${String(MOST_WRITES)} writes`);
}

describe('a disk that is full at any write of', () => {
  test('G14 G16 a line that arrives loses nothing, and the room goes on by itself', async () => {
    const room = await sceneOn(stage, 'member');
    const { owner, tomas, roomId } = room;
    await atEveryWrite(room, async (k) => {
      const text = `line ${String(k)}`;
      await owner.say(roomId, text);
      return () => tomas.texts.includes(text);
    });
  });

  test('G14 G16 a line that is sent loses none that was taken, and the room goes on by itself', async () => {
    const room = await sceneOn(stage, 'member');
    const { owner, tomas, roomId } = room;
    await atEveryWrite(room, async (k) => {
      const text = `line ${String(k)}`;
      const taken = (await tomas.api.sendText(roomId, text)).ok;
      // What was refused was not sent, and is not shown as if it were.
      return () =>
        taken
          ? [owner, tomas].every((who) => who.texts.includes(text))
          : tomas.messages.every((message) => message.text !== text);
    });
  });

  test.each(['owner', 'member'] as const)(
    'G9 G14 G16 a rotation, at the %s, loses no key, and the room goes on by itself',
    async (who) => {
      const room = await sceneOn(stage, who);
      const { owner, tomas, roomId } = room;
      await atEveryWrite(room, (k) => {
        const next = epochOf(owner) + 1;
        let refused = false;
        void owner.api.rotateNow(roomId).then(({ ok }) => {
          refused = !ok;
        });
        // Refused before anything was stored: not asked for. Once it is stored it is carried out.
        return Promise.resolve(
          () => (k === 1 && refused) || [owner, tomas].every((one) => epochOf(one) === next),
        );
      });
    },
  );

  test.each(['owner', 'member'] as const)(
    'G10 G14 G16 a removal, at the %s, carries out what was promised, and the room goes on by itself',
    async (who) => {
      const room = await sceneOn(stage, who);
      const { owner, tomas, roomId } = room;
      await atEveryWrite(room, async (k) => {
        room.disk.heal();
        const guest = await stage.joined(owner, roomId, `Guest ${String(k)}`);
        await stage.settled([owner, tomas], 3);
        const next = epochOf(owner) + 1;
        await guest.leave();
        room.disk.failFrom(k);
        const promised = (await owner.api.removeMember(roomId, idOf(guest))).ok;
        if (!promised) {
          room.disk.heal();
          value(await owner.api.removeMember(roomId, idOf(guest)));
        }
        return () =>
          [owner, tomas].every((one) => epochOf(one) === next && !namesIn(one).includes(guest.name));
      });
    },
  );

  test('G2 G14 G16 a join, at the owner, ends in a member that everybody knows, and the room goes on by itself', async () => {
    const room = await sceneOn(stage, 'owner');
    const { owner, tomas, roomId, disk } = room;
    await atEveryWrite(room, async (k) => {
      disk.heal();
      const { link } = await owner.invite(roomId);
      const guest = await stage.member(`Guest ${String(k)}`);
      disk.failFrom(k);
      value(await guest.api.join(link, guest.name));
      return () =>
        stageOf(guest, roomId) === 'member' &&
        [owner, tomas].every((who) => namesIn(who).includes(guest.name) && !namesIn(who).includes(''));
    });
  });

  test('G2 G14 G16 a join, at the joiner, ends in a member, or in nothing where it was refused at once', async () => {
    const { owner, tomas, roomId } = await stage.two();
    for (let k = 1; k <= MOST_WRITES; k++) {
      const disk = new FailingDisk();
      const over = overDisk(disk);
      const guest = await stage.member(`Guest ${String(k)}`, stage.relay.url, over);
      const { link, inviteId } = await owner.invite(roomId);
      disk.failFrom(k);
      const promised = (await guest.api.join(link, guest.name)).ok;
      const isMember = (): boolean => stageOf(guest, roomId) === 'member';
      await stage.byItself(
        `write ${String(k)} to fail, or all of it to go through`,
        [owner],
        () => disk.failed > 0 || isMember(),
      );
      const reached = disk.failed > 0;
      disk.heal();
      if (!promised) {
        expect(guest.app?.joins).toEqual([]);
        value(await owner.api.revokeInvite(roomId, inviteId));
        continue;
      }
      await stage.byItself(`the join whose write ${String(k)} had failed`, [owner], isMember);
      await guest.watch(roomId);
      await guest.live();
      await stage.goesOn(roomId, [owner, tomas, guest], `after ${String(k)},`);
      await stage.byItself('its name', [owner], () => namesIn(owner).includes(guest.name));
      expect(owner.room?.members.length).toBe(new Set(namesIn(owner)).size);
      await sameOverRestart(guest, roomId);
      expect([owner, tomas, guest].flatMap(({ alarms }) => alarms)).toEqual([]);
      await guest.leave();
      if (!reached) return;
    }
    throw new Error(`it takes more than ${String(MOST_WRITES)} writes`);
  });
});

/** The messages of the room while nothing can be written; the disk has room again after it. */
type Told = Readonly<Record<string, (room: Scene) => Promise<unknown>>>;
const told: Told = {
  'a line': async ({ owner, roomId }) => owner.say(roomId, 'said meanwhile'),
  'an admission': ({ owner, roomId }) => stage.joined(owner, roomId, 'Dora'),
  'a new generation': ({ owner, tomas }) => {
    stage.relay.place([idOf(owner), idOf(tomas)], { hidden: false });
    return Promise.resolve();
  },
};

describe('a room that stands still because nothing can be written', () => {
  test.each(Object.entries(told))(
    'G6 G14 G16 has %s of that time, and all that follows it, by itself once there is room, whatever its user presses, over a restart too',
    async (_, happens) => {
      const room = await sceneOn(stage, 'member');
      const { owner, tomas, roomId, disk } = room;
      await owner.say(roomId, 'said before');
      await stage.arrives([owner, tomas], 'said before');
      disk.failAlways();
      await happens(room);
      await stage.byItself('a write to fail', [tomas], () => disk.failed > 0);
      // “Try now” finds it as it is, and keeps nothing from being tried again.
      const failed = disk.failed;
      await tomas.api.resumeRoom(roomId);
      await stage.byItself('another write to fail', [tomas], () => disk.failed > failed);
      disk.heal();
      await stage.goesOn(roomId, [owner, tomas], 'after it,');
      await stage.level([owner, tomas]);
      await sameOverRestart(tomas, roomId);
      expect(tomas.texts).toEqual(owner.texts);
      expect([...namesIn(tomas)].sort()).toEqual([...namesIn(owner)].sort());
      value(await owner.api.rotateNow(roomId));
      await stage.byItself('the next key', [owner, tomas], () => epochOf(tomas) === epochOf(owner));
      await stage.goesOn(roomId, [owner, tomas], 'in the next epoch,');
      expect([...owner.alarms, ...tomas.alarms]).toEqual([]);
    },
  );
});
