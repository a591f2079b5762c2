/**
 * A thief of a device, in Firefox and in WebKit with a profile on disk, killed behind each act with -9: what is deleted, edited
 * away, revoked, changed or erased opens no more (docs/decisions/0041, 0044; G8, G14). test/e2e/thief-story.spec.ts does so in Chromium.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { exposeSecret, parseInvite } from '@0fc/crypto/keys';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { bodiesOf, isKeyFile, letGo, pagedKeyFileOf, recordsOf } from '../support/carving.js';
import { readDatabases } from '../support/databases.js';
import { RelayProcess } from '../support/relay-process.js';
import { Thief, type Taken } from '../support/thief.js';
import { until } from '../support/wait.js';
import type { BrowserOnDisk } from './browser-on-disk.js';
import { Firefox } from './firefox.js';
import { KEY } from './page.js';
import { WebKit } from './webkit.js';

jest.setTimeout(600_000);

const ROOM = 'Verger';
const DELETED = 'behind the third quince';
const EDITED = 'half of that ladder';
const LAST = 'no ladder at all';
const FIRST = 'first orchard in fog';
const NEXT = 'other orchard in sun';

interface Case {
  readonly name: string;
  readonly create: () => Promise<BrowserOnDisk>;
  /** whether it has files that are overwritten in place */
  readonly overwrites: boolean;
}

const CASES: readonly Case[] = [
  { name: 'Firefox', create: () => Firefox.create(), overwrites: true },
  { name: 'WebKit', create: () => WebKit.create(), overwrites: false },
];

/** What a page asks of its server once it is erased fails; all else goes on. */
function withoutErased(): void {
  const { fetch } = globalThis;
  globalThis.fetch = (to, options) =>
    to === '/erased' ? Promise.reject(new TypeError('no such server')) : fetch(to, options);
}

let relay: RelayProcess;

beforeAll(async () => {
  await loadThemis();
  relay = await RelayProcess.start();
});

afterAll(() => relay.remove());

describe.each(CASES)('a thief of a $name profile', ({ create, overwrites }) => {
  let browser: BrowserOnDisk;
  let thief: Thief;
  let token: Uint8Array;
  let erased = false;

  beforeAll(async () => {
    browser = await create();
    thief = new Thief(taken);
  });

  afterAll(() => browser.remove());

  /** The profile as it is now: records by the browser's own hand; its key file as it lies on the disk, or in the database. */
  async function taken(): Promise<Taken> {
    const databases = await browser.page.evaluate(readDatabases);
    const files = await browser.filesThat(isKeyFile);
    const paged = pagedKeyFileOf(databases);
    expect([files.length, paged.length > 0]).toEqual([overwrites ? 1 : 0, !overwrites && !erased]);
    return { records: recordsOf(databases), keyFile: overwrites ? new Uint8Array(files[0]!.bytes) : paged };
  }

  /**
   * What an act has let go of has keys that have changed; where the browser overwrites, the old ones are in none of its files. That
   * files are looked through as they are: what is there now is found.
   */
  async function expectShut(before: Taken): Promise<void> {
    const now = await taken();
    const { entries } = letGo(before, now);
    const have = (what: readonly Buffer[]) =>
      browser.filesThat((bytes) => what.some((one) => bytes.includes(one)));
    expect(entries.length).toBeGreaterThan(0);
    if (overwrites) expect((await have(entries)).map(({ path }) => path)).toEqual([]);
    if (!erased) expect((await have(bodiesOf(now.records))).length).toBeGreaterThan(0);
  }

  async function unlock(passphrase: string): Promise<void> {
    await browser.page.fill('passphrase', passphrase);
    await browser.page.click('unlock');
  }

  async function firstPassphrase(): Promise<void> {
    await browser.page.fill('passphrase', FIRST);
    await browser.page.fill('passphrase-again', FIRST);
    await browser.page.click('unlock');
    await browser.page.see('new-room');
  }

  async function killed(): Promise<void> {
    await browser.kill();
    await browser.start();
    await browser.page.open(relay.url);
  }

  async function openRoom(passphrase: string): Promise<void> {
    await unlock(passphrase);
    await browser.page.click('room-link');
    await browser.page.see('composer');
  }

  async function say(text: string): Promise<void> {
    await browser.page.fill('composer', text);
    await browser.page.type(KEY.enter);
    await browser.page.see('message', text);
  }

  /** On the page of settings, and where it erases. */
  async function expectTold(): Promise<void> {
    expect(await browser.page.attribute('storage-overwrites', 'data-overwrites')).toBe(String(overwrites));
  }

  async function eraseAll(): Promise<void> {
    const { page } = browser;
    // From a page that is unlocked: it gives the vault up, even where the browser keeps it to show it again.
    await page.open(relay.url);
    // As where another server than the relay has the page: the browser is not told to drop the rest.
    await page.evaluate(withoutErased);
    await page.click('forgotten');
    await page.click('erase');
    await page.see('erase-word');
    expect(await page.isSeen('erase-leaves')).toBe(!overwrites);
    await page.fill('erase-word', 'ERASE');
    await page.click('erase-confirm');
    await page.see('passphrase-again');
  }

  test('finds no line that was deleted, no words that were edited away, no token of an invite that was revoked', async () => {
    await browser.page.open(relay.url);
    await firstPassphrase();
    const { page } = browser;
    await page.click('new-room');
    await page.fill('room-name', ROOM);
    await page.fill('display-name', 'Amina');
    await page.click('create');
    await page.see('composer');
    await say(DELETED);
    await say(EDITED);
    await page.click('open-members');
    await page.click('make-invite');
    token = exposeSecret((await parseInvite(nodeHash, await page.value('invite-link'))).token);
    const secrets = { DELETED, EDITED, token };
    const before = await thief.watch();
    for (const [name, count] of Object.entries(await thief.finds(secrets, [FIRST])))
      expect([name, count > 0]).toEqual([name, true]);

    await page.click('revoke-invite');
    await page.gone('revoke-invite');
    await page.click('back-to-room');
    await page.focus('message', DELETED);
    await page.type(KEY.delete);
    await page.click('delete-confirm');
    await page.see('deleted');
    await page.click('composer');
    await page.type(KEY.arrowUp);
    await page.fill('composer', LAST);
    await page.type(KEY.enter);
    await page.see('message', LAST);
    await page.see('edited');
    await killed();

    const none = { DELETED: 0, EDITED: 0, token: 0 };
    expect(await thief.finds(secrets, [FIRST])).toEqual(none);
    for (const [name, count] of Object.entries(await thief.finds(secrets, [FIRST], before)))
      expect([name, count > 0]).toEqual([name, true]);
    await expectShut(before);
    await openRoom(FIRST);
    await browser.page.see('message', LAST);
  });

  test('opens nothing with a passphrase that was changed', async () => {
    const { page } = browser;
    const before = await thief.watch();
    await page.click('open-settings');
    await page.see('storage-overwrites');
    await expectTold();
    await page.click('change-open');
    await page.fill('current-passphrase', FIRST);
    await page.fill('next-passphrase', NEXT);
    await page.fill('next-passphrase-again', NEXT);
    await page.click('change-confirm');
    await page.see('passphrase-changed');
    // While the records are sealed again, or after it.
    await killed();
    expect(await thief.opens([FIRST])).toEqual([]);
    await openRoom(NEXT);
    await browser.page.see('message', LAST);
    await until('every record to be under the new key', async () =>
      (await taken()).records.every(({ key }) => key !== 'renewal'),
    );
    const found = await thief.finds({ DELETED, EDITED, token, LAST }, [FIRST, NEXT]);
    expect(found).toEqual({ DELETED: 0, EDITED: 0, token: 0, LAST: found.LAST });
    expect(found.LAST).toBeGreaterThan(0);
    expect(await thief.opens([FIRST])).toEqual([]);
    expect((await thief.finds({ LAST }, [FIRST], before)).LAST).toBeGreaterThan(0);
    await expectShut(before);
  });

  test('opens nothing once the device was erased', async () => {
    const before = await thief.watch();
    await eraseAll();
    erased = true;
    await killed();
    await browser.page.see('passphrase-again');
    expect(await thief.opens([FIRST, NEXT])).toEqual([]);
    expect((await thief.finds({ LAST }, [NEXT], before)).LAST).toBeGreaterThan(0);
    await expectShut(before);
    await firstPassphrase();
  });
});

describe('a private window of Firefox', () => {
  test('has the keys in its database, and the page says that it cannot overwrite', async () => {
    const browser = await Firefox.create('private');
    try {
      const { page } = browser;
      await page.open(relay.url);
      await page.fill('passphrase', FIRST);
      await page.fill('passphrase-again', FIRST);
      await page.click('unlock');
      await page.click('open-settings');
      await page.see('storage-overwrites');
      expect(await page.attribute('storage-overwrites', 'data-overwrites')).toBe('false');
      expect(isKeyFile(Buffer.from(pagedKeyFileOf(await page.evaluate(readDatabases))))).toBe(true);
      expect(await browser.filesThat(isKeyFile)).toEqual([]);
    } finally {
      await browser.remove();
    }
  });
});
