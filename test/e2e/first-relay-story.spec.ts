/**
 * A link and a relay that somebody meets who comes or who goes, as people see it: the real page in real browsers,
 * one in English and one in French, served apart from a relay that lies. The owner has no screen.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Locator } from 'playwright-core';
import { Stage, stageOf } from '../hostile/stage.js';
import { value, type Member } from '../support/member.js';
import { openHurried } from '../support/platform.js';
import { until } from '../support/wait.js';
import { Front } from './front.js';
import { expiringAt } from './links.js';
import { launch, Profile } from './profile.js';

let stage: Stage;
let front: Front;
let browser: Browser;
/** without a screen: the owner, and who owns the room after her */
let amina: Member;
let ines: Member;
/** in English */
let tomas: Profile;
/** in French */
let lucie: Profile;
let roomId: string;

beforeAll(async () => {
  [stage, browser] = await Promise.all([Stage.open(openHurried), launch()]);
  front = await Front.start(stage.relay.url);
  tomas = await Profile.create(browser, 'Tomás', front.url);
  lucie = await Profile.create(browser, 'Lucie', front.url, 'fr-FR');
  await lucie.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  [amina, ines] = [await stage.member('Amina', front.url), await stage.member('Inès', front.url)];
  roomId = await amina.createRoom('Rive', 100);
  value(await ines.api.join((await amina.invite(roomId)).link, 'Inès'));
  await ines.admitted(roomId);
});

afterAll(async () => {
  await browser.close();
  front.stop();
  await stage.close();
});

const refused = (profile: Profile, code: string): Locator =>
  profile.page.locator(`[data-testid="join-refused"][data-code="${code}"]`);

async function paste(profile: Profile, link: string): Promise<void> {
  await profile.at('paste-invite').fill(link);
  await profile.at('read-invite').click();
}

const idOf = async (profile: Profile): Promise<string> =>
  until(
    `${profile.name} to be a member`,
    () => amina.room?.members.find(({ name }) => name === profile.name)?.memberId,
  );

/** The last moment that a date can be, one later, and a year from now. */
const TOO_LATE = [8_640_000_000_000_000, 8_640_000_000_000_001, Date.now() + 365 * 86_400_000];

/** From a fresh profile to the place where a link is pasted; each that lasts too long is refused there. */
async function refusesWhatLastsTooLong(profile: Profile, link: string, title: string): Promise<void> {
  await profile.open('/join');
  await profile.firstPassphrase();
  for (const expires of TOO_LATE) {
    await paste(profile, expiringAt(link, expires));
    await refused(profile, 'INVITE_MALFORMED').waitFor();
    expect(await refused(profile, 'INVITE_MALFORMED').locator('h1').innerText()).toBe(title);
    for (const id of ['join-start', 'join-name']) expect(await profile.at(id).count()).toBe(0);
    await profile.at('join-drop').click();
  }
  expect(stage.relay.requests('claim').filter(({ memberId }) => memberId !== ines.room?.me)).toEqual([]);
}

describe('a link that lasts too long', () => {
  test('is an error without a button, and as it was made it leads in', async () => {
    const { link } = await amina.invite(roomId);
    await refusesWhatLastsTooLong(tomas, link, 'This invite link cannot be used');
    await refusesWhatLastsTooLong(lucie, link, 'Ce lien d’invitation ne peut pas servir');
    await paste(tomas, link);
    await tomas.startJoin();
    await tomas.enter();
  });
});

describe('“declined”', () => {
  test('by the relay is put as its word, and the same link goes on once that lie ends', async () => {
    // The owner hears of nobody.
    const declined = { stage: 'dropped', reason: 'declined' } as const;
    stage.relay.onEvent('join', () => null);
    stage.relay.onReply('joinRequest', () => declined);
    stage.relay.onReply('claim', () => declined);
    const { link } = await amina.invite(roomId);
    await paste(lucie, link);
    await lucie.startJoin();
    const card = refused(lucie, 'JOIN_DECLINED');
    await card.waitFor();
    const words = await card.innerText();
    expect(words).toContain('Le relais dit que l’entrée vous a été refusée');
    expect(words).toContain('La ou le responsable n’a pas signé cela.');
    expect(await lucie.at('join-kept').innerText()).toBe(
      'Rien n’est perdu\u00a0: votre clé et l’invitation sont gardées ici.',
    );
    const asked = stage.relay.requests('claim').at(-1)?.memberId;
    await lucie.at('join-home').click();
    stage.relay.honest();
    await lucie.at('join-room').first().click();
    await paste(lucie, link);
    // As a network falls: the owner asks who has come meanwhile.
    stage.relay.cut(amina.room?.me ?? '');
    await lucie.enter();
    expect(await idOf(lucie)).toBe(asked);
  });
});

describe('a request to leave', () => {
  test('that the relay swallows keeps nobody: the room is deleted here, after a warning', async () => {
    const answer = { placed: { position: { g: 1, s: 9 }, time: Date.now() } };
    stage.relay.onRequest('leaveRequest', () => ({ answer }));
    await tomas.openMembers();
    await tomas.at('leave-room').click();
    await tomas.at('leave-confirm').click();
    await tomas.at('leaving-me').waitFor();
    await tomas.at('forget-room').click();
    expect(await tomas.at('forget-unconfirmed').innerText()).toBe(
      'The relay has not confirmed your request to leave. Once the room is deleted here, the request is no longer sent. ' +
        'Until the owner’s device learns of it, the others may still see you as a member, and their keys are not changed.',
    );
    await tomas.at('forget-confirm').click();
    await tomas.at('room-link').waitFor({ state: 'detached' });
    stage.relay.honest();
    // What was warned of: nobody has learned of it.
    expect(await idOf(tomas)).not.toBe('');
  });
});

describe('a line that waits when the room is closed', () => {
  test('by an owner to whom it was handed meanwhile: who closed it is said, and the line is kept to be copied', async () => {
    const me = await idOf(lucie);
    stage.relay.onRequest('append', ({ memberId }) => (memberId === me ? 'drop' : undefined));
    await lucie.say('pas à temps');
    await lucie.page.locator('[data-testid="message"][data-state="sending"]').waitFor();
    await lucie.close();
    value(await amina.api.offerOwnership(roomId, ines.room?.me ?? ''));
    await until('the offer', () => ines.room?.ownershipTransfer?.role === 'offered');
    value(await ines.api.acceptOwnership(roomId));
    await until('the room to be hers', () => ines.room?.owner);
    value(await ines.api.closeRoom(roomId));
    await until('it to be closed', () => stageOf(ines, roomId) === 'closed');
    await lucie.open();
    await lucie.unlock();
    await lucie.at('room-link').first().click();
    await lucie.page.locator('[data-testid="room-ended"][data-stage="closed"]').waitFor();
    const line = lucie.page.locator('[data-testid="message"][data-state="unsent"]');
    await line.waitFor();
    expect(await line.innerText()).toContain('pas à temps');
    expect(await line.innerText()).toContain('Pas envoyé');
    await line.getByTestId('copy-unsent').click();
    await line.getByTestId('copy-unsent').filter({ hasText: 'Copié' }).waitFor();
    // The page itself is denied to read it.
    const elsewhere = await lucie.context.newPage();
    await elsewhere.goto(`${lucie.url}/icon.svg`);
    expect(await elsewhere.evaluate(() => navigator.clipboard.readText())).toBe('pas à temps');
    await elsewhere.close();
    const closed = lucie.page.locator('[data-testid="system-line"][data-event="closed"]');
    expect(await closed.innerText()).toContain('Inès a fermé la salle');
    expect([await lucie.alarms(), await lucie.at('room-stopped').count()]).toEqual([0, 0]);
  });
});

test('no page broke its policies or logged an error', () => {
  expect([...tomas.complaints, ...lucie.complaints]).toEqual([]);
});
