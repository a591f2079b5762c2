/**
 * What is asked of this device alone while its vault cannot be written (G14, G16): an import is there as a whole or not
 * at all, and a command that is refused has changed nothing, not even what is shown.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { shownBy } from '../../fixtures/shown.js';
import { exported } from '../../support/exported.js';
import { FailingDisk } from '../../support/failing-storage.js';
import { value } from '../../support/member.js';
import { openHurried } from '../../support/platform.js';
import { vaultSize } from '../../support/vault-size.js';
import { deviceOver, MOST_WRITES, sameOverRestart, sceneOn, type Scene } from '../members/over-disk.js';
import { idOf, namesIn, Stage, stageOf } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

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
      const file = await exported(last.api, FILE);
      await last.leave();
      stage.relay.honest();
      const disk = new FailingDisk();
      const device = stage.keep(await deviceOver(disk, 'Tomás', stage.relay.url));
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
      const room = await sceneOn(stage, 'member');
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
    const { victim, disk } = await sceneOn(stage, 'member');
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
