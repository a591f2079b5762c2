/**
 * A room's whole life, through a real relay and members in processes of their own, any of which
 * may be killed at any moment: five members, two hundred messages, rotations, two removals, a
 * departure while the owner is away, a hand-over, a member that moves to another device. In the
 * end the checker judges what each of them shows.
 *
 * SEED=… repeats a run's choices.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { join } from 'node:path';
import { MemberProcess } from '../support/member-process.js';
import { Dice, seedOfRun } from '../support/random.js';
import { RelayProcess } from '../support/relay-process.js';
import { Talk } from '../support/talk.js';

jest.setTimeout(600_000);

const MESSAGES = 200;
const ROTATIONS = 15;
const ROTATE_EVERY = 11;

let relay: RelayProcess;
const everybody: MemberProcess[] = [];

async function member(name: string): Promise<MemberProcess> {
  const made = await MemberProcess.create(name, relay.url);
  everybody.push(made);
  return made;
}

beforeAll(async () => {
  relay = await RelayProcess.start();
});
afterAll(async () => {
  await Promise.all(everybody.map((made) => made.remove()));
  await relay.remove();
});

test('a long story ends with one history for all', async () => {
  const seed = seedOfRun();
  const dice = new Dice(seed);
  process.stdout.write(`long story: SEED=${String(seed)}\n`);
  const talk = new Talk();
  const killAt = dice.below(MESSAGES);
  let said = 0;

  /** Messages of these in a random order, some of them killed and back, the relay too when it is its turn. */
  const chat = async (present: readonly MemberProcess[], count: number): Promise<void> => {
    const texts: string[] = [];
    for (let n = 0; n < count; n++) {
      texts.push(await talk.say(dice.of(present)));
      if (said++ === killAt) {
        await relay.stop('SIGKILL');
        texts.push(await talk.say(dice.of(present)));
        said += 1;
        await relay.start();
      }
      if (dice.once(25)) await dice.of(present).restart();
    }
    await talk.arrived(texts, present);
  };

  const amina = await member('Amina');
  const roomId = await amina.createRoom('Rive droite', ROTATE_EVERY);
  const comes = async (name: string): Promise<MemberProcess> => {
    const made = await member(name);
    await made.join(await amina.invite());
    return made;
  };
  const tomas = await comes('Tomás');
  const ines = await comes('Inès');
  await chat([amina, tomas, ines], 30);
  const noe = await comes('Noé');
  await chat([amina, tomas, ines, noe], 30);
  const jonas = await comes('Jonas');
  await chat([amina, tomas, ines, noe, jonas], 30);

  // Noé is shut out, and sees it.
  await amina.ask('remove', { member: amina.idOf('Noé') });
  await noe.sees('its removal', () => noe.room?.stage === 'removed');
  await chat([amina, tomas, ines, jonas], 20);

  // Jonas goes while the owner is away: the others see it, and talk on.
  await amina.stop();
  await jonas.ask('leave');
  await jonas.sees('its departure', () => jonas.room?.stage === 'left');
  await tomas.sees(
    'that Jonas is leaving',
    () => tomas.room?.members.some(({ name, leaving }) => name === 'Jonas' && leaving) === true,
  );
  await chat([tomas, ines], 20);
  await amina.start();
  await tomas.sees('that Jonas is gone', () => tomas.room?.members.length === 3);
  await chat([amina, tomas, ines], 20);

  // The room changes hands.
  await amina.ask('transfer', { member: amina.idOf('Tomás') });
  await tomas.sees('the offer', () => tomas.room?.handOver?.role === 'offered');
  await tomas.ask('accept');
  await tomas.sees('its room', () => tomas.room?.owner === true);
  await amina.sees('the hand-over', () => amina.room?.owner === false);
  await chat([amina, tomas, ines], 20);

  // Inès goes on from another device, with what it had written and not sent.
  await relay.stop('SIGTERM');
  const waiting = await talk.say(ines);
  await ines.moveTo(join(relay.folder, 'ines.0fc'));
  await relay.start();
  await talk.arrived([waiting], [amina, tomas, ines]);
  await chat([amina, tomas, ines], 20);

  // The new owner removes the old one.
  await tomas.ask('remove', { member: tomas.idOf('Amina') });
  await amina.sees('its removal', () => amina.room?.stage === 'removed');
  await chat([tomas, ines], 20);
  await expect(amina.ask('send', { text: 'too late' })).rejects.toMatchObject({ code: 'NOT_MEMBER' });

  expect(talk.sent.length).toBeGreaterThanOrEqual(MESSAGES);
  await ines.sees(
    'the epoch of the owner',
    () => ines.epoch === tomas.epoch && ines.room?.key?.rotating === false,
  );
  expect(tomas.epoch).toBeGreaterThan(ROTATIONS);
  expect(tomas.room?.members.map(({ name }) => name).sort()).toEqual(['Inès', 'Tomás']);
  expect(ines.roomId).toBe(roomId);
  const { shown } = await tomas.history();
  expect(shown.filter(({ type }) => type === 'message')).toHaveLength(talk.sent.length);
  await talk.judge(everybody);
});
