/**
 * A relay that lies, as people see it: the real page in real browsers, served apart from the relay behind it.
 * Each lie is shown for what it is, costs nothing that is on the device, and the conversation goes on.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Entry, MemberId } from '@0fc/protocol';
import { generateKeyPair } from '@0fc/crypto/keys';
import type { Browser, Locator } from 'playwright-core';
import { LyingRelay } from '../hostile/relay/lying-relay.js';
import { World } from '../hostile/relay/world.js';
import { Member, value } from '../support/member.js';
import { until } from '../support/wait.js';
import { Front } from './front.js';
import { launch, Profile } from './profile.js';

let relay: LyingRelay;
let front: Front;
let browser: Browser;
let amina: Profile;
let tomas: Profile;
/** without a screen: it is the pages that are looked at */
let ines: Member;
let roomId: string;

/** The members of the room by the order in which they came: each link of a room has its own key. */
const ids: MemberId[] = [];
const idOf = (place: 0 | 1 | 2): MemberId => ids[place] ?? ('' as MemberId);

/** Waits for somebody who is not known yet to be served. */
async function newcomer(): Promise<void> {
  const id = await until('a newcomer', () => {
    const all = [...relay.clients].filter(({ live }) => live).map(({ memberId }) => memberId);
    return all.find((one) => !ids.includes(one));
  });
  ids.push(id);
}

beforeAll(async () => {
  [relay, browser] = await Promise.all([LyingRelay.start(), launch()]);
  front = await Front.start(relay.url);
  amina = await Profile.create(browser, 'Amina', front.url);
  tomas = await Profile.create(browser, 'Tomás', front.url);
  ines = await Member.create('Inès', front.url);
  await amina.open();
  await amina.firstPassphrase();
  await amina.createRoom('Rive', 100);
  await newcomer();
  await tomas.open(await amina.makeInvite());
  await tomas.firstPassphrase();
  await tomas.startJoin();
  await amina.admit();
  await tomas.enter();
  await newcomer();
  ({ roomId } = value(await ines.api.join(await amina.makeInvite(), 'Inès')));
  await amina.admit();
  await ines.admitted(roomId);
  await newcomer();
  await ines.say(roomId, 'hello, both');
  await Promise.all([amina.has('hello, both'), tomas.has('hello, both')]);
});

afterAll(async () => {
  await browser.close();
  await ines.remove();
  front.stop();
  await relay.stop();
});

const alarm = (code: string): Locator =>
  tomas.page.locator(`[data-testid="alarm"][data-code="${code}"]`).last();
const stopped = (profile: Profile, code: string): Locator =>
  profile.page.locator(`[data-testid="room-stopped"][data-code="${code}"]`);

/** Item by item, as read from top to bottom: texts of messages, codes of alarms. */
function thread(profile: Profile): Promise<readonly string[]> {
  return profile.page
    .locator('[data-testid="message"] .msg__text, [data-testid="alarm"]')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-code') ?? row.textContent.trim()));
}

/** What Tomás' page is served of the log. */
function toTomas(change: (entries: readonly Entry[]) => readonly Entry[]): void {
  relay.onEntries(({ memberId }, entries) => (memberId === idOf(1) ? change(entries) : undefined));
}

const isLineOf = (place: 0 | 1 | 2, { kind, sender }: Entry): boolean =>
  kind === 'message' && sender === idOf(place);

describe('a relay that lies to a page', () => {
  test('a line that is told twice is shown once', async () => {
    let told = 0;
    relay.onEvent('entries', (client, body) => {
      if (client.memberId !== idOf(1)) return undefined;
      told += 1;
      return [body, body];
    });
    await amina.say('told twice');
    await tomas.has('told twice');
    await amina.say('and this too');
    await tomas.has('and this too');
    relay.honest();
    expect(told).toBeGreaterThan(0);
    expect((await tomas.texts()).filter((text) => text === 'told twice')).toHaveLength(1);
    expect(await tomas.alarms()).toBe(0);
  });

  test('a line that is dropped is a gap in its place', async () => {
    let hole = 0;
    toTomas((entries) =>
      entries.filter((entry) => {
        if (hole === 0 && isLineOf(0, entry)) hole = entry.position.s;
        return entry.position.s !== hole;
      }),
    );
    await amina.say('withheld from Tomás');
    await ines.has('withheld from Tomás');
    await amina.say('after the hole');
    await tomas.has('after the hole');
    await alarm('ALARM_GAP').waitFor();
    relay.honest();
    const lines = await thread(tomas);
    expect(lines).not.toContain('withheld from Tomás');
    // A sign of presence may have told before that something is kept back: alarms alone stand between.
    const between = lines.slice(lines.indexOf('and this too') + 1, lines.indexOf('ALARM_GAP'));
    expect(between.filter((line) => !line.startsWith('ALARM_'))).toEqual([]);
    expect(lines.indexOf('ALARM_GAP')).toBeGreaterThan(lines.indexOf('and this too'));
    expect(lines.indexOf('after the hole')).toBeGreaterThan(lines.indexOf('ALARM_GAP'));
    await tomas.picture('lies-gap');
  });

  test('a line under another name is an alarm, and its words stand under no name', async () => {
    toTomas((entries) =>
      entries.map((entry) => (isLineOf(2, entry) ? { ...entry, sender: idOf(0) } : entry)),
    );
    await ines.say(roomId, 'I owe Tomás nothing');
    await amina.has('I owe Tomás nothing');
    // Sealed in the context of its sender, it does not even open as another one's.
    await alarm('ALARM_UNREADABLE').waitFor();
    expect(await alarm('ALARM_UNREADABLE').innerText()).toContain('Amina');
    relay.honest();
    await amina.say('nor do I');
    await tomas.has('nor do I');
    expect(await tomas.texts()).not.toContain('I owe Tomás nothing');
    await tomas.picture('lies-sender');
  });

  test('a line that is told again, in the place of another, is shown once', async () => {
    let again: Entry | null = null;
    let copies = 0;
    toTomas((entries) =>
      entries.map((entry) => {
        if (again !== null) {
          copies += 1;
          return { ...again, position: entry.position };
        }
        if (isLineOf(0, entry)) again = entry;
        return entry;
      }),
    );
    await amina.say('pay him once');
    await tomas.has('pay him once');
    await amina.say('in whose place it is told again');
    await until('the copy to be told', () => copies > 0);
    relay.honest();
    await amina.say('and what was put away is missed');
    await tomas.has('and what was put away is missed');
    await alarm('ALARM_MESSAGE_GAP').waitFor();
    const lines = await tomas.texts();
    expect(lines.filter((text) => text === 'pay him once')).toHaveLength(1);
    expect(lines).not.toContain('in whose place it is told again');
  });

  test('a position in the far future is named, and the room goes on by itself once that lie ends', async () => {
    const generations = [{ generation: Date.now() + 2 * 86_400_000, from: { g: 1, s: 1 } }];
    const victim = idOf(1);
    relay.onReply('open', (client, reply) =>
      client.memberId === victim ? { ...reply, generations } : undefined,
    );
    relay.cut(victim);
    await stopped(tomas, 'RELAY_LIED').waitFor();
    await tomas.picture('lies-future');
    relay.honest();
    await stopped(tomas, 'RELAY_LIED').waitFor({ state: 'detached' });
    await amina.say('after the far future');
    await Promise.all([amina, tomas].map((profile) => profile.has('after the far future')));
  });

  test('“the room is gone” deletes nothing; one member’s own act brings it back, the others follow', async () => {
    const [before, then] = await Promise.all([amina.texts(), tomas.texts()]);
    const nothing = World.empty();
    relay.place([idOf(0), idOf(1), idOf(2)], { snapshot: nothing.snapshot(), hidden: false });
    for (const profile of [amina, tomas]) await stopped(profile, 'ROOM_UNKNOWN').waitFor();
    expect([await amina.texts(), await tomas.texts()]).toEqual([before, then]);
    await tomas.picture('lies-gone');
    // Nobody asked for the room before somebody pressed.
    expect(relay.requests('restore')).toEqual([]);
    await tomas.at('restore-room').click();
    for (const profile of [amina, tomas])
      await stopped(profile, 'ROOM_UNKNOWN').waitFor({ state: 'detached' });
    await tomas.say('back again');
    await Promise.all([amina.has('back again', ...before), ines.has('back again')]);
    await tomas.has(...then, 'I owe Tomás nothing');
    await nothing.close();
  });

  test('another relay’s key stops the page, which shows both fingerprints and sends nothing', async () => {
    const { key } = relay;
    relay.key = generateKeyPair();
    const heard = relay.seen.length;
    relay.cut();
    await stopped(tomas, 'RELAY_KEY_MISMATCH').waitFor();
    const shown = async (id: string): Promise<string> => (await tomas.at(id).innerText()).replace(/\s/g, '');
    await until('the key that is named now', async () => /^[0-9A-F]{16}$/.test(await shown('relay-claimed')));
    expect(await shown('relay-known')).toMatch(/^[0-9A-F]{16}$/);
    expect(await shown('relay-known')).not.toBe(await shown('relay-claimed'));
    // The one way on is a fingerprint that is typed.
    const buttons = stopped(tomas, 'RELAY_KEY_MISMATCH').locator('button');
    expect(await buttons.evaluateAll((all) => all.map((one) => one.dataset.testid))).toEqual(['repin-relay']);
    await tomas.say('waits until it is the right one');
    await tomas.page.locator('[data-testid="message"][data-state="sending"]').waitFor();
    expect(relay.seen.slice(heard).filter(({ way }) => way === 'fromClient')).toEqual([]);
    await tomas.picture('lies-key');
    relay.key = key;
  });

  test('afterwards, under an honest relay, the conversation goes on and nothing that was here is lost', async () => {
    const before = await tomas.texts();
    for (const profile of [amina, tomas]) {
      await profile.page.reload();
      await profile.unlock();
      await profile.openRoom();
    }
    value(await ines.api.resumeRoom(roomId));
    await amina.has('waits until it is the right one');
    await amina.say('to the end');
    await Promise.all([tomas.has('to the end', ...before), ines.has('to the end')]);
    // What was put under another name has come again, from Inès, when the relay had lost all: under her own.
    const again = tomas.at('message').filter({ hasText: 'I owe Tomás nothing' });
    expect(await again.locator('.msg__body > .msg__name bdi, .msg__body > .sr-only').allInnerTexts()).toEqual(
      ['Inès'],
    );
  });

  test('no page broke its policies, logged an error, or was served by the relay', () => {
    expect([...amina.complaints, ...tomas.complaints]).toEqual([]);
    const paths = relay.http.map((line) => line.split(' ')[1]?.split('?')[0]);
    expect(new Set(paths)).toEqual(new Set(['/socket.io/', '/config.json']));
  });
});
