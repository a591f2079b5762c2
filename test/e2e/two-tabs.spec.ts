/**
 * Two tabs of one browser at the moment when a vault of version 0.1 becomes one of today: one of them has the vault,
 * it is migrated once, and whoever dies in the middle of it costs nothing.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import type { Browser, BrowserContext, Route } from 'playwright-core';
import { copyOf } from '../fixtures/fixture.js';
import { RelayProcess } from '../support/relay-process.js';
import { until } from '../support/wait.js';
import { launch, type Profile } from './profile.js';
import { beginningsOf, profileOf, ROOM } from './v01-profile.js';

/** A put into the vault: the n-th of its worker, or that of the vault's header, which is the migration's last. */
type Put = number | 'header';

/** Runs in the worker, before its script: it asks the test, and stands still until that answers. */
const watching = (held: Put | null): string => `{
  const put = IDBObjectStore.prototype.put;
  const ask = (what) => {
    const request = new XMLHttpRequest();
    request.open('GET', '/asks/' + what, false);
    request.send();
  };
  let puts = 0;
  IDBObjectStore.prototype.put = function (value, key) {
    puts += 1;
    const isHeader = String(key) === 'vault,header';
    if (${JSON.stringify(held)} === puts || (${JSON.stringify(held)} === 'header' && isHeader)) ask('held');
    if (isHeader) ask('header');
    return put.call(this, value, key);
  };
}
`;

/** What the workers of a browser's profile do with its vault. */
class Watch {
  /** the next worker that starts is held at this put */
  hold: Put | null = null;
  /** times that a header was written */
  headers = 0;
  #held: Route | null = null;

  static async over(context: BrowserContext): Promise<Watch> {
    const watch = new Watch();
    // A script that no server gave is of no network: without leave its worker reaches no relay on this machine.
    await context.grantPermissions(['local-network-access']);
    // Not its chunks, which load later: what is put before the script would be there twice.
    await context.route(/\/worker-(?!chunk-)[^/]+\.js$/, async (route) => {
      // The page looks first whether the file is the one that it names.
      if (route.request().resourceType() === 'fetch') return route.continue();
      const before = watching(watch.hold);
      watch.hold = null;
      const response = await route.fetch();
      await route.fulfill({ response, body: before + (await response.text()) });
    });
    await context.route('**/asks/held', (route) => {
      watch.#held = route;
    });
    await context.route('**/asks/header', (route) => {
      watch.headers += 1;
      return route.fulfill({ body: '' });
    });
    return watch;
  }

  /** Resolves once a worker stands still. */
  async held(): Promise<Route> {
    return until('a worker to be held', () => this.#held);
  }
}

let folder: string;
let relay: RelayProcess;
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
beforeEach(async () => {
  folder = await copyOf('relay');
  relay = await RelayProcess.start({ DATA_DIR: folder, ROOM_IDLE_DAYS: '0' });
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await relay.remove();
  await rm(folder, { recursive: true });
});
afterAll(() => browser.close());

const isOpen = (tab: Profile): Promise<boolean> => tab.at('room-link').first().isVisible();
const isElsewhere = (tab: Profile): Promise<boolean> => tab.at('elsewhere').isVisible();

/** “Look again”, and the passphrase, until this tab has the vault: a worker that is ended takes a moment. */
async function takeOver(tab: Profile, passphrase: string): Promise<void> {
  await until('the tab to have the vault', async () => {
    await tab.at('elsewhere').locator('button').click();
    await tab.at('passphrase').waitFor();
    await tab.unlock(passphrase);
    await tab.at('room-link').or(tab.at('elsewhere')).first().waitFor();
    return isOpen(tab);
  });
}

/** It shows what version 0.1 showed, and goes on: in a new room of that name. */
async function expectWhole(tab: Profile, place: string, word: string): Promise<void> {
  await tab.openEndedRoom(ROOM);
  const beginnings = beginningsOf(place);
  expect(beginnings.length).toBeGreaterThan(5);
  await until('its lines', async () => (await tab.texts()).length >= beginnings.length);
  const texts = await tab.texts();
  expect(beginnings.map((text, at) => texts[at]?.slice(0, text.length))).toEqual(beginnings);
  await tab.createRoom(word, 100);
  await tab.say(word);
  await tab.has(word);
  expect(await tab.alarms()).toBe(0);
  expect(tab.complaints).toEqual([]);
}

const PLACES = ['page/owner.json', 'page/member.json'] as const;

describe('two tabs over a vault of version 0.1', () => {
  test.each(PLACES)('unlocked at once: one has it and migrates it, once (%s)', async (place) => {
    const { profile, passphrase } = await profileOf(place, browser, relay.url);
    const watch = await Watch.over(profile.context);
    const tabs = [profile, profile.tab()];
    for (const tab of tabs) await tab.open();
    for (const tab of tabs) await tab.at('passphrase').fill(passphrase);
    await Promise.all(tabs.map((tab) => tab.at('unlock').click()));
    const states = (): Promise<readonly string[]> =>
      Promise.all(
        tabs.map(async (tab) => ((await isOpen(tab)) ? 'open' : (await isElsewhere(tab)) ? 'elsewhere' : '')),
      );
    await until('both to know where the vault is', async () =>
      (await states()).every((state) => state !== ''),
    );
    expect([...(await states())].sort()).toEqual(['elsewhere', 'open']);
    expect(watch.headers).toBe(1);
    const [first, second] = (await isOpen(tabs[0]!)) ? [tabs[0]!, tabs[1]!] : [tabs[1]!, tabs[0]!];
    await expectWhole(first, place, 'Du premier onglet');
    await first.close();
    await takeOver(second, passphrase);
    await expectWhole(second, place, 'Du second onglet');
    expect(await second.at('room-link').filter({ hasText: 'Du premier onglet' }).count()).toBe(1);
    expect(watch.headers).toBe(1);
  });

  test.each<Put>([1, 6, 'header'])(
    'one of which dies while it writes put %s of the migration: the other finds the old vault, and migrates it',
    async (put) => {
      const [place] = PLACES;
      const { profile, passphrase } = await profileOf(place, browser, relay.url);
      const watch = await Watch.over(profile.context);
      const second = profile.tab();
      watch.hold = put;
      await profile.open();
      await profile.at('passphrase').waitFor();
      await second.open();
      await second.at('passphrase').waitFor();
      await profile.unlock(passphrase);
      await watch.held();
      await second.unlock(passphrase);
      await second.at('elsewhere').waitFor();
      await profile.close();
      await takeOver(second, passphrase);
      expect(watch.headers).toBe(1);
      await expectWhole(second, place, 'De l’autre onglet');
    },
  );

  test('one of which is slow in the middle of it: the other waits for its turn, and finds it done', async () => {
    const [place] = PLACES;
    const { profile, passphrase } = await profileOf(place, browser, relay.url);
    const watch = await Watch.over(profile.context);
    const second = profile.tab();
    watch.hold = 'header';
    await profile.open();
    await profile.at('passphrase').waitFor();
    await second.open();
    await second.at('passphrase').waitFor();
    await profile.unlock(passphrase);
    const held = await watch.held();
    await second.unlock(passphrase);
    await second.at('elsewhere').waitFor();
    await held.fulfill({ body: '' });
    await expectWhole(profile, place, 'Enfin ouvert');
    await profile.close();
    await takeOver(second, passphrase);
    await expectWhole(second, place, 'De l’autre onglet');
    expect(watch.headers).toBe(1);
  });
});
