/**
 * What two people do with messages, by hand in two real browsers over a real relay: answer, react,
 * change, delete; who writes and who has read; a draft that outlives the page; what the relay sees.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, Locator } from 'playwright-core';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { launch, Profile } from './profile.js';

jest.setTimeout(600_000);

let relay: RelayProcess;
let browser: Browser;
let owner: Profile;
let guest: Profile;

beforeAll(async () => {
  [relay, browser] = await Promise.all([RelayProcess.start(), launch()]);
  owner = await Profile.create(browser, 'Amina', relay.url);
  guest = await Profile.create(browser, 'Lucie', relay.url);
  await owner.open();
  await owner.firstPassphrase();
  await owner.createRoom('Jeudi', 100);
  await guest.open(await owner.makeInvite());
  await guest.firstPassphrase();
  await guest.startJoin();
  await owner.admit();
  await guest.enter();
});

afterAll(async () => {
  await browser.close();
  await relay.remove();
});

const row = (profile: Profile, text: string): Locator => profile.at('message').filter({ hasText: text });

describe('talking', () => {
  test('who is here and who writes is seen while it lasts', async () => {
    // A signal is kept nowhere: one that comes before both are live is seen by nobody, and the next key brings another.
    const typing = owner.page.locator('.typing', { hasText: 'Lucie' });
    let keys = 0;
    await until('Lucie to be seen writing', async () => {
      await guest.at('composer').fill('I can take'.slice(0, 1 + (keys++ % 10)));
      return typing.isVisible();
    });
    await guest.at('composer').fill('I can take the car');
    await guest.at('composer').press('Enter');
    await owner.has('I can take the car');
    await owner.page.locator('.typing').waitFor({ state: 'detached' });
    await owner.page.locator('.pane--details .avatar--here').nth(1).waitFor();
  });

  test('an answer quotes, and its quote leads to what it answers', async () => {
    await row(owner, 'I can take the car').focus();
    await owner.page.keyboard.press('r');
    await owner.page.keyboard.type('Thank you!');
    await owner.page.keyboard.press('Enter');
    await guest.has('Thank you!');
    const quote = row(guest, 'Thank you!').getByTestId('quote');
    expect(await quote.innerText()).toContain('I can take the car');
    await quote.click();
    expect(await guest.page.locator('[data-testid="message"]:focus').innerText()).toContain(
      'I can take the car',
    );
  });

  test('a reaction comes and goes', async () => {
    await row(guest, 'Thank you!').hover();
    await row(guest, 'Thank you!').getByTestId('act-react').click();
    await guest.at('pick').first().click();
    const seen = row(owner, 'Thank you!').getByTestId('reaction');
    await seen.waitFor();
    expect(await seen.getAttribute('title')).toBe('Lucie');
    await row(guest, 'Thank you!').getByTestId('reaction').click();
    await seen.waitFor({ state: 'detached' });
  });

  test('a message is read, changed and deleted for both', async () => {
    await guest.say('We leave at seven');
    await owner.has('We leave at seven');
    await row(guest, 'We leave at seven').locator('[data-testid="message-state"][title="Amina"]').waitFor();
    await guest.at('composer').press('ArrowUp');
    await guest.at('composer').fill('We leave at eight');
    await guest.at('composer').press('Enter');
    await row(owner, 'We leave at eight').getByTestId('edited').waitFor();
    expect(await row(owner, 'seven').count()).toBe(0);
    await row(guest, 'We leave at eight').focus();
    await guest.page.keyboard.press('Delete');
    await guest.at('delete-confirm').click();
    await owner.at('deleted').waitFor();
    expect(await row(owner, 'eight').count()).toBe(0);
  });

  test('a draft outlives the page', async () => {
    await guest.at('composer').fill('half a sentence');
    await guest.at('composer').blur();
    await until('the draft to be in the list', async () => {
      await guest.at('open-relay').click();
      await guest.at('back-to-room').click();
      return (await guest.at('composer').inputValue()) === 'half a sentence';
    });
    await guest.close();
    await guest.open();
    await guest.unlock();
    await guest.at('room-last').filter({ hasText: 'half a sentence' }).waitFor();
    await guest.openRoom();
    expect(await guest.at('composer').inputValue()).toBe('half a sentence');
  });

  test('what the relay sees has every entry and none of the words', async () => {
    await owner.at('open-relay').click();
    await owner.at('relay-row').filter({ hasText: 'I can take the car' }).waitFor();
    const sealed = (await owner.page.locator('.sealed').allInnerTexts()).join('\n');
    for (const words of ['Lucie', 'Amina', 'Jeudi', 'take the car', 'Thank you'])
      expect(sealed).not.toContain(words);
    expect(sealed).toMatch(/#1\.\d+\s+message\s+\S+\s+\d\d:\d\d:\d\d\s+\d+ \+ \d+ B/);
    await owner.at('back-to-room').click();
  });

  test('nothing was complained of, and no alarm was raised', async () => {
    expect([...owner.complaints, ...guest.complaints]).toEqual([]);
    expect((await owner.alarms()) + (await guest.alarms())).toBe(0);
  });
});
