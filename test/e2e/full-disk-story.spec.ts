/**
 * A browser that gives the page no more storage, for real: Chromium's own quota, made small by its DevTools protocol
 * and filled by using a room (G14, G16). The page says so, loses nothing, and goes on by itself once there is room.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, CDPSession, Locator } from 'playwright-core';
import { Member, value } from '../support/member.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { launch, Profile } from './profile.js';

let relay: RelayProcess;
let browser: Browser;
let tomas: Profile;
/** without a screen: it is the other's page that is looked at */
let ines: Member;
let devTools: CDPSession;
let roomId: string;

/** Bytes that the browser gives this origin at first: some dozens of long lines. */
const QUOTA = 600_000;
/** More of them than there is room for. */
const MOST_LINES = 200;
const LINE = 'a line that takes some room, '.repeat(250);
const TYPED = `${LINE}${LINE}typed while it is full`;

beforeAll(async () => {
  [relay, browser] = await Promise.all([RelayProcess.start(), launch()]);
  ines = await Member.create('Inès', relay.url);
  roomId = await ines.createRoom('Rive', 100);
  tomas = await Profile.create(browser, 'Tomás', relay.url);
  // Before anything is stored: the browser does not look again at each write, for up to half a minute.
  devTools = await tomas.context.newCDPSession(await tomas.context.newPage());
  await devTools.send('Storage.overrideQuotaForOrigin', { origin: relay.url, quotaSize: QUOTA });
  await tomas.open((await ines.invite(roomId)).link);
  await tomas.firstPassphrase();
  await tomas.startJoin();
  await tomas.enter();
  await until('both to be there', () => ines.room?.members.every(({ name }) => name !== '') === true);
  await ines.say(roomId, 'before');
  await tomas.say('before too');
  await Promise.all([tomas.has('before', 'before too'), ines.has('before', 'before too')]);
});

afterAll(async () => {
  await browser.close();
  await ines.remove();
  await relay.remove();
});

const full = (): Locator => tomas.page.locator('[data-testid="room-stopped"][data-code="VAULT_FULL"]');

/** Texts of its rows, whatever their states. */
const rows = async (): Promise<readonly string[]> =>
  (await tomas.page.locator('[data-testid="message"] .msg__text').allTextContents()).map((text) =>
    text.trim(),
  );

describe('a device whose storage is full', () => {
  test('is named by the page, in words that say what to do', async () => {
    for (let n = 1; n <= MOST_LINES && !(await full().isVisible()); n++) {
      await ines.say(roomId, `${LINE}${String(n)}`);
      await until('it to be shown, or not to be stored', async () => {
        if (await full().isVisible()) return true;
        return (await tomas.texts()).includes(`${LINE}${String(n)}`);
      });
    }
    await ines.say(roomId, 'while it is full');
    await full().waitFor();
    const words = await full().innerText();
    expect(words).toContain('The browser has no storage left for 0FC. Free some space');
    expect(words).toContain('nothing that was stored is lost');
    expect(words).toContain('This page tries again by itself');
    // What could not be stored is not shown as if it were.
    expect(await rows()).not.toContain('while it is full');
    await tomas.picture('full-disk');
  });

  test('keeps what is typed where it was typed, and sends none of it', async () => {
    await tomas.say(TYPED);
    await tomas.page.locator('#composer-error').getByText('no storage left').waitFor();
    expect(await tomas.at('composer').inputValue()).toBe(TYPED);
    expect(await rows()).not.toContain(TYPED);
  });

  test('goes on by itself once there is room, with all of that time', async () => {
    await ines.say(roomId, 'and this');
    await devTools.send('Storage.overrideQuotaForOrigin', { origin: relay.url });
    await full().waitFor({ state: 'detached' });
    await tomas.has('before', 'before too', 'while it is full', 'and this');
    await tomas.at('send').click();
    await ines.has(TYPED);
    value(await ines.api.rotateNow(roomId));
    await ines.say(roomId, 'under another key');
    await tomas.has(TYPED, 'under another key');
  });

  test('has lost nothing over a restart, and shows nothing twice', async () => {
    const before = await tomas.texts();
    await tomas.page.reload();
    await tomas.unlock();
    await tomas.openRoom();
    await tomas.has(...before);
    expect(await tomas.texts()).toEqual(before);
    expect(before).toEqual(ines.texts);
    expect(await tomas.alarms()).toBe(0);
    expect(ines.alarms).toEqual([]);
    expect(tomas.complaints).toEqual([]);
  });
});
