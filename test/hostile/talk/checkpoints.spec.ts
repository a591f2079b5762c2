/** Rotations are checkpoints: a fork that was shown gives no free pass for the next one (G7). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Member } from '../../support/member.js';
import { until } from '../../support/wait.js';
import { rotated } from '../acts.js';
import { idOf, Stage } from '../stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.dismiss());
afterAll(() => stage.close());

const forksWith = (who: Member, name: string): number =>
  who.items.filter(
    (item) => item.type === 'alarm' && item.code === 'ALARM_FORK' && item.params.member === name,
  ).length;

/** One line each in two worlds, and one world again. */
async function fork(roomId: string, owner: Member, apart: Member, word: string): Promise<void> {
  stage.relay.place([idOf(apart)], { hidden: true });
  await until('the other to be there again', () => apart.room?.connection === 'connected');
  await owner.say(roomId, `${word} to the others`);
  await apart.say(roomId, `${word} to nobody`);
  await Promise.all([owner.has(`${word} to the others`), apart.has(`${word} to nobody`)]);
  await stage.relay.reunite();
  await apart.live();
}

describe('G7: a second fork', () => {
  test('G7 after a first that was shown is shown to both sides', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const all = [owner, tomas, ines];
    await fork(roomId, owner, ines, 'first');
    await tomas.say(roomId, 'across');
    await until('the first to be shown', () => forksWith(ines, 'Tomás') === 1);
    await ines.say(roomId, 'and back');
    await until('the first to be shown on the other side', () => forksWith(tomas, 'Inès') === 1);
    for (let times = 0; times < 3; times++) await rotated(owner, roomId, all);
    // The owner's checkpoint was another one than here.
    expect(forksWith(ines, 'Amina')).toBeGreaterThan(0);
    await stage.goesOn(roomId, all, 'in peace,');
    const [here, there] = [forksWith(ines, 'Tomás'), forksWith(tomas, 'Inès')];
    await stage.goesOn(roomId, all, 'still in peace,');
    expect([forksWith(ines, 'Tomás'), forksWith(tomas, 'Inès')]).toEqual([here, there]);

    await fork(roomId, owner, ines, 'second');
    await tomas.say(roomId, 'across again');
    await ines.has('across again');
    await until('the second to be shown', () => forksWith(ines, 'Tomás') === here + 1);
    await ines.say(roomId, 'and back again');
    await until('the second to be shown on the other side', () => forksWith(tomas, 'Inès') === there + 1);
    await stage.goesOn(roomId, all, 'after both,');
  });

  test('G7 that nobody spoke across is shown by the owner’s checkpoint, and by what is said after it', async () => {
    const { owner, tomas, ines, roomId } = await stage.three();
    const all = [owner, tomas, ines];
    await fork(roomId, owner, ines, 'quietly');
    // Its presence tells as well; what is shown at the rotation does not hang on it.
    await rotated(owner, roomId, all);
    const before = forksWith(ines, 'Amina');
    await rotated(owner, roomId, all);
    await until('the checkpoint to be another one', () => forksWith(ines, 'Amina') > before);
    await ines.say(roomId, 'I saw something else');
    await tomas.has('I saw something else');
    await until('the other side to be told', () => forksWith(tomas, 'Inès') > 0);
  });
});
