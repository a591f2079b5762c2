/**
 * A thief of a device, in a real browser with a profile on disk: what is deleted, edited away, burnt, changed or erased is in its
 * files still, and opens no more (docs/decisions/0041; G8, G14). The browser is killed behind each act, with -9.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { exposeSecret, parseInvite } from '@0fc/crypto/keys';
import { loadThemis, nodeHash } from '@0fc/crypto/node';
import { bodyOf, isKeyFile, letGo, recordsOf } from '../support/carving.js';
import { readDatabases } from '../support/databases.js';
import { RelayProcess } from '../support/relay-process.js';
import { Thief, type Taken } from '../support/thief.js';
import { until } from '../support/wait.js';
import { BrowserProfile } from './browser-profile.js';
import { Profile } from './profile.js';

jest.setTimeout(600_000);

const ROOM = 'Verger des Quatre Vents';
const DELETED = 'the ladder stands behind the third quince tree';
const EDITED = 'half of what was said of that ladder';
const LAST = 'what is said of that ladder now';
const NEXT = 'another passphrase of the orchard, the second';

let relay: RelayProcess;
let browser: BrowserProfile;
let amina: Profile;
let thief: Thief;
let token: Uint8Array;

beforeAll(async () => {
  await loadThemis();
  [relay, browser] = await Promise.all([RelayProcess.start(), BrowserProfile.start()]);
  amina = Profile.on(browser.browser, 'Amina', relay.url);
  thief = new Thief(taken);
});

afterAll(async () => {
  await Promise.all([browser.remove(), relay.remove()]);
});

/** The profile as it is now: records by the browser's own hand, the key file as it lies on the disk. */
async function taken(): Promise<Taken> {
  const records = recordsOf(await amina.page.evaluate(readDatabases));
  const files = await browser.filesThat(isKeyFile);
  expect(files).toHaveLength(1);
  return { records, keyFile: new Uint8Array(files[0]!.bytes) };
}

/** What an act has let go of: carved out of the profile's files, and of its old keys none is in any of them. */
async function expectCarvedAndShut(before: Taken): Promise<void> {
  const { entries, bodies } = letGo(before, await taken());
  expect(entries.length).toBeGreaterThan(0);
  expect(await browser.filesThat((bytes) => entries.some((entry) => bytes.includes(entry)))).toEqual([]);
  const carved = await browser.filesThat((bytes) => bodies.some((body) => bytes.includes(body)));
  expect(carved.length).toBeGreaterThan(0);
}

const row = (text: string) => amina.at('message').filter({ hasText: text });

async function again(passphrase: string): Promise<void> {
  await browser.kill();
  await browser.start();
  amina = Profile.on(browser.browser, 'Amina', relay.url);
  await amina.open();
  await amina.unlock(passphrase);
}

async function expectGone(
  secrets: Readonly<Record<string, Uint8Array | string>>,
  act: () => Promise<unknown>,
): Promise<void> {
  const before = await thief.watch();
  const known = [amina.passphrase];
  for (const [name, count] of Object.entries(await thief.finds(secrets, known)))
    expect([name, count > 0]).toEqual([name, true]);
  await act();
  const none = Object.fromEntries(Object.keys(secrets).map((name) => [name, 0]));
  expect(await thief.finds(secrets, known)).toEqual(none);
  for (const [name, count] of Object.entries(await thief.finds(secrets, known, before)))
    expect([name, count > 0]).toEqual([name, true]);
  await expectCarvedAndShut(before);
  await again(amina.passphrase);
  await amina.openRoom();
  expect(await thief.finds(secrets, known)).toEqual(none);
}

describe('a thief of a browser’s profile', () => {
  test('finds no line that was deleted and no words that were edited away', async () => {
    await amina.open();
    await amina.firstPassphrase();
    await amina.createRoom(ROOM, 100);
    await amina.say(DELETED);
    await amina.say(EDITED);
    await amina.has(DELETED, EDITED);
    await expectGone({ DELETED, EDITED }, async () => {
      await row(DELETED).focus();
      await amina.page.keyboard.press('Delete');
      await amina.at('delete-confirm').click();
      await amina.at('deleted').waitFor();
      await amina.at('composer').press('ArrowUp');
      await amina.at('composer').fill(LAST);
      await amina.at('composer').press('Enter');
      await row(LAST).getByTestId('edited').waitFor();
    });
    await row(LAST).waitFor();
  });

  test('finds no token of an invite that was revoked', async () => {
    const link = await amina.makeInvite();
    token = exposeSecret((await parseInvite(nodeHash, link)).token);
    await expectGone({ token }, async () => {
      await amina.openMembers();
      await amina.at('revoke-invite').first().click();
      await amina.at('revoke-invite').first().waitFor({ state: 'detached' });
    });
  });

  test('opens nothing with a passphrase that was changed', async () => {
    const before = await thief.watch();
    await amina.at('open-settings').first().click();
    await amina.at('change-open').click();
    await amina.at('current-passphrase').fill(amina.passphrase);
    await amina.at('next-passphrase').fill(NEXT);
    await amina.at('next-passphrase-again').fill(NEXT);
    await amina.at('change-confirm').click();
    await amina.at('passphrase-changed').waitFor();
    expect(await thief.opens([amina.passphrase])).toEqual([]);
    const gone = { DELETED, EDITED, token };
    const none = { DELETED: 0, EDITED: 0, token: 0 };
    expect(await thief.finds(gone, [amina.passphrase, NEXT])).toEqual(none);
    // Killed while the records are sealed again, or after it.
    await again(NEXT);
    await amina.openRoom();
    await row(LAST).waitFor();
    await until('every record to be under the new key', async () =>
      (await taken()).records.every(({ key }) => key !== 'renewal'),
    );
    expect(await thief.opens([amina.passphrase])).toEqual([]);
    expect(await thief.finds(gone, [amina.passphrase, NEXT])).toEqual(none);
    expect((await thief.finds({ LAST }, [NEXT])).LAST).toBeGreaterThan(0);
    await expectCarvedAndShut(before);
  });

  test('opens nothing once the device was erased, and the browser was killed at once', async () => {
    const before = await thief.watch();
    await amina.page.reload();
    await amina.at('forgotten').click();
    await amina.at('erase').click();
    await amina.at('erase-word').fill('ERASE');
    // As where another server than the relay has the page: the browser is not told to drop the rest.
    await amina.page.route('**/erased', (route) => route.abort());
    await amina.at('erase-confirm').click();
    await amina.at('passphrase-again').waitFor();
    await browser.kill();
    await browser.start();
    amina = Profile.on(browser.browser, 'Amina', relay.url);
    await amina.open();
    await amina.at('passphrase-again').waitFor();
    expect(await thief.opens([amina.passphrase, NEXT])).toEqual([]);
    expect((await thief.finds({ LAST }, [NEXT], before)).LAST).toBeGreaterThan(0);
    await expectCarvedAndShut(before);
    // The same page, where it is the relay's.
    await amina.firstPassphrase();
    await amina.at('new-room').first().waitFor();
    await amina.page.reload();
    await amina.at('forgotten').click();
    await amina.at('erase').click();
    await amina.at('erase-word').fill('ERASE');
    const told = amina.page.waitForResponse((response) => response.url().endsWith('/erased'));
    await amina.at('erase-confirm').click();
    expect((await told).status()).toBe(204);
    await amina.at('passphrase-again').waitFor();
    const bodies = before.records.map(bodyOf);
    await until('the browser to have dropped the database', async () => {
      const left = await browser.filesThat((bytes) => bodies.some((body) => bytes.includes(body)));
      return left.length === 0;
    });
    await amina.firstPassphrase();
    await amina.at('new-room').first().waitFor();
  });
});
