/**
 * Members' acts in a real browser: keys compared before and after the admission, settings, an
 * export that comes to another device, a hand-over, a departure, a removal, and the end of a room.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { RelayProcess } from '../support/relay-process.js';
import { launch, Profile } from './profile.js';

const FILE_PASSPHRASE = 'six words of the exported file';
const IDLE_MINUTE_MS = 61_000;

let relay: RelayProcess;
let browser: Browser;
let owner: Profile;
let guest: Profile;
/** the guest's next device */
let moved: Profile;
let third: Profile;
let file: Buffer;

beforeAll(async () => {
  [relay, browser] = await Promise.all([RelayProcess.start(), launch()]);
  owner = await Profile.create(browser, 'Amina', relay.url);
  guest = await Profile.create(browser, 'Tomás', relay.url);
  moved = await Profile.create(browser, 'Tomás', relay.url);
  third = await Profile.create(browser, 'Inès', relay.url);
});

afterAll(async () => {
  await browser.close();
  await relay.remove();
});

const digits = (profile: Profile): Promise<string | null> =>
  profile.at('safety-number').first().getAttribute('data-digits');

/** Opens what can be done about the only other member, or the one named. */
async function actions(profile: Profile, name?: string): Promise<void> {
  const rows = profile.at('member');
  const row = name === undefined ? rows : rows.filter({ hasText: name });
  await row.getByTestId('member-actions').first().click();
}

async function count(profile: Profile, members: number): Promise<void> {
  await profile
    .at('member')
    .nth(members - 1)
    .waitFor();
  await profile.at('member').nth(members).waitFor({ state: 'detached' });
}

async function chooses(profile: Profile, field: string, passphrase: string): Promise<void> {
  await profile.at(field).fill(passphrase);
  await profile.at(`${field}-again`).fill(passphrase);
}

const refused = (profile: Profile, code: string): Promise<void> =>
  profile.page.locator(`[data-testid="error"][data-code="${code}"]`).first().waitFor();

describe('the members’ story', () => {
  test('both read the same number before the admission, and after it', async () => {
    await owner.open();
    await owner.firstPassphrase();
    await owner.createRoom('Rive', 100);
    await guest.open(await owner.makeInvite());
    await guest.firstPassphrase();
    await guest.startJoin();
    await owner.openMembers();
    await owner.at('approval-request').waitFor();
    const before = await digits(owner);
    expect(before).toMatch(/^\d{60}$/);
    expect(await digits(guest)).toBe(before);
    await owner.at('admit-join').click();
    await guest.enter();
    await count(owner, 2);
    await guest.openMembers();
    await Promise.all([owner, guest].map((profile) => actions(profile)));
    await Promise.all([owner, guest].map((profile) => profile.at('verify').click()));
    expect([await digits(owner), await digits(guest)]).toEqual([before, before]);
    await owner.at('mark-verified').click();
    await owner.at('unverify').waitFor();
    expect(await guest.at('verify-state').getAttribute('data-verified')).toBe('false');
    await Promise.all([owner, guest].map((profile) => profile.at('back-to-members').click()));
  });

  test('the room and a member are renamed, and a rotation is set, for both', async () => {
    await owner.at('set-every').fill('0');
    await owner.at('save-settings').click();
    await refused(owner, 'OUT_OF_RANGE');
    await owner.at('set-every').fill('25');
    await owner.at('set-name').fill('Rive Droite');
    await owner.at('save-settings').click();
    await owner.at('settings-saved').waitFor();
    await guest.page.locator('[data-testid="key-count"][data-rotate-every="25"]').waitFor();
    await guest.page.locator('.topbar__sub', { hasText: 'Rive Droite' }).waitFor();
    await guest.at('my-name').fill('Tomás P.');
    await guest.at('rename-me').click();
    await owner.at('member').filter({ hasText: 'Tomás P.' }).waitFor();
  });

  test('an export is saved, and comes to another device, which takes over', async () => {
    await guest.at('open-settings').first().click();
    await guest.at('export-open').click();
    await chooses(guest, 'export-passphrase', FILE_PASSPHRASE);
    const download = guest.page.waitForEvent('download');
    await guest.at('export-confirm').click();
    const saved = await download;
    expect(saved.suggestedFilename()).toMatch(/^0fc-\d{4}-\d\d-\d\d\.vault$/);
    file = await readFile(await saved.path());
    await guest.at('exported').waitFor();
    await moved.open();
    await moved.at('have-export').click();
    const bring = async (content: Buffer, passphrase: string): Promise<void> => {
      await moved
        .at('import-file')
        .setInputFiles({ name: '0fc.vault', mimeType: 'application/octet-stream', buffer: content });
      await moved.at('file-passphrase').fill(passphrase);
      await moved.at('import').click();
    };
    await chooses(moved, 'passphrase', moved.passphrase);
    await bring(Buffer.from('not an export'), FILE_PASSPHRASE);
    await refused(moved, 'EXPORT_DAMAGED');
    await bring(file, 'not the passphrase at all');
    await refused(moved, 'WRONG_PASSPHRASE');
    await bring(file, FILE_PASSPHRASE);
    await moved.openRoom();
    await moved.openMembers();
    await count(moved, 2);
    await guest.close();
  });

  test('a passphrase is changed: the old one opens nothing, the new one does', async () => {
    await moved.at('open-settings').first().click();
    await moved.at('change-open').click();
    await moved.at('current-passphrase').fill('not the passphrase at all');
    await chooses(moved, 'next-passphrase', 'another phrase for this device');
    await moved.at('change-confirm').click();
    await refused(moved, 'WRONG_PASSPHRASE');
    await moved.at('current-passphrase').fill(moved.passphrase);
    await moved.at('change-confirm').click();
    await moved.at('passphrase-changed').waitFor();
    await moved.close();
    await moved.open();
    await moved.unlock(moved.passphrase);
    await refused(moved, 'WRONG_PASSPHRASE');
    await moved.unlock('another phrase for this device');
    await moved.openRoom();
    await moved.openMembers();
  });

  test('a third one enters, and leaves: the others have a key that does not concern them', async () => {
    await owner.at('back-to-room').click();
    await third.open(await owner.makeInvite());
    await third.firstPassphrase();
    await third.startJoin();
    await owner.admit();
    await third.enter();
    await third.openMembers();
    await count(moved, 3);
    await third.at('leave-room').click();
    await third.at('leave-confirm').click();
    await third.page.locator('[data-testid="room-ended"][data-stage="left"]').waitFor();
    await count(moved, 2);
    await third.close();
  });

  test('the room is offered, declined, taken back, offered again and accepted', async () => {
    await owner.openMembers();
    await owner.at('leave-room').click();
    await owner.at('leave-owner').waitFor();
    await owner.page.keyboard.press('Escape');
    const offer = async (): Promise<void> => {
      await actions(owner, 'Tomás');
      await owner.at('transfer-ownership').click();
      await owner.at('transfer-ownership-confirm').click();
      await owner.at('ownership-transfer-card').waitFor();
    };
    await offer();
    // Neither a refusal nor a withdrawal travels: each side puts its own card away.
    await moved.at('decline-room').click();
    await moved.at('ownership-transfer-card').waitFor({ state: 'detached' });
    await owner.at('take-back').click();
    await owner.at('ownership-transfer-card').waitFor({ state: 'detached' });
    await offer();
    await moved.at('accept-room').click();
    await moved.at('close-room').waitFor();
    await owner.at('ownership-transfer-card').waitFor({ state: 'detached' });
    expect(await owner.at('make-invite').count()).toBe(0);
  });

  test('the new owner removes the old one, who is told, and closes the room for ever', async () => {
    await actions(moved);
    await moved.at('remove-member').click();
    await moved.at('remove-confirm').click();
    await count(moved, 1);
    await owner.page.locator('[data-testid="room-ended"][data-stage="removed"]').waitFor();
    await moved.at('close-room').click();
    await moved.at('close-word').fill('rive droite');
    await moved.at('close-confirm').click();
    await moved.page.locator('[data-testid="room-ended"][data-stage="closed"]').waitFor();
  });

  test('nobody there for a minute locks the vault, and nothing is lost', async () => {
    await moved.close();
    await moved.open();
    await moved.page.clock.install();
    await moved.unlock('another phrase for this device');
    await moved.at('open-settings').first().click();
    await moved.at('lock-after').selectOption('1');
    await moved.page.clock.fastForward(IDLE_MINUTE_MS);
    await moved.at('unlock').waitFor();
    await moved.unlock('another phrase for this device');
    await moved.at('lock-after').waitFor();
  });

  test('no page complained of anything', () => {
    expect([owner, guest, moved, third].flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
