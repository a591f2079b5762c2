/**
 * An owner who lies, who leaves many without a key, who lowers every setting and hands over, as people see it: the
 * real page in real browsers, one in English and one in French. The owner has no screen, and its keys lie by hand.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Locator } from 'playwright-core';
import { answerJoin, honestReply } from '../hostile/members/false-reply.js';
import { published } from '../hostile/members/published.js';
import { admitStrangers } from '../hostile/members/strangers.js';
import { Stage } from '../hostile/stage.js';
import { value, type Member } from '../support/member.js';
import { openHurried } from '../support/platform.js';
import { until } from '../support/wait.js';
import { Front } from './front.js';
import { launch, Profile } from './profile.js';

/** More than one record of the log holds. */
const LEFT_OUT = 20;

let stage: Stage;
let front: Front;
let browser: Browser;
/** without a screen, and the owner */
let amina: Member;
/** in English */
let tomas: Profile;
/** in French */
let lucie: Profile;
let roomId: string;

const idOf = (name: string): Promise<string> =>
  until(`${name} to be a member`, () => amina.room?.members.find((member) => member.name === name)?.memberId);

const systemLine = (profile: Profile, event: string): Locator =>
  profile.page.locator(`[data-testid="system-line"][data-event="${event}"]`).last();

/** What a screen reads, as one line. */
const wordsOf = async (where: Locator): Promise<string> =>
  (await where.innerText()).replace(/[ \n\t]+/g, ' ').trim();

async function comesBack(): Promise<void> {
  await amina.comeBack(roomId);
  await amina.live();
}

beforeAll(async () => {
  [stage, browser] = await Promise.all([Stage.open(openHurried), launch()]);
  front = await Front.start(stage.relay.url);
  tomas = await Profile.create(browser, 'Tomás', front.url);
  lucie = await Profile.create(browser, 'Lucie', front.url, 'fr-FR');
  amina = await stage.member('Amina', front.url);
  roomId = await amina.createRoom('Rive', 100);
  await tomas.open((await amina.invite(roomId)).link);
  await tomas.firstPassphrase();
  await tomas.startJoin();
  await tomas.enter();
  await tomas.say('before Lucie');
  await amina.has('before Lucie');
});

afterAll(async () => {
  await browser.close();
  front.stop();
  await stage.close();
});

describe('an owner’s reply to a join', () => {
  test('that places the joiner beyond the end of the log is named as the cause, and the join can be given up', async () => {
    const { link } = await amina.invite(roomId);
    const byHand = await stage.byHand(amina, roomId);
    await lucie.open(link);
    await lucie.firstPassphrase();
    await lucie.startJoin();
    const reply = honestReply(byHand.stolen);
    const { floor } = reply;
    await answerJoin(byHand, { ...reply, floor: { ...floor, s: floor.s + 1_000 } });
    const refused = lucie.page.locator('[data-testid="join-refused"][data-code="JOIN_REPLY_MISPLACED"]');
    await refused.waitFor();
    const words = await wordsOf(refused);
    // The log is the relay's word, the place the owner's: neither is blamed alone.
    expect(words).toContain(
      'La réponse de la ou du responsable et le journal du relais ne vont pas ensemble',
    );
    expect(words).toContain('cet appareil ne peut pas dire lequel');
    await lucie.at('join-give-up').click();
    await lucie.at('join-give-up-confirm').click();
    await refused.waitFor({ state: 'detached' });
    expect(await lucie.at('join-link').count()).toBe(0);
    byHand.peer.leave();
    await comesBack();
  });

  test('with a counter that hides a member hides nothing: his first line is drawn, and marked', async () => {
    value(await amina.api.rotateNow(roomId));
    await systemLine(tomas, 'rotated').filter({ hasText: '2' }).waitFor();
    await tomas.say('for whoever comes next');
    await amina.has('for whoever comes next');
    const { link } = await amina.invite(roomId);
    const byHand = await stage.byHand(amina, roomId);
    await lucie.at('join-room').first().click();
    await lucie.at('paste-invite').fill(link);
    await lucie.at('read-invite').click();
    await lucie.startJoin();
    const reply = honestReply(byHand.stolen);
    const counters = reply.counters.map((counter) => ({ ...counter, n: Number.MAX_SAFE_INTEGER }));
    expect(counters.length).toBeGreaterThan(0);
    const admit = await answerJoin(byHand, { ...reply, counters });
    await admit();
    await lucie.enter();
    byHand.peer.leave();
    await comesBack();
    await lucie.has('for whoever comes next');
    const marks = lucie.at('order-unknown');
    expect(await marks.allInnerTexts()).toEqual([
      'Première ligne de cette personne sur cet appareil\u00a0: impossible de dire s’il en manque avant.',
    ]);
    expect(await lucie.at('message').filter({ has: marks }).innerText()).toContain('for whoever comes next');
    expect(await lucie.alarms()).toBe(0);
  });
});

describe('a rotation that leaves many without a key', () => {
  test('is one line with their number, and what is said after it is drawn below it', async () => {
    const byHand = await stage.byHand(amina, roomId);
    const { peer, stolen } = byHand;
    const roster = await admitStrangers(stage.relay, byHand, LEFT_OUT);
    const leftOut = new Set([...roster.members.keys()].filter((id) => !stolen.roster.members.has(id)));
    const { command } = await stolen.rotation(await published(stage.relay), roster, { leftOut });
    await peer.request('rotate', command);
    peer.leave();
    await tomas.page.getByText(`${String(LEFT_OUT)} members do not get it yet`).waitFor();
    await tomas.say('below it');
    await lucie.has('below it');
    await comesBack();
    await amina.say(roomId, 'and this too');
    await Promise.all([tomas, lucie].map((profile) => profile.has('and this too')));
    for (const [profile, without] of [
      [
        tomas,
        `${String(LEFT_OUT)} members do not get it yet: their keys at the relay are missing or unusable.`,
      ],
      [
        lucie,
        `${String(LEFT_OUT)} membres ne l’ont pas encore\u00a0: leurs clés chez le relais manquent ou sont inutilisables.`,
      ],
    ] as const) {
      const rows = await profile.page
        .locator('[data-testid="message"] .msg__text, [data-testid="system-line"]')
        .allTextContents();
      const at = rows.findIndex((row) => row.includes(without));
      expect(rows.filter((row) => row.includes(without))).toHaveLength(1);
      expect(rows.slice(at + 1).map((row) => row.trim())).toEqual(['below it', 'and this too']);
      expect(await profile.alarms()).toBe(0);
    }
    const nameless = tomas.page.locator('.member-line__name').filter({ hasText: 'Unnamed member' });
    expect(await nameless.count()).toBe(LEFT_OUT);
    expect(await nameless.first().innerText()).toMatch(/^Unnamed member\s[0-9A-F\s]+$/);
  });
});

/** The fields of the form, and what the new owner sets them to. */
const RIGHT = { every: '90', history: '5000', members: '40', deadline: '60' } as const;

describe('a change of the settings', () => {
  test('says each value with what it was, and warns of low ones, a line each, in both languages', async () => {
    const low = { rotateEvery: 2, maxMembers: 2, history: 0, approval: true, joinDeadline: 60_000 };
    value(await amina.api.changeSettings(roomId, low));
    const said = async (profile: Profile): Promise<readonly string[]> => {
      const line = systemLine(profile, 'settings');
      await line.getByTestId('setting-low').nth(2).waitFor();
      return (await line.locator('.sys__text').innerText()).split('\n');
    };
    expect(await said(tomas)).toEqual([
      'Amina changed the room’s settings',
      'A new key after 2 messages (before: 100).',
      'At most 2 members (before: 256).',
      'The room is then full: nobody can join.',
      'The relay keeps 0 entries for members who are away (before: 100,000).',
      'That is few: a member who misses more than that loses the oldest ones.',
      'The owner approves each entry: yes (before: no).',
      'Time to finish joining: 1 min (before: 1,440).',
      'That is short: someone whose device is offline for longer has to be invited again.',
    ]);
    expect(await said(lucie)).toEqual([
      'Amina a changé les réglages de la salle',
      'Une nouvelle clé après 2 messages (avant\u00a0: 100).',
      'Au plus 2 membres (avant\u00a0: 256).',
      'La salle est ainsi pleine\u00a0: personne ne peut entrer.',
      'Le relais garde 0 entrées pour les absents (avant\u00a0: 100\u202f000).',
      'C’est peu\u00a0: un membre qui en manque davantage perd les plus anciennes.',
      'Chaque entrée est approuvée\u00a0: oui (avant\u00a0: non).',
      '1 min pour confirmer une entrée (avant\u00a0: 1\u202f440).',
      'C’est court\u00a0: une personne dont l’appareil reste hors ligne plus longtemps devra être invitée à nouveau.',
    ]);
  });

  test('may be put right by the next owner, who may change every field', async () => {
    // Lucie is away while the room goes to another owner.
    await lucie.close();
    value(await amina.api.offerOwnership(roomId, await idOf('Tomás')));
    await tomas.openMembers();
    await tomas.at('accept-room').click();
    await tomas.at('save-settings').waitFor();
    for (const [id, text] of Object.entries(RIGHT)) await tomas.at(`set-${id}`).fill(text);
    await tomas.at('set-approval').click();
    await tomas.at('save-settings').click();
    await tomas.at('settings-saved').waitFor();
    await until('the settings to be everybody’s', () => amina.room?.settings.history === 5_000);
    expect(amina.room?.settings).toEqual({
      rotateEvery: 90,
      history: 5_000,
      maxMembers: 40,
      joinDeadline: 3_600_000,
      approval: false,
    });
  });
});

describe('a room that was handed over while a member was away', () => {
  test('and whose new owner removed that member: the page says who did, and speaks of no lying relay', async () => {
    await tomas.at('member').filter({ hasText: 'Lucie' }).getByTestId('member-actions').click();
    await tomas.at('remove-member').click();
    await tomas.at('remove-confirm').click();
    await tomas.at('member').filter({ hasText: 'Lucie' }).waitFor({ state: 'detached' });
    await lucie.open();
    await lucie.unlock();
    await lucie.at('room-link').first().click();
    await lucie.page.locator('[data-testid="room-ended"][data-stage="removed"]').waitFor();
    expect(await wordsOf(systemLine(lucie, 'transferred'))).toContain(
      'Tomás tient maintenant la salle, confiée par Amina',
    );
    expect(await wordsOf(systemLine(lucie, 'removed'))).toContain('Vous avez été retiré·e par Tomás');
    expect(await lucie.alarms()).toBe(0);
    expect(await lucie.at('room-stopped').count()).toBe(0);
    // Beside the log: who owns the room is no longer she who did when the page was closed.
    const owner = lucie.page.locator('.member-line', { hasText: 'Responsable' });
    expect(await owner.locator('bdi').allInnerTexts()).toEqual(['Tomás']);
  });
});

test('no page broke its policies or logged an error', () => {
  expect([...tomas.complaints, ...lucie.complaints]).toEqual([]);
});
