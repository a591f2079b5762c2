/** A relay that has lost its members' newest prekeys: nobody who is there is left without a key for it (G9, G16). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { epochOf, Stage } from '../stage.js';
import { openHurried } from '../../support/platform.js';
import type { Member } from '../../support/member.js';
import { moveClock } from '../members/clocked.js';
import { putBack, showLoss } from '../members/losses.js';
import { rotated, said } from '../acts.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(openHurried);
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const EVERY = 10;

/** Three members, of whom Inès is away; of the others the relay has lost what they have published and said since. */
async function lost(): Promise<{ all: readonly [Member, Member]; ines: Member; roomId: string }> {
  const { owner, tomas, ines, roomId } = await stage.three(EVERY);
  const before = stage.relay.world.snapshot();
  for (let time = 0; time < 2; time++) {
    await rotated(owner, roomId, [owner, tomas, ines]);
    // Behind the prekey that follows a rotation.
    await said(
      roomId,
      [owner, tomas, ines],
      [
        [tomas, `${String(time)} by Tomás`],
        [ines, `${String(time)} by Inès`],
      ],
    );
  }
  await ines.leave();
  putBack(stage, [owner, tomas, ines], before);
  await showLoss(stage, [owner, tomas]);
  return { all: [owner, tomas], ines, roomId };
}

/** More lines than an epoch has. */
async function overDue(all: readonly [Member, Member], roomId: string): Promise<void> {
  const [, tomas] = all;
  for (let n = 0; n <= EVERY; n++) await said(roomId, all, [[tomas, `after the loss, ${String(n)}`]]);
}

test('G9 G16 a rotation that is due waits a minute for who comes back, and has a key for everybody', async () => {
  const { all, ines, roomId } = await lost();
  const epoch = epochOf(all[0]);
  await overDue(all, roomId);
  expect(all.map(epochOf)).toEqual([epoch, epoch]);
  await ines.comeBack(roomId);
  const everybody = [...all, ines];
  await stage.byItself('the next key', everybody, () => everybody.every((who) => epochOf(who) === epoch + 1));
  expect(everybody.flatMap(({ alarms }) => alarms)).not.toContain('ALARM_NO_KEY');
});

test('G9 and no longer than a minute for who does not come back', async () => {
  const { all, ines, roomId } = await lost();
  const [owner] = all;
  const epoch = epochOf(owner);
  await overDue(all, roomId);
  expect(all.map(epochOf)).toEqual([epoch, epoch]);
  await owner.leave();
  moveClock(owner, 61_000);
  await owner.comeBack(roomId);
  await stage.byItself('the next key', all, () => all.every((who) => epochOf(who) === epoch + 1));
  await ines.comeBack(roomId);
  await stage.byItself(
    'the key',
    [ines],
    () => epochOf(ines) === epoch + 1 && ines.alarms.includes('ALARM_NO_KEY'),
  );
  await stage.goesOn(roomId, [...all, ines], 'in the end,');
});
