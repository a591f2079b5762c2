/**
 * What the log proves, as people see it: the real page in real browsers, one in English and one in French, over a relay
 * that shows two of them different histories. Both are told, the next rotations end it, and a removal has its receipts.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventBody } from '@0fc/protocol';
import type { Browser } from 'playwright-core';
import { LyingRelay } from '../hostile/relay/lying-relay.js';
import { Member, value } from '../support/member.js';
import { until } from '../support/wait.js';
import { Front } from './front.js';
import { launch, Profile } from './profile.js';

let relay: LyingRelay;
let front: Front;
let browser: Browser;
/** in English; the owner */
let amina: Profile;
/** in French */
let lucie: Profile;
/** without a screen */
const guests: Member[] = [];
let roomId: string;

async function guest(name: string): Promise<Member> {
  const made = await Member.create(name, front.url);
  guests.push(made);
  ({ roomId } = value(await made.api.join(await amina.makeInvite(), name)));
  await amina.admit();
  await made.admitted(roomId);
  return made;
}

beforeAll(async () => {
  [relay, browser] = await Promise.all([LyingRelay.start(), launch()]);
  front = await Front.start(relay.url);
  amina = await Profile.create(browser, 'Amina', front.url);
  lucie = await Profile.create(browser, 'Lucie', front.url, 'fr-FR');
  await amina.open();
  await amina.firstPassphrase();
  await amina.createRoom('Rive', 100);
  await lucie.open(await amina.makeInvite());
  await lucie.firstPassphrase();
  await lucie.startJoin();
  await amina.admit();
  await lucie.enter();
});

afterAll(async () => {
  await browser.close();
  await Promise.all(guests.map((member) => member.remove()));
  front.stop();
  await relay.stop();
});

const forks = (profile: Profile): Promise<readonly string[]> =>
  profile.page.locator('[data-testid="alarm"][data-code="ALARM_FORK"]').allInnerTexts();

const epoch = async (profile: Profile): Promise<number> =>
  Number(await profile.at('key-epoch').getAttribute('data-epoch'));

/** A fresh key by the owner's hand, that both have. */
async function rotate(): Promise<void> {
  await Promise.all([amina.openMembers(), lucie.openMembers()]);
  const before = await epoch(amina);
  await amina.at('rotate-now').click();
  for (const profile of [amina, lucie]) {
    await until('the next key', async () => (await epoch(profile)) > before);
    await profile.at('back-to-room').click();
    await profile.at('composer').waitFor();
  }
}

async function bothSay(word: string): Promise<void> {
  for (const profile of [amina, lucie]) {
    await profile.say(`${word}, ${profile.name}`);
    await Promise.all([amina.has(`${word}, ${profile.name}`), lucie.has(`${word}, ${profile.name}`)]);
  }
}

describe('what the log proves', () => {
  test('two histories are shown to both sides in their languages, until the rotations that follow', async () => {
    const ofLucie = await until('the page of Lucie to be served', () => {
      const [, second] = [...new Set([...relay.clients].map(({ memberId }) => memberId))];
      return second;
    });
    // What she says of herself comes after her admission: in a history of her own it would stand where a line of
    // everybody's does, and keep that one from her for good.
    await until('Lucie to have said her name', () =>
      relay.seen.some(
        ({ way, message }) =>
          way === 'toClient' &&
          'e' in message &&
          message.e === 'entries' &&
          (message.body as EventBody<'entries'>).entries.some(
            ({ kind, sender }) => kind === 'message' && sender === ofLucie,
          ),
      ),
    );
    relay.place([ofLucie], { hidden: true });
    await amina.say('to all but one');
    await lucie.say('to nobody');
    await Promise.all([amina.has('to all but one'), lucie.has('to nobody')]);
    await relay.reunite();
    await bothSay('across');
    const titles = [
      [amina, 'You and Lucie have different histories'],
      [lucie, 'Amina et vous n’avez pas la même histoire'],
    ] as const;
    for (const [profile, title] of titles) {
      const [shown] = await until('the fork to be shown', async () => {
        const all = await forks(profile);
        return all.length > 0 && all;
      });
      expect(shown).toContain(title);
      await profile.picture('fork');
    }
    for (let times = 0; times < 3; times++) await rotate();
    await bothSay('in peace');
    const before = [(await forks(amina)).length, (await forks(lucie)).length];
    await rotate();
    await bothSay('still in peace');
    expect([(await forks(amina)).length, (await forks(lucie)).length]).toEqual(before);
  });

  test('a removal has a receipt from each of the others, by what it writes afterwards', async () => {
    const [tomas, noe] = [await guest('Tomás'), await guest('Noé')];
    await tomas.leave();
    await amina.openMembers();
    const row = (profile: Profile, name: string) => profile.at('member').filter({ hasText: name });
    await row(amina, 'Noé').getByTestId('member-actions').click();
    await amina.at('remove-member').click();
    await amina.at('remove-confirm').click();
    await until('Noé to be removed', () => noe.app?.rooms[0]?.stage === 'removed');
    await lucie.openMembers();
    const ofTomas = [
      [amina, 'Not heard from since the last departure'],
      [lucie, 'Pas de nouvelles depuis le dernier départ'],
    ] as const;
    for (const [profile, words] of ofTomas) {
      await row(profile, 'Tomás').getByTestId('member-receipt').filter({ hasText: words }).waitFor();
      await profile.picture('receipts');
    }
    await lucie.at('back-to-room').click();
    await lucie.say('I have seen it');
    await row(amina, 'Lucie')
      .getByTestId('member-receipt')
      .filter({ hasText: 'Has applied the last departure' })
      .waitFor();
    // Everybody has: there is nothing to look for any more.
    await tomas.comeBack(roomId);
    await tomas.say(roomId, 'and I too');
    await amina.at('member-receipt').first().waitFor({ state: 'detached' });
    expect([amina, lucie].flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
