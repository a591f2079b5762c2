/**
 * A vault that cannot be written for a while, at every write of everything that is done (G6, G14, G16): what was
 * acknowledged is not lost, memory is what the disk has, and the room goes on by itself once there is room again.
 */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shownBy } from '../fixtures/shown.js';
import { FailingDisk } from '../support/failing-storage.js';
import { Member, value } from '../support/member.js';
import { hurried, openHurried, openOver } from '../support/platform.js';
import { vaultSize } from '../support/vault-size.js';
import { epochOf, idOf, namesIn, Stage, stageOf, type Company } from './stage.js';

jest.setTimeout(240_000);

/** More writes than anything here takes: a loop ends once the failing one was not reached. */
const MOST_WRITES = 40;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

interface Scene extends Omit<Company, 'ines'> {
  /** of whom it happens to: the owner's or Tomás's */
  readonly disk: FailingDisk;
  readonly victim: Member;
}

/** A room of two, one of whom is over a disk that may fail. */
async function scene(who: 'owner' | 'member'): Promise<Scene> {
  const disk = new FailingDisk();
  const { owner, tomas, roomId } = await stage.two();
  const victim = who === 'owner' ? owner : tomas;
  await victim.leave();
  victim.open = openOver((platform) => hurried(5)(disk.over(platform)));
  await victim.comeBack(roomId);
  await victim.live();
  await stage.level([owner, tomas]);
  return { owner, tomas, roomId, disk, victim };
}

/** Everything that a member is shown of a room, but for what only a session knows. */
const shownTo = (who: Member): unknown => ({
  items: who.items,
  names: namesIn(who),
  epoch: epochOf(who),
  stage: who.room?.stage,
  invites: who.room?.invites,
  summary: who.app?.rooms.map(({ roomId, name, unread, alarms }) => ({ roomId, name, unread, alarms })),
});

/** A restart finds what was shown before it. */
async function sameOverRestart(who: Member, roomId: string): Promise<void> {
  const before = shownTo(who);
  await who.leave();
  await who.comeBack(roomId);
  await who.live();
  expect(shownTo(who)).toEqual(before);
}

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
    const room = await scene('member');
    const { owner, tomas, roomId } = room;
    await atEveryWrite(room, async (k) => {
      const text = `line ${String(k)}`;
      await owner.say(roomId, text);
      return () => tomas.texts.includes(text);
    });
  });

  test('G14 G16 a line that is sent loses none that was taken, and the room goes on by itself', async () => {
    const room = await scene('member');
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
      const room = await scene(who);
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
      const room = await scene(who);
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
    const room = await scene('owner');
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
      const over = openOver((platform) => hurried(5)(disk.over(platform)));
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

/** A device with no vault yet, over a disk that may fail. */
async function newDevice(name: string): Promise<{ readonly device: Member; readonly disk: FailingDisk }> {
  const disk = new FailingDisk();
  const folder = await mkdtemp(join(tmpdir(), '0fc-member-'));
  const passphrase = `a long enough passphrase of another device of ${name}`;
  const device = stage.keep(Member.over(folder, { name, relayUrl: stage.relay.url, passphrase }));
  device.open = openOver((platform) => hurried(5)(disk.over(platform)));
  await device.start();
  return { device, disk };
}

describe('a disk that is full at any write of an import', () => {
  test('G14 G16 has nothing of it or all of it, and the same file is imported once there is room', async () => {
    const FILE = 'a long enough passphrase of the file';
    const { owner, tomas, roomId } = await stage.two();
    let last = tomas;
    for (let k = 1; k <= MOST_WRITES; k++) {
      await stage.level([owner, last]);
      // Its last line waits yet, and goes with it.
      stage.relay.onRequest('append', ({ memberId }) => (memberId === idOf(last) ? 'drop' : undefined));
      const line = `from the device before ${String(k)}`;
      await last.say(roomId, line);
      const file = value(await last.api.exportVault(FILE));
      await last.leave();
      stage.relay.honest();
      const { device, disk } = await newDevice('Tomás');
      disk.failFrom(k);
      const first = await device.api.importVault(file, FILE, device.passphrase);
      if (!first.ok) {
        expect([first.error.code, device.app?.vault, vaultSize(device).records]).toEqual([
          'VAULT_FULL',
          'absent',
          0,
        ]);
        disk.heal();
        value(await device.api.importVault(file, FILE, device.passphrase));
      }
      await device.watch(roomId);
      await stage.byItself(
        `write ${String(k)} to fail, or the room to be live`,
        [device],
        () => disk.failed > 0 || (device.room?.connection === 'connected' && !device.room.catchingUp),
      );
      const reached = disk.failed > 0;
      disk.heal();
      await stage.arrives([owner, device], line);
      await stage.goesOn(roomId, [owner, device], `on device ${String(k)},`);
      await stage.level([owner, device]);
      expect(device.texts).toEqual(owner.texts);
      expect([...namesIn(device)].sort()).toEqual(['Amina', 'Tomás']);
      await sameOverRestart(device, roomId);
      expect([owner, device].flatMap(({ alarms }) => alarms)).toEqual([]);
      if (!reached) return;
      last = device;
    }
    throw new Error(`it takes more than ${String(MOST_WRITES)} writes`);
  });
});

/** What the room is told while nothing can be written; the disk has room again after it. */
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
      const room = await scene('member');
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

/** What a user asks of this device alone, and how far it has come of it; `prepare` resolves to both. */
type Asked = Readonly<
  Record<
    string,
    (
      room: Scene,
    ) => Promise<{ readonly ask: () => Promise<{ readonly ok: boolean }>; readonly done: () => boolean }>
  >
>;
const asked: Asked = {
  'a draft': ({ victim, roomId }) =>
    Promise.resolve({
      ask: () => victim.api.setDraft(roomId, 'half a sentence'),
      done: () => victim.app?.rooms.find((room) => room.roomId === roomId)?.draft === 'half a sentence',
    }),
  'the end of a join': async ({ victim }) => {
    const other = await stage.member('Dora');
    const elsewhere = await other.createRoom('Rive gauche', 100, true);
    value(await victim.api.join((await other.invite(elsewhere)).link, victim.name));
    await stage.byItself('the request', [other], () => other.room?.approvals.length === 1);
    return {
      ask: () => victim.api.abandonJoin(elsewhere),
      done: () => victim.app?.joins.length === 0,
    };
  },
  'the end of a room that is over': async ({ owner, victim, roomId }) => {
    value(await owner.api.removeMember(roomId, idOf(victim)));
    await stage.byItself('the removal', [victim], () => stageOf(victim, roomId) === 'removed');
    value(await victim.api.setDraft(roomId, 'half a sentence'));
    await stage.byItself('the draft', [victim], () => victim.app?.rooms[0]?.draft === 'half a sentence');
    return {
      ask: () => victim.api.forgetRoom(roomId),
      done: () => victim.app?.rooms.length === 0,
    };
  },
};

describe('a command that a full disk refuses', () => {
  test.each(Object.entries(asked))(
    'G14 changes nothing, not even what is shown: %s, which is done once there is room, over a restart too',
    async (_, prepare) => {
      const room = await scene('member');
      const { victim, disk } = room;
      const { ask, done } = await prepare(room);
      const shown = await shownBy(victim);
      disk.failAlways();
      expect(await ask()).toMatchObject({ ok: false, error: { code: 'VAULT_FULL' } });
      // Once more: what was refused has not been done meanwhile.
      expect(await ask()).toMatchObject({ ok: false, error: { code: 'VAULT_FULL' } });
      expect(await shownBy(victim)).toEqual(shown);
      expect(done()).toBe(false);
      disk.heal();
      await victim.leave();
      await victim.comeBack();
      expect(await shownBy(victim)).toEqual(shown);
      expect(await ask()).toMatchObject({ ok: true });
      await stage.byItself('it to be done', [victim], done);
      await victim.leave();
      await victim.comeBack();
      await stage.byItself('it to be done over a restart', [victim], done);
    },
  );

  test('G2 G14 keeps a join going that could not be ended: its owner may still admit it', async () => {
    const { victim, disk } = await scene('member');
    const other = await stage.member('Dora');
    const elsewhere = await other.createRoom('Rive gauche', 100, true);
    const { link, inviteId } = await other.invite(elsewhere);
    value(await victim.api.join(link, victim.name));
    await stage.byItself('the request', [other], () => other.room?.approvals.length === 1);
    disk.failAlways();
    expect((await victim.api.abandonJoin(elsewhere)).ok).toBe(false);
    disk.heal();
    value(await other.api.decideJoin(elsewhere, inviteId, true));
    await stage.byItself('the admission', [other], () => stageOf(victim, elsewhere) === 'member');
  });
});
